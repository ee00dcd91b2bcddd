"""Block space that was asked for, and what the venue says of it."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from batches.models.markets import Tick

STATES = (
    "NEW",
    "BIDDING",
    "WON",
    "OUTBID",
    "CANCELLED",
    "REJECTED",
    "SUBMITTED",
    "PRECONFIRMED",
    "INCLUDED",
    "REVERTED",
    "FAILED",
    "EXPIRED_UNUSED",
)
# A bid that nothing has been decided about.
ASKED_STATES = ("NEW", "BIDDING")
# The venue has the transactions, or had.
GIVEN_STATES = ("SUBMITTED", "PRECONFIRMED", "INCLUDED")
OPEN_STATES = ("NEW", "BIDDING", "WON", "SUBMITTED", "PRECONFIRMED")


class Reservation(models.Model):
    """A slot that a tick asked for; its id is the name that the venue knows the bid by.

    Attributes:
        venue_id: the venue's own name of it; empty until it has answered.
        price: the most micro-lamports per compute unit.
        charged: lamports.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    tick = models.ForeignKey(Tick, models.CASCADE, related_name="reservations")
    venue_id = models.CharField(max_length=64, default="", db_index=True)
    slot = models.BigIntegerField()
    units = models.PositiveIntegerField()
    price = models.BigIntegerField()
    state = models.CharField(max_length=16, default="NEW")
    reason = models.CharField(max_length=200, default="")
    charged = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=STATES), name="reservation_state_known"
            ),
            models.UniqueConstraint(
                fields=["tick"],
                condition=models.Q(state__in=OPEN_STATES),
                name="reservation_one_open_per_tick",
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.slot}: {self.state}"


class ReceiptCursor(models.Model):
    """Where reading the venue's receipts resumes: a single row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="receipt_cursor_single_row"),
        ]

    def __str__(self) -> str:
        return f"after {self.seq}"


class ReservationReceipt(models.Model):
    """What the venue told about a reservation, once; nothing is settled by it."""

    seq = models.BigIntegerField(primary_key=True)
    venue_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=24)
    slot = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=200, default="")
    charged = models.BigIntegerField(default=0)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue_id", "kind"], name="receipt_once_per_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.venue_id}"
