"""The coming batches of a market, read once a second for all sockets of a process."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from batches import selectors
from batches.models import Market
from fairlane.core.threads import in_thread

EVERY_S = 1.0
AHEAD = 12

_read: dict[int, tuple[float, Sequence[dict[str, Any]]]] = {}
# A market's sockets wait for its own reading only.
_reading: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)


async def coming(market: Market) -> Sequence[dict[str, Any]]:
    """The market's next batches, the soonest first; a second old at most."""
    async with _reading[market.id]:
        at, found = _read.get(market.id, (float("-inf"), ()))
        if time.monotonic() - at >= EVERY_S:
            found = await in_thread(selectors.coming)(market, AHEAD)
            _read[market.id] = (time.monotonic(), found)
    return found


async def frames(market: Market) -> list[dict[str, Any]]:
    """One frame for each coming batch."""
    now_ms = time.time() * 1_000
    return [
        {
            "type": "COUNTDOWN_TICK",
            "market": market.name,
            "batchNo": batch["batchNo"],
            "slot": batch["slot"],
            "eta": batch["eta"],
            "remainingMs": int(datetime.fromisoformat(batch["eta"]).timestamp() * 1_000 - now_ms),
            "status": batch["status"],
            "lane": batch["lane"],
            "reserved": batch["reserved"],
            "orders": batch["orders"],
        }
        for batch in await coming(market)
    ]
