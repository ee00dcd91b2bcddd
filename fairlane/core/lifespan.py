"""The lifespan of a web process: the feed from the start, goodbyes and closed pools at the end."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType
from typing import Any

from django.db import connections

from fairlane.core import garbage, redis_clients
from fairlane.core.feed import get_feed, stop_feed
from fairlane.core.threads import in_thread

Message = MutableMapping[str, Any]


async def lifespan(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """ASGI lifespan protocol."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await get_feed()
            _say_goodbye_first()
            garbage.settle()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await stop_feed()
            await redis_clients.aclose()
            await in_thread(_close_pools)()
            await send({"type": "lifespan.shutdown.complete"})
            return


def _say_goodbye_first() -> None:
    """Close the sockets with 1001 before the server hears of a signal to stop.

    The server itself would break them off (1012) at once.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        server = signal.getsignal(number)
        if callable(server):
            signal.signal(number, _after_goodbye(loop, server))


def _after_goodbye(
    loop: asyncio.AbstractEventLoop, server: Callable[[int, FrameType | None], Any]
) -> Callable[[int, FrameType | None], None]:
    async def leave(number: int) -> None:
        try:
            await stop_feed()
        finally:
            server(number, None)

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(lambda: tasks.add(loop.create_task(leave(number))))

    tasks: set[asyncio.Task[None]] = set()
    return on_signal


def _close_pools() -> None:
    # Threads have connections of their own, but share the pool.
    for connection in connections.all():
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
