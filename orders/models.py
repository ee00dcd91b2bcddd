"""Rows of the orders app. Amounts are base units of their token."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from fairlane.core.models.fields import Amount
from orders.states import ATTEMPT, LIVE_ATTEMPT, ORDER


class Token(models.Model):
    """A token that may be swapped.

    Attributes:
        mint: the address of its mint.
        decimals: base units are ``10 ** -decimals`` tokens.
        token2022: whether the mint belongs to the Token-2022 program.
        active: whether new orders may name it.
    """

    mint = models.CharField(max_length=44, primary_key=True)
    symbol = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=64)
    decimals = models.PositiveSmallIntegerField()
    token2022 = models.BooleanField("Token-2022", default=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["symbol"]

    def __str__(self) -> str:
        return self.symbol


class Wallet(models.Model):
    """A wallet whose key the workers hold; its secret is never here."""

    address = models.CharField(max_length=44, primary_key=True)
    label = models.CharField(max_length=64, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["label", "address"]

    def __str__(self) -> str:
        return self.label or self.address


class OrderType(models.TextChoices):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


def _token(related_name: str) -> "models.ForeignKey[Any, Any]":
    # Tokens are never deleted, and a check per inserted order is what intake can do without.
    return models.ForeignKey(
        Token, models.PROTECT, related_name=related_name, db_constraint=False, db_index=False
    )


class Order(models.Model):
    """A swap that a wallet asked for.

    The table is hot: no index covers a column that changes, so that status updates stay in place.
    What is still to be done for an order is a row of ``core.Work``.

    Attributes:
        created_by: the principal that sent it.
        queued_at: when execution was asked for; null while the order waits for that.
        limit_price, trigger_price: output base units per input base unit, for resting types.
        min_output_amount: the least the wallet accepts, set by the first route, never lowered.
        quoted_amount: what the chosen venue promised.
        spent_amount, output_amount: what the confirmed transaction took and paid.
        network_fee: lamports that the transaction cost, whether it swapped or failed on chain.
        tries: how often the venues were asked for a route.
        retry_of: the failed order that a person had executed again as this one.
    """

    EVENT_KIND = "order"

    id = models.UUIDField(primary_key=True, editable=False)
    created_by = models.CharField(max_length=64)
    wallet = models.CharField(max_length=44)
    type = models.CharField(max_length=8, choices=OrderType.choices, default=OrderType.MARKET)
    input_token = _token("+")
    output_token = _token("+")
    input_amount = Amount()
    slippage_bps = models.PositiveSmallIntegerField()
    limit_price = models.DecimalField(max_digits=78, decimal_places=36, null=True)
    trigger_price = models.DecimalField(max_digits=78, decimal_places=36, null=True)
    expires_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=16, default="PENDING")
    seq = models.PositiveIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    venue = models.CharField(max_length=32, default="")
    quoted_amount = Amount(null=True)
    min_output_amount = Amount(null=True)
    spent_amount = Amount(null=True)
    output_amount = Amount(null=True)
    network_fee = Amount(null=True)
    signature = models.CharField(max_length=88, default="")
    failure_kind = models.CharField(max_length=16, default="")
    failure_reason = models.TextField(default="")
    retry_of = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    queued_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["wallet", "-created_at", "-id"], name="order_by_wallet"),
            models.Index(fields=["-created_at", "-id"], name="order_by_time"),
        ]
        constraints: ClassVar = [
            ORDER.check_constraint("order_status_known"),
            models.UniqueConstraint(
                fields=["retry_of"],
                condition=models.Q(retry_of__isnull=False),
                name="order_retried_once",
            ),
            models.CheckConstraint(
                condition=models.Q(input_amount__gt=0), name="order_input_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="CONFIRMED")
                | models.Q(
                    output_amount__isnull=False,
                    spent_amount__isnull=False,
                    signature__gt="",
                ),
                name="order_confirmed_has_amounts",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="FAILED") | models.Q(failure_kind__gt=""),
                name="order_failed_has_kind",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def ended(self) -> bool:
        return self.status in ORDER.terminal


class Quote(models.Model):
    """A venue's answer for an order: its price, or why it gave none.

    Attributes:
        round: which try of the order it belongs to.
        reference: the venue's own id of the quote.
        output_amount: what the venue pays, after its fee.
        net_amount: the same less network fees in output terms; what venues are compared by.
        fee_amount: the venue's fee, in output base units.
    """

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="quotes", db_constraint=False, db_index=False
    )
    round = models.PositiveSmallIntegerField()
    venue = models.CharField(max_length=32)
    reference = models.CharField(max_length=64, default="")
    maker = models.CharField(max_length=44, default="")
    output_amount = Amount(null=True)
    net_amount = Amount(null=True)
    fee_amount = Amount(null=True)
    fee_bps = models.PositiveIntegerField(null=True)
    price_impact_bps = models.PositiveIntegerField(null=True)
    expires_at = models.DateTimeField(null=True)
    chosen = models.BooleanField(default=False)
    refusal = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order", "round", "venue"], name="quote_once_per_round_and_venue"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.venue}: {self.output_amount or self.refusal}"


class Attempt(models.Model):
    """One transaction that was built to execute an order.

    Attributes:
        number: which try of the order it belongs to.
        message: the serialized transaction message both sides sign.
        signature: the transaction's id, known as soon as the wallet has signed.
        transaction: the signed bytes: what is sent, and sent again, until it landed or expired.
        first_slot: where the chain stood when it was built; it lands later, if ever.
        last_valid_block_height: past this finalized height it cannot land any more.
    """

    order = models.ForeignKey(
        Order, models.CASCADE, related_name="attempts", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, default="REQUESTED")
    venue = models.CharField(max_length=32)
    reference = models.CharField(max_length=64)
    maker = models.CharField(max_length=44)
    output_amount = Amount()
    message = models.BinaryField()
    first_slot = models.BigIntegerField()
    last_valid_block_height = models.BigIntegerField()
    signature = models.CharField(max_length=88, null=True, unique=True)
    transaction = models.BinaryField(null=True)
    sent_at = models.DateTimeField(null=True)
    slot = models.BigIntegerField(null=True)
    error = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            ATTEMPT.check_constraint("attempt_state_known", "state"),
            models.UniqueConstraint(fields=["order", "number"], name="attempt_number_unique"),
            models.UniqueConstraint(
                fields=["order"],
                condition=models.Q(state__in=LIVE_ATTEMPT),
                name="attempt_one_live_per_order",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["REQUESTED", "DISCARDED"])
                | models.Q(signature__isnull=False, transaction__isnull=False),
                name="attempt_signed_has_bytes",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.order_id}"
