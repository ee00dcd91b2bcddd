"""Money on its way between owners and the vault, and the transactions that carry it."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from batches.models.markets import Batch, Market, Tick
from batches.models.orders import BatchOrder
from batches.states import OPEN_TRANSFER, PACKET, TRANSFER
from fairlane.core.models.fields import Amount


class Direction(models.TextChoices):
    PULL = "PULL", "into the vault"
    PAY = "PAY", "out of the vault"


class Packet(models.Model):
    """A transaction of transfers.

    Attributes:
        tick: the one whose batches it settles; null for escrow and what is given back.
        transaction: the signed bytes: what is sent, and sent again, until it landed or expired.
        first_slot: where the chain stood when it was built; it lands later, if ever.
        last_valid_block_height: past this finalized height it cannot land any more.
        looked_at: when its outcome was first looked up.
        accepted: a person has seen what else it moved: it counts as what it was to do.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    direction = models.CharField(max_length=4, choices=Direction.choices)
    tick = models.ForeignKey(Tick, models.PROTECT, null=True, related_name="packets")
    status = models.CharField(max_length=12, default="SIGNED")
    signature = models.CharField(max_length=88, unique=True)
    transaction = models.BinaryField()
    first_slot = models.BigIntegerField()
    last_valid_block_height = models.BigIntegerField()
    sent_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(db_default=False)
    slot = models.BigIntegerField(null=True)
    fee = models.BigIntegerField(null=True)
    error = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [PACKET.check_constraint("packet_status_known")]

    def __str__(self) -> str:
        return self.signature


class Transfer(models.Model):
    """An amount that one owner pays in or is paid, or that a market's pool is given or gives back.

    Attributes:
        batch: the one whose fills it pays; null for escrow and what is given back otherwise.
        order: the one whose escrow it is, or gives back; null for what batches and pools pay.
        reference: what a deposit into a pool, or a withdrawal, is known by; null for owners' money.
        packet, position: the transaction that carries it now, and its place there.
        tries: transactions that have carried it and failed.
        opens_account: a person has it paid at any rate: where its owner has no account of the token
            any more, one is opened at the coordinator's cost.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    direction = models.CharField(max_length=4, choices=Direction.choices)
    market = models.ForeignKey(Market, models.PROTECT, related_name="+", db_index=False)
    mint = models.CharField(max_length=44)
    wallet = models.CharField(max_length=44)
    amount = Amount()
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, related_name="transfers")
    order = models.ForeignKey(
        BatchOrder, models.PROTECT, null=True, related_name="transfers", db_constraint=False
    )
    reference = models.CharField(max_length=64, null=True)
    status = models.CharField(max_length=8, default="DUE")
    packet = models.ForeignKey(Packet, models.PROTECT, null=True, related_name="transfers")
    position = models.PositiveSmallIntegerField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    opens_account = models.BooleanField(db_default=False)
    reason = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            # Few are open, among however many that are done.
            models.Index(
                fields=["mint"],
                name="transfer_open",
                condition=models.Q(status__in=OPEN_TRANSFER),
            ),
        ]
        constraints: ClassVar = [
            TRANSFER.check_constraint("transfer_status_known"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="transfer_positive"),
            models.UniqueConstraint(
                fields=["order", "direction"],
                condition=models.Q(order__isnull=False),
                name="transfer_once_per_order",
            ),
            models.UniqueConstraint(
                fields=["batch", "wallet", "mint"],
                condition=models.Q(batch__isnull=False),
                name="payout_once_per_owner",
            ),
            models.UniqueConstraint(
                fields=["reference", "market", "mint"],
                condition=models.Q(reference__isnull=False),
                name="pool_transfer_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.amount} of {self.mint} for {self.wallet}"

    @property
    def parcel(self) -> object:
        """What happens as a whole, in one transaction, or not at all: the deposit into a pool that
        it is a leg of; anything else by itself."""
        if self.reference is not None and self.direction == Direction.PULL:
            return self.market_id, self.reference
        return self.id
