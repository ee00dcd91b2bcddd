"""Long-running listeners: one at work, any number standing by, until they are told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from django.db import DatabaseError

from fairlane.core import leases
from fairlane.core.threads import in_thread

logger = structlog.get_logger(__name__)

# A holder that is gone is followed so soon; it renews three times as often.
LEASE_S = 6.0
RENEW_S = 2.0


def told_to_stop() -> asyncio.Event:
    """What SIGTERM and SIGINT set from now on."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def alone(name: str, work: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
    """Do ``work`` again and again while this process holds the lease, until ``stopping``.

    ``work`` is cancelled when the lease is lost. Nothing that it writes depends on being alone.
    """
    holder = leases.new_holder()
    while not stopping.is_set():
        held = await _take(name, holder)
        if held is None:
            await pause(RENEW_S, stopping)
            continue
        doing = asyncio.ensure_future(work())
        try:
            await _while_held(name, holder, doing, stopping)
        finally:
            doing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await doing
        if stopping.is_set():
            with contextlib.suppress(DatabaseError):
                await in_thread(leases.release)(held)


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Wait so long, or until told to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


async def _take(name: str, holder: str) -> leases.Held | None:
    try:
        return await in_thread(leases.take)(name, holder, seconds=LEASE_S)
    except DatabaseError as error:
        logger.warning("listener.database_lost", lease=name, error=type(error).__name__)
        return None


async def _while_held(
    name: str, holder: str, doing: "asyncio.Future[None]", stopping: asyncio.Event
) -> None:
    """Return when the work has ended, the lease is lost, or it is time to stop."""
    stop: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    ends: set[asyncio.Future[Any]] = {doing, stop}
    try:
        while not stopping.is_set():
            await asyncio.wait(ends, timeout=RENEW_S, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                doing.result()
                return
            if await _take(name, holder) is None:
                return
    finally:
        stop.cancel()
