"""Signed orders, the book of those that are open, and what batches gave them."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from batches.models.markets import Batch, Market
from batches.states import ORDER
from fairlane.core.models.fields import Amount


class BatchOrder(models.Model):
    """An order that its owner has signed; see ``batches.records.Order``.

    Attributes:
        hash, record, signature: the signed 128 bytes, by which the order is known.
        wallet: the owner's address.
        remaining: lots that are not filled.
        age: batches that it has waited.
        batch: the one that it is committed to now.
        batch_no: the first one that it may be in.
        receipt_seq, receipt, receipt_signature: the coordinator's promise.
        escrow: atoms that are to be in the vault before it is eligible: quote of a buy, base of a
            sell. ``escrow_left`` are those that are there and not spent.
        cancelling: asked to end as soon as its escrow is known.
        replaces: the order whose place it takes.
        created_by: the principal that sent it.
    """

    EVENT_KIND = "batch_order"

    id = models.UUIDField(primary_key=True, editable=False)
    market = models.ForeignKey(Market, models.PROTECT, related_name="+", db_index=False)
    hash = models.BinaryField(unique=True)
    record = models.BinaryField()
    signature = models.BinaryField()
    wallet = models.CharField(max_length=44)
    side = models.PositiveSmallIntegerField()
    type = models.PositiveSmallIntegerField()
    time_in_force = models.PositiveSmallIntegerField()
    limit = models.BigIntegerField()
    quantity = models.BigIntegerField()
    max_fee_bps = models.PositiveSmallIntegerField()
    from_slot = models.BigIntegerField()
    expiry_slot = models.BigIntegerField()
    status = models.CharField(max_length=12, default="ESCROWING")
    seq = models.PositiveIntegerField(default=1)
    remaining = models.BigIntegerField()
    age = models.PositiveIntegerField(default=0)
    batch = models.ForeignKey(
        Batch, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    batch_no = models.BigIntegerField()
    receipt_seq = models.PositiveBigIntegerField()
    receipt = models.BinaryField()
    receipt_signature = models.BinaryField()
    escrow = Amount()
    escrow_left = Amount(default=0)
    cancelling = models.BooleanField(default=False)
    replaces = models.UUIDField(null=True)
    reason = models.CharField(max_length=200, default="")
    created_by = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        # None of what changes: a batch's orders change in place, without new entries.
        indexes: ClassVar = [
            # Within a market the numbers of receipts are the order in which orders came.
            models.Index(fields=["wallet", "market", "-receipt_seq"], name="batch_order_by_wallet"),
            models.Index(fields=["-created_at", "-id"], name="batch_order_by_time"),
        ]
        constraints: ClassVar = [
            ORDER.check_constraint("batch_order_status_known"),
            models.UniqueConstraint(fields=["market", "receipt_seq"], name="receipt_once"),
            # Without those that replace nothing, which would pay for an entry at each change.
            models.UniqueConstraint(
                fields=["replaces"],
                name="replaced_once",
                condition=models.Q(replaces__isnull=False),
            ),
            models.CheckConstraint(
                condition=models.Q(remaining__gte=0, remaining__lte=models.F("quantity")),
                name="batch_order_remaining",
            ),
            models.CheckConstraint(
                condition=models.Q(escrow_left__gte=0), name="batch_order_escrow_left"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="FILLED") | models.Q(remaining=0, batch__isnull=True),
                name="batch_order_filled_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return bytes(self.hash).hex()


class BookEntry(models.Model):
    """An open order's place in its market's book.

    What is looked for among open orders is found here, so that the orders themselves need no index
    that changes with their status. An entry is stored with its order and goes when that ends.
    """

    order = models.OneToOneField(
        BatchOrder, models.PROTECT, primary_key=True, related_name="entry", db_constraint=False
    )
    market = models.ForeignKey(Market, models.PROTECT, related_name="+", db_index=False)
    wallet = models.CharField(max_length=44)
    receipt_seq = models.PositiveBigIntegerField()
    expiry_slot = models.BigIntegerField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["market", "wallet", "-receipt_seq"], name="book_by_wallet"),
            models.Index(fields=["market", "-receipt_seq"], name="book_by_market"),
            models.Index(fields=["expiry_slot"], name="book_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} in the book"


class BatchFill(models.Model):
    """What a batch gave to one order.

    Attributes:
        lots: bought or sold.
        quote: atoms before the fee; ``fee`` and ``surplus`` in atoms as well.
    """

    pk = models.CompositePrimaryKey("batch", "order")
    batch = models.ForeignKey(
        Batch, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    order = models.ForeignKey(
        BatchOrder, models.PROTECT, related_name="fills", db_index=False, db_constraint=False
    )
    lots = models.BigIntegerField()
    quote = models.BigIntegerField()
    fee = models.BigIntegerField()
    surplus = models.BigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            # An order may have one in each batch; a market's batches are in the order of their ids.
            models.Index(fields=["order", "-batch"], name="fill_newest_of_order"),
        ]

    def __str__(self) -> str:
        return f"{self.lots} lots of {self.order_id}"
