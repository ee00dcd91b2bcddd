"""The book: a market's open orders. An entry comes and goes in the write that its order does."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from batches.models import BookEntry
from fairlane.core import bulk

# A plain statement: Django would read the rows first.
_LEAVE = "DELETE FROM batches_bookentry WHERE order_id = ANY(%s)"


def enter(orders: Sequence[Mapping[str, Any]]) -> None:
    """Add orders that are inserted with these columns."""
    bulk.insert(
        BookEntry,
        [
            {
                "order_id": order["id"],
                "market_id": order["market_id"],
                "wallet": order["wallet"],
                "receipt_seq": order["receipt_seq"],
                "expiry_slot": order["expiry_slot"],
            }
            for order in orders
        ],
    )


def leave(order_ids: Collection[UUID]) -> None:
    """Take out orders that have ended."""
    if order_ids:
        with connection.cursor() as cursor:
            cursor.execute(_LEAVE, [list(order_ids)])
