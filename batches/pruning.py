"""What is not kept for ever: ticks that came to nothing and cost nothing."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from batches.models.reservations import OPEN_STATES

# The venue's last word about a bid comes within minutes. A week is for people who look back.
KEPT = timedelta(days=7)

# A tick in which somebody had an order, and one whose bid was charged, are part of the books.
_PRUNE = """
    WITH pruned AS (
        SELECT t.id FROM batches_tick t
        WHERE t.status = 'EMPTY' AND t.created_at < %s
            AND NOT EXISTS (SELECT FROM batches_batch b WHERE b.tick_id = t.id)
            AND NOT EXISTS (
                SELECT FROM batches_reservation r
                WHERE r.tick_id = t.id AND (r.charged > 0 OR r.state = ANY(%s))
            )
    ), bids AS (
        DELETE FROM batches_reservation r USING pruned
        WHERE r.tick_id = pruned.id RETURNING r.venue_id
    ), receipts AS (
        DELETE FROM batches_reservationreceipt USING bids
        WHERE batches_reservationreceipt.venue_id = bids.venue_id
    )
    DELETE FROM batches_tick t USING pruned WHERE t.id = pruned.id
"""


def prune() -> int:
    """Delete empty ticks with their bids, when they are old; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, [timezone.now() - KEPT, list(OPEN_STATES)])
        return int(cursor.rowcount)
