"""The lifespan of a web process: the feed follows from the start, and pools close at the end."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections

from fairlane.core.feed import get_feed, stop_feed

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
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await stop_feed()
            await sync_to_async(_close_pools)()
            await send({"type": "lifespan.shutdown.complete"})
            return


def _close_pools() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
