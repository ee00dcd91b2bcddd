"""Settle: a batch ends when everything that it pays has landed."""

from collections.abc import Collection, Sequence
from uuid import UUID

from batches.models import Batch, Tick, Transfer
from batches.states import BATCH, OPEN_TRANSFER, TICK
from fairlane.core import transitions
from fairlane.core.transitions import Move

# A batch of 100,000 orders is paid in thousands of transactions, and each socket is told of it. The
# bundle has them all.
NAMED_SETTLEMENTS = 20


def settle(batch_ids: Collection[UUID]) -> None:
    """End those of the batches that nothing is open of; part of the caller's transaction.

    Who waits for the lock sees what the one before has recorded, so that the last one ends it.
    """
    held = list(
        Batch.objects.filter(id__in=batch_ids, status="CLEARED")
        .select_related("tick")
        .select_for_update(of=("self",), no_key=True)
        .order_by("id")
    )
    ids = [batch.id for batch in held]
    open_transfers = Transfer.objects.filter(batch_id__in=ids, status__in=OPEN_TRANSFER)
    waiting = set(open_transfers.values_list("batch_id", flat=True))
    done = [batch for batch in held if batch.id not in waiting]
    if not done:
        return
    signatures = _signatures([batch.id for batch in done])
    transitions.move(Batch, BATCH, [_settled(b, sorted(signatures[b.id])) for b in done])
    _settle_ticks({batch.tick_id for batch in done})


def _settled(batch: Batch, signatures: Sequence[str]) -> Move:
    columns = {
        "settlements": list(signatures[:NAMED_SETTLEMENTS]),
        "settlement_count": len(signatures),
    }
    return Move(batch.id, "SETTLED", told(batch, signatures), columns)


def told(batch: Batch, signatures: Sequence[str]) -> dict[str, object]:
    """What events say of a batch that has cleared.

    Args:
        signatures: of the transactions that have paid it.
    """
    return {
        "batchNo": batch.number,
        "slot": batch.tick.target_slot,
        "clearingTick": batch.price,
        "volumeLots": batch.volume,
        "turnover": str(batch.turnover),
        "fees": str(batch.fees),
        "fills": batch.fills,
        "settlements": list(signatures[:NAMED_SETTLEMENTS]),
        "settlementCount": len(signatures),
    }


def _signatures(batch_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """Of the transactions that paid each of the batches."""
    found: dict[UUID, set[str]] = {batch_id: set() for batch_id in batch_ids}
    carried = Transfer.objects.filter(batch_id__in=batch_ids, status="DONE")
    for batch_id, signature in carried.values_list("batch_id", "packet__signature").distinct():
        found[batch_id].add(signature)
    return found


def _settle_ticks(tick_ids: Collection[UUID]) -> None:
    held = list(
        Tick.objects.filter(id__in=tick_ids, status="CLEARED")
        .select_for_update(no_key=True)
        .order_by("id")
    )
    paying = Batch.objects.filter(tick_id__in=[tick.id for tick in held], status="CLEARED")
    waiting = set(paying.values_list("tick_id", flat=True))
    done = [tick for tick in held if tick.id not in waiting]
    transitions.move(Tick, TICK, [Move(t.id, "SETTLED", {"tick": t.number}) for t in done])
