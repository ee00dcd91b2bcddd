"""The relay and feeds in a test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection, connections
from psycopg.rows import dict_row

from fairlane.core import feed, redis_clients
from fairlane.core.relay import Relay


def parameters() -> dict[str, Any]:
    """psycopg's parameters of the test's database."""
    found = connection.get_connection_params()
    return {k: v for k, v in found.items() if k not in ("pool", "cursor_factory", "context")}


@asynccontextmanager
async def relaying(**options: str) -> AsyncIterator[Relay]:
    """A relay that announces what is committed; ``options`` go to its connection."""
    relay = Relay(parameters() | options)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        # A cancellation that meets a query may be lost with it.
        relay.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def plain_connection() -> AsyncIterator[psycopg.AsyncConnection[dict[str, Any]]]:
    async with await psycopg.AsyncConnection.connect(
        **parameters(), autocommit=True, row_factory=dict_row
    ) as found:
        yield found


async def close_streams() -> None:
    """End what this event loop's feed and channel layer, and the ORM's thread, hold."""
    loop = asyncio.get_running_loop()
    found = feed._feeds.pop(loop, None)
    if found is not None:
        await found.stop()
        if found._follower:
            await asyncio.gather(found._follower, return_exceptions=True)
    layer: Any = get_channel_layer()
    own = layer._layers.pop(loop, None)
    if own is not None:
        for shard in own._shards:
            await shard.flush()
    await redis_clients.aclose()
    await sync_to_async(connections.close_all)()
