"""Orders that end outside a clearing: what is left of their escrow is paid back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from uuid_utils.compat import uuid7

from batches import book, ledger
from batches.ledger import Journal
from batches.models import BatchOrder, Direction, Transfer
from batches.records import Side
from batches.stage_names import PAY
from batches.states import ORDER
from fairlane.core import bulk, claims, transitions, wakeups
from fairlane.core.transitions import Move


def escrow_mint(order: BatchOrder) -> str:
    """The mint that the order's escrow is of."""
    market = order.market
    return market.quote_mint if order.side == Side.BUY else market.base_mint


@dataclass(frozen=True, slots=True)
class Ending:
    """An order, the status that it ends with, and why."""

    order: BatchOrder
    status: str
    reason: str


def end(orders: Sequence[BatchOrder], status: str, reason: str, journal: Journal) -> None:
    """End orders that the caller has locked, with their markets; part of its transaction."""
    end_each([Ending(order, status, reason) for order in orders], journal)


def end_each(endings: Sequence[Ending], journal: Journal) -> None:
    """End orders that the caller has locked, with their markets, each in its own way."""
    moves = [
        Move(
            ending.order.id,
            ending.status,
            {
                "market": ending.order.market.name,
                "reason": ending.reason,
                "refund": str(ending.order.escrow_left),
            },
            {"escrow_left": 0, "batch_id": None, "reason": ending.reason[:200]},
        )
        for ending in endings
    ]
    moved = transitions.move(BatchOrder, ORDER, moves)
    book.leave(moved)
    orders = [ending.order for ending in endings]
    due = [order for order in orders if order.id in moved and order.escrow_left]
    if not due:
        return
    journal.add(
        *(
            ledger.owed(f"refund:{o.id}", o.market_id, escrow_mint(o), int(o.escrow_left))
            for o in due
        )
    )
    rows: list[dict[str, Any]] = [
        {
            "id": uuid7(),
            "direction": Direction.PAY.value,
            "market_id": order.market_id,
            "mint": escrow_mint(order),
            "wallet": order.wallet,
            "amount": int(order.escrow_left),
            "order_id": order.id,
            "status": "DUE",
            "tries": 0,
            "reason": "",
        }
        for order in due
    ]
    bulk.insert(Transfer, rows)
    claims.open_work([row["id"] for row in rows], PAY)
    wakeups.wake(PAY)
