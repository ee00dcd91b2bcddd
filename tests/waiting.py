"""Waiting on conditions."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")

POLL_SECONDS = 0.02
# Nothing takes this long; a machine that is busy with other things may.
PATIENCE_SECONDS = 45.0


async def until(
    condition: Callable[[], T | Awaitable[T]], what: str, *, seconds: float = PATIENCE_SECONDS
) -> T:
    """Poll until ``condition`` gives something true, which is returned.

    Raises:
        AssertionError: it did not in time; the message says ``what`` was waited for.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        value = cast(T, await found if inspect.isawaitable(found) else found)
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}"
        await asyncio.sleep(POLL_SECONDS)
