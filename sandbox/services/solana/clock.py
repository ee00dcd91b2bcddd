"""The slot clock: closes a block every slot time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from .bank import Bank
from .chain import Block


async def run(bank: Bank, slot_ms: int, on_closed: Callable[[Block], None]) -> None:
    """Tick until cancelled.

    Deadlines are absolute, so that slots keep their time while requests are served late; a node
    that falls a whole slot behind lets the lost time go instead of hurrying through short slots.
    """
    period = slot_ms / 1000
    deadline = time.monotonic() + period
    while True:
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))
        closed = bank.tick(time.time())
        if closed is not None:
            on_closed(closed)
        deadline = max(deadline + period, time.monotonic())
