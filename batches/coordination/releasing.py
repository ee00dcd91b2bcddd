"""Batches that do not execute: their orders go on with the next one, or end and are paid back."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection

from batches import refunds
from batches.ledger import Journal
from batches.models import Batch, BatchOrder
from batches.records import TimeInForce
from batches.states import BATCH
from fairlane.core import transitions
from fairlane.core.transitions import Move


def roll(batches: Sequence[Batch], reason: str, journal: Journal) -> set[UUID]:
    """Let batches not execute; part of the caller's transaction. Returns those that do not.

    Their orders have waited for one more; those that were for this one batch alone end.
    """
    rolled = _end(batches, "ROLLED", reason)
    refunds.end(_orders(rolled, TimeInForce.ONE_BATCH), "EXPIRED", reason, journal)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE batches_batchorder o SET batch_id = NULL, age = o.age + 1,"
            " batch_no = greatest(o.batch_no, b.number + 1)"
            " FROM batches_batch b JOIN batches_bookentry k ON k.market_id = b.market_id"
            " WHERE o.id = k.order_id AND o.batch_id = b.id AND b.id = ANY(%s)"
            " AND o.status = 'OPEN'",
            [list(rolled)],
        )
    return rolled


def void(batches: Sequence[Batch], reason: str, journal: Journal) -> set[UUID]:
    """Call batches off; part of the caller's transaction. Returns those that do not execute.

    Their orders end and are paid back.
    """
    voided = _end(batches, "VOIDED", reason)
    refunds.end(_orders(voided), "CANCELLED", reason, journal)
    return voided


def _end(batches: Sequence[Batch], status: str, reason: str) -> set[UUID]:
    return transitions.move(
        Batch,
        BATCH,
        [
            Move(
                batch.id,
                status,
                {"batchNo": batch.number, "slot": batch.tick.target_slot, "reason": reason},
                {"reason": reason[:200]},
            )
            for batch in batches
        ],
    )


def _orders(batches: Collection[UUID], tif: TimeInForce | None = None) -> list[BatchOrder]:
    markets = Batch.objects.filter(id__in=batches).values("market")
    found = BatchOrder.objects.filter(entry__market__in=markets, batch_id__in=batches)
    found = found.filter(status="OPEN").select_related("market")
    if tif is not None:
        found = found.filter(time_in_force=tif)
    return list(found.select_for_update(of=("self",), no_key=True).order_by("id"))
