import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from pytest_django import Settings

from fairlane.core import relay as relays
from fairlane.core.models import Event, RelayCursor
from fairlane.core.relay import GROUP, Relay
from fairlane.core.tests.streaming import close_streams, parameters, plain_connection, relaying
from orders.tests.factories import EventFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def cursor(transactional_db: None) -> AsyncIterator[None]:
    await RelayCursor.objects.aget_or_create(id=1)
    yield
    await close_streams()


def positions() -> list[int | None]:
    return list(Event.objects.order_by("id").values_list("position", flat=True))


async def publish_everything(relay: Relay) -> list[int]:
    found: list[int] = []
    async with plain_connection() as connection:
        while True:
            _, events = await relay.publish(connection)
            found += [event["position"] for event in events]
            if not events:
                return found


async def test_positions_are_dense_and_go_on_where_they_ended() -> None:
    relay = Relay(parameters())
    await database_sync_to_async(EventFactory.create_batch)(3)
    assert await publish_everything(relay) == [1, 2, 3]
    await database_sync_to_async(EventFactory.create_batch)(2)
    assert await publish_everything(relay) == [4, 5]
    assert await database_sync_to_async(positions)() == [1, 2, 3, 4, 5]
    assert await publish_everything(relay) == []
    assert await RelayCursor.objects.values_list("position", flat=True).aget() == 5


async def test_an_event_that_commits_late_gets_its_position_late() -> None:
    """Ids are given at insert: a smaller one may become visible after a greater one."""
    insert = (
        "INSERT INTO core_event (kind, object_id, seq, status, wallet, data)"
        " VALUES ('order', gen_random_uuid(), 1, 'PENDING', 'w', '{}')"
    )
    relay = Relay(parameters())
    async with plain_connection() as slow, slow.transaction():
        await slow.execute(insert)
        await database_sync_to_async(EventFactory.create)()
        assert await publish_everything(relay) == [1]
    assert await publish_everything(relay) == [2]
    assert await database_sync_to_async(positions)() == [2, 1]


async def test_two_relays_and_many_writers_leave_no_hole_and_no_double(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relays, "BATCH", 7)
    write = database_sync_to_async(lambda: EventFactory.create_batch(10), thread_sensitive=False)
    announced: list[list[int]] = await asyncio.gather(
        *(publish_everything(Relay(parameters())) for _ in range(2)),
        *(_nothing(write()) for _ in range(4)),
    )
    rest = await publish_everything(Relay(parameters()))
    found = sorted(position for part in announced for position in part) + rest
    assert found == list(range(1, 41))
    stored = await database_sync_to_async(positions)()
    assert sorted(position or 0 for position in stored) == list(range(1, 41))


async def _nothing(work: Any) -> list[int]:
    await work
    return []


async def test_what_is_committed_is_announced_with_its_position() -> None:
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(GROUP, channel)
    async with relaying():
        event = await database_sync_to_async(EventFactory.create)(data={"a": "b"})
        while True:
            message = await asyncio.wait_for(layer.receive(channel), 10)
            events = orjson.loads(message["events"])
            if events:
                break
    assert message["position"] == 1
    assert events == [
        {
            "position": 1,
            "kind": "order",
            "object_id": str(event.object_id),
            "seq": 1,
            "status": "PENDING",
            "wallet": event.wallet,
            "created_at": event.created_at.isoformat(),
            "data": {"a": "b"},
        }
    ]


async def test_a_silent_relay_tells_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "HEARTBEAT_SECONDS", 0.01)
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(GROUP, channel)
    async with relaying():
        for _ in range(2):
            message = await asyncio.wait_for(layer.receive(channel), 10)
            assert (message["position"], orjson.loads(message["events"])) == (0, [])


async def test_a_lost_announcement_stops_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        async def group_send(self, group: str, message: object) -> None:
            raise ConnectionError("Redis is away")

    monkeypatch.setattr(relays, "get_channel_layer", Away)
    await database_sync_to_async(EventFactory.create_batch)(2)
    async with relaying():
        async with asyncio.timeout(10):
            while None in await database_sync_to_async(positions)():
                await asyncio.sleep(0.01)
    assert await database_sync_to_async(positions)() == [1, 2]


async def test_a_relay_outlives_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "RETRY_SECONDS", 0.01)
    kill = (
        "SELECT count(pg_terminate_backend(pid)) AS killed FROM pg_stat_activity"
        " WHERE application_name = 'doomed relay'"
    )
    async with (
        relaying(application_name="doomed relay"),
        plain_connection() as connection,
        asyncio.timeout(20),
    ):
        while (await (await connection.execute(kill)).fetchone()) == {"killed": 0}:
            await asyncio.sleep(0.01)
        await database_sync_to_async(EventFactory.create)()
        while None in await database_sync_to_async(positions)():
            await asyncio.sleep(0.01)


async def test_a_relay_ends_when_it_is_told_to() -> None:
    relay = Relay(parameters())
    task = asyncio.create_task(relay.run())
    relay.stop()
    await asyncio.wait_for(task, 10)
