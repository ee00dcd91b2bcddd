"""Waiting on conditions."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

POLL_SECONDS = 0.02
# Nothing takes this long; a machine that is busy with other things may.
PATIENCE_SECONDS = 45.0


async def until(
    condition: Callable[[], Any], what: str, *, seconds: float = PATIENCE_SECONDS
) -> Any:
    """Poll until ``condition``, which may be a coroutine function, gives something true: that.

    Raises:
        AssertionError: it did not in time; the message says ``what`` was waited for.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain: {what}"
        await asyncio.sleep(POLL_SECONDS)
