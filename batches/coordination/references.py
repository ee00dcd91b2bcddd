"""Where the next bands stand, once batches have cleared."""

from collections.abc import Iterable

from django.db import connection

from batches import band
from batches.clearing import Cleared, Committed
from batches.models import Batch, Market, Tick
from fairlane.core import bulk

# Markets whose later batches have cleared before this tick's; none is closed beyond the last tick.
_OVERTAKEN = """
    SELECT DISTINCT b.market_id FROM batches_cadence c
    JOIN batches_batch b ON b.market_id = ANY(%(markets)s) AND b.number > %(number)s
        AND b.number <= c.tick AND b.status IN ('CLEARED', 'SETTLED')
    WHERE c.cadence_ms = %(cadence_ms)s
"""


def follow(tick: Tick, cleared: Iterable[tuple[Batch, Committed, Cleared]]) -> None:
    """Move the references of a tick's markets; part of the transaction that holds these.

    A reference is that of the last batch that has cleared, in the order of their numbers.
    """
    moved = {
        batch.market_id: band.following(
            committed.header, price=result.price, leaves=committed.leaves
        )
        for batch, committed, result in cleared
    }
    with connection.cursor() as cursor:
        cursor.execute(
            _OVERTAKEN,
            {"markets": list(moved), "number": tick.number, "cadence_ms": tick.cadence_ms},
        )
        for (market_id,) in cursor.fetchall():
            del moved[market_id]
    rows = [{"id": market_id, "reference": ticks} for market_id, ticks in moved.items()]
    bulk.update(Market, rows, key="id")
