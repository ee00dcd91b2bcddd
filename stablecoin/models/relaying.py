"""Relayers and the transactions they send."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from fairlane.core.models.fields import Amount
from stablecoin.models.chains import Chain
from stablecoin.models.fields import Address, Hash
from stablecoin.models.requests import Request
from stablecoin.states import OPEN_TRANSACTION, TRANSACTION


class Relayer(models.Model):
    """A gas wallet on one chain. Its key is in the environment of the workers, never here.

    Attributes:
        next_nonce: the nonce cursor: locked by whoever stores the next transaction.
        error: why its last cycle came to nothing; empty when it went well.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    chain = models.ForeignKey(Chain, models.PROTECT, related_name="relayers")
    address = Address()
    next_nonce = models.BigIntegerField(default=0)
    balance = Amount(null=True)
    gas_price = Amount(null=True)
    error = models.TextField(default="")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chain", "address"], name="relayer_once_per_chain"),
        ]

    def __str__(self) -> str:
        return f"{self.address} on {self.chain_id}"


class Transaction(models.Model):
    """What a relayer has one nonce for.

    Attributes:
        request: null where the nonce is only to be filled.
        gas: limit, an estimate with its margin.
        wish: what an operator asked for: speed_up, cancel.
        block_number, block_hash: where it is mined, looked at again until final.
        succeeded: null until mined; False where it was reverted or cancelled.
        overtaken_at: the head at which the nonce was used and none of our attempts was to be found.
    """

    relayer = models.ForeignKey(
        Relayer, models.PROTECT, related_name="transactions", db_index=False
    )
    nonce = models.BigIntegerField()
    request = models.ForeignKey(
        Request,
        models.PROTECT,
        related_name="transactions",
        null=True,
        db_constraint=False,
    )
    state = models.CharField(max_length=10, default="SIGNED")
    gas = models.BigIntegerField()
    wish = models.CharField(max_length=10, default="")
    mined_hash = Hash(default="")
    block_number = models.BigIntegerField(null=True)
    block_hash = Hash(default="")
    succeeded = models.BooleanField(null=True)
    gas_used = models.BigIntegerField(null=True)
    gas_price = Amount(null=True)
    overtaken_at = models.BigIntegerField(null=True)
    error = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["relayer", "nonce"],
                name="transaction_open",
                condition=models.Q(state__in=OPEN_TRANSACTION),
            ),
        ]
        constraints: ClassVar = [
            TRANSACTION.check_constraint("transaction_state_known", "state"),
            models.UniqueConstraint(fields=["relayer", "nonce"], name="transaction_nonce_once"),
            models.UniqueConstraint(
                fields=["request"],
                condition=models.Q(state__in=OPEN_TRANSACTION, request__isnull=False),
                name="transaction_one_open_per_request",
            ),
        ]

    def __str__(self) -> str:
        return f"nonce {self.nonce} of {self.relayer_id}"


class Attempt(models.Model):
    """One signed transaction: the same nonce may have several, of which one at most is mined.

    Attributes:
        raw: what is sent, and sent again.
        cancels: it only fills the nonce, and does nothing for the request.
        sent_at: when it was last given to a node; null if no node ever had it.
        answer: what the node said.
    """

    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="attempts", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    hash = Hash(unique=True)
    raw = models.BinaryField()
    max_fee = Amount()
    priority_fee = Amount()
    cancels = models.BooleanField(default=False)
    sent_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["transaction", "number"], name="attempt_once_per_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hash}"
