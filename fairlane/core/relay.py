"""The relay: gives committed events their position and announces them to the web processes.

A transaction's events become visible when it commits, in any order of ids; so positions are given
afterwards, under the lock of one row, and are dense. They are committed before they are announced:
an announcement that gets lost shows as a gap, and whoever sees it reads the rows. Any number of
relays may run; they take turns.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import psycopg
import structlog
from channels.layers import get_channel_layer
from psycopg.rows import dict_row

from fairlane.core import checkpoints
from fairlane.core.models import Event, RelayCursor

logger = structlog.get_logger(__name__)

GROUP = "events"
# The statement trigger on the events table notifies this channel.
NOTIFY_CHANNEL = "fairlane_events"
# One announcement: large enough that its cost per event vanishes, small enough (about 0.5 MB)
# that a web process is never held up for more than a few milliseconds.
BATCH = 1_000
# Without a notification the relay still looks this often, and tells the position it has reached,
# so that a web process that missed the last announcement of a burst learns of it.
HEARTBEAT_SECONDS = 0.5
# Redis that takes longer is away, and positions must be given all the same.
ANNOUNCE_SECONDS = 1.0
# The database or Redis is away: try again at this pace.
RETRY_SECONDS = 0.5

_EVENTS = Event._meta.db_table
_CURSOR = RelayCursor._meta.db_table

_POSITION = f"SELECT position FROM {_CURSOR} WHERE id = 1 FOR UPDATE"
_PUBLISH = f"""
    WITH unpublished AS (
        SELECT id, row_number() OVER (ORDER BY id) AS nth
        FROM (SELECT id FROM {_EVENTS} WHERE position IS NULL ORDER BY id LIMIT %s) AS oldest
    ), published AS (
        UPDATE {_EVENTS} AS e SET position = %s + u.nth
        FROM unpublished AS u WHERE e.id = u.id
        RETURNING e.position, e.kind, e.object_id, e.seq, e.status, e.wallet, e.created_at, e.data
    ), moved AS (
        UPDATE {_CURSOR} SET position = position + (SELECT count(*) FROM published) WHERE id = 1
    )
    SELECT * FROM published ORDER BY position
"""


def encode(position: int, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The announcement of consecutive events, the last of which has ``position``."""
    return {"type": "events", "position": position, "events": orjson.dumps(events)}


class Relay:
    """One relay process.

    Args:
        connection: psycopg connection parameters of the database.
    """

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self._parameters = dict(connection)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let the relay end after the batch it has in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Relay until ``stop``; connections that break are opened again."""
        while not self._stopping.is_set():
            try:
                async with await psycopg.AsyncConnection.connect(
                    **self._parameters, autocommit=True, row_factory=dict_row
                ) as connection:
                    # As Django's own connections do: times read the same, stored or announced.
                    await connection.execute("SET TIME ZONE 'UTC'")
                    await connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
                    await self._follow(connection)
            except (psycopg.Error, OSError) as error:
                logger.warning("relay.database_lost", error=type(error).__name__)
                await self._pause(RETRY_SECONDS)

    async def _follow(self, connection: psycopg.AsyncConnection[dict[str, Any]]) -> None:
        while not self._stopping.is_set():
            position, events = await self.publish(connection)
            checkpoints.reach("relay.committed")
            await self._announce(position, events)
            checkpoints.reach("relay.announced")
            if len(events) < BATCH:
                await self._wait(connection)

    async def publish(
        self, connection: psycopg.AsyncConnection[dict[str, Any]]
    ) -> tuple[int, list[dict[str, Any]]]:
        """Give positions to the oldest unpublished events; returns the last one and the events."""
        async with connection.transaction():
            row = await (await connection.execute(_POSITION)).fetchone()
            last = int(row["position"]) if row else 0
            events = await (await connection.execute(_PUBLISH, [BATCH, last])).fetchall()
            checkpoints.reach("relay.before_commit")
        return last + len(events), events

    async def _announce(self, position: int, events: list[dict[str, Any]]) -> None:
        layer = get_channel_layer()
        assert layer is not None
        try:
            async with asyncio.timeout(ANNOUNCE_SECONDS):
                await layer.group_send(GROUP, encode(position, events))
        except Exception as error:  # any Redis or socket error: the rows are safe, readers catch up
            logger.warning("relay.announcement_lost", error=type(error).__name__, position=position)

    async def _wait(self, connection: psycopg.AsyncConnection[dict[str, Any]]) -> None:
        async for _ in connection.notifies(timeout=HEARTBEAT_SECONDS, stop_after=1):
            pass

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
