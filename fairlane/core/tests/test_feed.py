import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async

from fairlane.core import feed as feeds
from fairlane.core.feed import EVERYTHING, Feed, GoingAway, Subscription, TooSlow, get_feed
from fairlane.core.models import RelayCursor
from fairlane.core.tests.streaming import close_streams, relaying
from orders.tests.factories import TRADERS, EventFactory

pytestmark = pytest.mark.django_db(transaction=True)

ONE, TWO = "0192f0c1-0000-7000-8000-000000000001", "0192f0c1-0000-7000-8000-000000000002"


@pytest.fixture(autouse=True)
async def cursor(transactional_db: None) -> AsyncIterator[None]:
    await RelayCursor.objects.aget_or_create(id=1)
    yield
    await close_streams()


@pytest.fixture
def feed() -> Feed:
    """A feed that knows position 0 and listens to nothing."""
    feed = Feed()
    feed.position = 0
    return feed


def announced(position: int, **changes: Any) -> dict[str, Any]:
    return {
        "position": position,
        "kind": "order",
        "object_id": ONE,
        "seq": position,
        "status": "PENDING",
        "wallet": TRADERS[0],
        "created_at": "2026-01-01T00:00:00+00:00",
        "data": {},
    } | changes


async def stored(count: int) -> None:
    """Published events 1 to ``count``."""
    for position in range(1, count + 1):
        await database_sync_to_async(EventFactory.create)(position=position)
    await RelayCursor.objects.aupdate(position=count)


async def got(subscription: Subscription, count: int) -> list[int]:
    async with asyncio.timeout(10):
        return [(await anext(subscription))["position"] for _ in range(count)]


def is_empty(subscription: Subscription) -> bool:
    return not subscription._events


async def test_announced_events_are_delivered_in_order(feed: Feed) -> None:
    with feed.subscribe([EVERYTHING]) as subscription:
        await feed._take(2, [announced(1), announced(2)])
        await feed._take(3, [announced(3)])
        assert await got(subscription, 3) == [1, 2, 3]


async def test_doubles_and_stragglers_are_dropped(feed: Feed) -> None:
    with feed.subscribe([EVERYTHING]) as subscription:
        await feed._take(2, [announced(1), announced(2)])
        await feed._take(2, [announced(1), announced(2)])
        await feed._take(3, [announced(2), announced(3)])
        await feed._take(1, [announced(1)])
        assert await got(subscription, 3) == [1, 2, 3]
        assert is_empty(subscription)


async def test_a_gap_is_read_from_the_table(feed: Feed) -> None:
    await stored(4)
    with feed.subscribe([EVERYTHING]) as subscription:
        await feed._take(1, [announced(1)])
        await feed._take(5, [announced(5)])
        assert await got(subscription, 5) == [1, 2, 3, 4, 5]
        assert is_empty(subscription)


async def test_an_announcement_of_nothing_tells_of_what_was_missed(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 2)
    await stored(5)
    with feed.subscribe([EVERYTHING]) as subscription:
        await feed._take(5, [])
        assert await got(subscription, 5) == [1, 2, 3, 4, 5]
    assert feed.position == 5


async def test_a_subscriber_gets_its_topics_once_each(feed: Feed) -> None:
    with feed.subscribe([ONE, TRADERS[0]]) as both, feed.subscribe([TWO]) as other:
        await feed._take(1, [announced(1)])
        await feed._take(2, [announced(2, object_id=TWO, wallet=TRADERS[1])])
        await feed._take(3, [announced(3, object_id=TWO)])
        assert await got(both, 2) == [1, 3]
        assert await got(other, 2) == [2, 3]
        assert is_empty(both) and is_empty(other)
    assert not feed._subscriptions


async def test_a_subscription_knows_where_it_begins(feed: Feed) -> None:
    await feed._take(3, [announced(n) for n in (1, 2, 3)])
    with feed.subscribe([EVERYTHING]) as subscription:
        assert subscription.position == 3
        await feed._take(4, [announced(4)])
        assert await got(subscription, 1) == [4]


async def test_a_subscriber_that_lags_too_far_is_cut_off(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MAX_LAG", 3)
    with feed.subscribe([EVERYTHING]) as slow, feed.subscribe([EVERYTHING]) as quick:
        await feed._take(3, [announced(n) for n in (1, 2, 3)])
        assert await got(quick, 3) == [1, 2, 3]
        await feed._take(4, [announced(4)])
        assert await got(quick, 1) == [4]
        with pytest.raises(TooSlow):
            await anext(slow)


async def test_at_the_end_every_subscriber_is_told_and_waited_for(feed: Feed) -> None:
    left: list[str] = []

    async def read() -> None:
        with feed.subscribe([EVERYTHING]) as subscription:
            with pytest.raises(GoingAway):
                await anext(subscription)
            left.append("left")

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    await feed.stop()
    assert left == ["left"]
    await reading
    with feed.subscribe([EVERYTHING]) as late, pytest.raises(GoingAway):
        await anext(late)


async def test_a_subscriber_that_does_not_leave_is_not_waited_for_for_ever(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "GOODBYE_SECONDS", 0.01)
    with feed.subscribe([EVERYTHING]):
        await asyncio.wait_for(feed.stop(), 5)


async def test_a_commit_reaches_the_feed_through_relay_and_redis() -> None:
    async with relaying():
        feed = await get_feed()
        assert await get_feed() is feed
        with feed.subscribe([TRADERS[0]]) as subscription:
            event = await database_sync_to_async(EventFactory.create)(data={"n": 1})
            found = await asyncio.wait_for(anext(subscription), 10)
    assert found == feeds.as_data(await type(event).objects.aget(pk=event.pk))


async def test_without_announcements_the_table_is_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "SILENCE_SECONDS", 0.02)
    feed = await get_feed()
    with feed.subscribe([EVERYTHING]) as subscription:
        await stored(2)
        assert await got(subscription, 2) == [1, 2]


async def test_without_redis_the_feed_goes_on_from_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Away:
        async def new_channel(self) -> str:
            raise ConnectionError("Redis is away")

    monkeypatch.setattr(feeds, "SILENCE_SECONDS", 0.02)
    monkeypatch.setattr(feeds, "get_channel_layer", Away)
    feed = await get_feed()
    with feed.subscribe([EVERYTHING]) as subscription:
        await stored(2)
        assert await got(subscription, 2) == [1, 2]


async def test_stored_events_are_read_by_position_wallet_and_kind() -> None:
    await stored(3)
    await database_sync_to_async(EventFactory.create)(position=4, wallet=TRADERS[1])
    await database_sync_to_async(EventFactory.create)(position=5, kind="batch")

    async def read(*between: int, **only: Any) -> list[int]:
        return [event["position"] for event in await feeds.events_between(*between, **only)]

    assert await read(1, 4) == [2, 3, 4]
    assert await read(0, 9, wallets=[TRADERS[1]]) == [4]
    assert await read(0, 9, wallets=[]) == []
    assert await read(2, 9, kind="order") == [3, 4]


async def test_a_replay_reads_page_by_page_and_window_by_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 2)
    monkeypatch.setattr(feeds, "WINDOW", 4)
    await stored(10)
    await database_sync_to_async(EventFactory.create)(position=11, wallet=TRADERS[1])
    asked: list[tuple[int, int]] = []
    between = feeds.events_between

    def noting(after: int, until: int, **only: Any) -> Any:
        asked.append((after, until))
        return between(after, until, **only)

    monkeypatch.setattr(feeds, "events_between", noting)
    assert [event["position"] async for event in feeds.replay(1, 9)] == list(range(2, 10))
    assert asked == [(1, 5), (3, 7), (5, 9), (7, 9)]
    asked.clear()
    mine = [event["position"] async for event in feeds.replay(0, 11, wallets=[TRADERS[1]])]
    assert (mine, asked) == ([11], [(0, 4), (4, 8), (8, 11)])
