"""Transfers that are nobody's orders: what the treasury puts into a vault, and takes out again.

They are stored and sent like those of owners. Each has a reference, under which it happens once.
"""

from collections.abc import Mapping
from typing import Any

from uuid_utils.compat import uuid7

from batches.models import Direction, Market, Transfer
from batches.stage_names import PAY, PULL
from fairlane.core import audit, bulk, claims, wakeups


def move(
    market: Market,
    direction: Direction,
    wallet: str,
    amounts: Mapping[str, int],
    reference: str,
) -> None:
    """Have atoms moved, by mint; part of the caller's transaction, as their postings are."""
    rows: list[dict[str, Any]] = [
        {
            "id": uuid7(),
            "direction": direction.value,
            "market_id": market.id,
            "mint": mint,
            "wallet": wallet,
            "amount": amount,
            "reference": reference,
            "status": "DUE",
            "tries": 0,
            "reason": "",
        }
        for mint, amount in amounts.items()
        if amount
    ]
    bulk.insert(Transfer, rows)
    if direction == Direction.PULL:
        # A deposit's legs are pulled together: see ``Transfer.parcel``.
        stage, works = PULL, [rows[0]["id"]]
    else:
        stage, works = PAY, [row["id"] for row in rows]
    claims.open_work(works, stage)
    wakeups.wake(stage)


def record(
    market: Market,
    action: str,
    wallet: str,
    amounts: Mapping[str, int],
    reference: str,
    by: str,
    reason: str = "",
) -> None:
    """Tell of it in the audit trail."""
    after = {"wallet": wallet, "reference": reference}
    audit.record(
        actor=by,
        action=action,
        object=f"market:{market.name}",
        after=after | {mint: str(amount) for mint, amount in amounts.items()},
        reason=reason,
    )
