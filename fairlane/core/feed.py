"""The feed: every event once and in order, to whoever in this process listens.

One subscription to the relay's announcements per process; the sockets of the process hang on it
in memory. The feed knows the last position it has delivered, so an announcement that was lost,
doubled or reordered costs a query at worst.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import structlog
from channels.layers import get_channel_layer

from fairlane.core import relay
from fairlane.core.models import Event, RelayCursor
from fairlane.core.threads import in_thread

logger = structlog.get_logger(__name__)

EventData = Mapping[str, Any]

# Rows read at once when positions are missing.
PAGE = 1_000
# Positions looked through by one query of a replay, however few of their events are wanted.
WINDOW = 10_000
# Announcements or heartbeats that stay away longer than this: look into the table instead.
SILENCE_SECONDS = 2.0
# Events a socket may lag behind before it is cut off (it resumes from where it was).
MAX_LAG = 20_000

# Time that sockets get to send what they hold and close.
GOODBYE_SECONDS = 3.0

EVERYTHING = "*"


class TooSlow(Exception):
    """The subscriber reads more slowly than events happen."""


class GoingAway(Exception):
    """The process is about to stop."""


class Subscription:
    """A buffer of the events of some topics, filled from the moment it was made.

    Attributes:
        position: the feed's position when the subscription began: it yields what comes after.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self._events: deque[EventData] = deque()
        self._failure: Exception | None = None
        self._wake = asyncio.Event()

    def put(self, event: EventData) -> None:
        if len(self._events) >= MAX_LAG:
            self.fail(TooSlow())
            return
        self._events.append(event)
        self._wake.set()

    def fail(self, failure: Exception) -> None:
        """Let the reader end with ``failure`` instead of the next event."""
        self._failure = failure
        self._wake.set()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> EventData:
        while self._failure is None:
            if self._events:
                return self._events.popleft()
            self._wake.clear()
            await self._wake.wait()
        raise self._failure


class Feed:
    """The process's view of the events, shared by its sockets."""

    def __init__(self) -> None:
        self.position: int | None = None
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)
        self._follower: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def start(self) -> None:
        """Begin to follow, if this has not begun; returns when the position is known."""
        async with self._starting:
            if self._follower is None or self._follower.done():
                self.position = await _current_position()
                self._follower = asyncio.create_task(self._follow(), name="feed")

    async def stop(self) -> None:
        """Tell every subscriber that the process goes away, and wait for them to leave."""
        self._closed = True
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.fail(GoingAway())
        deadline = time.monotonic() + GOODBYE_SECONDS
        while self._subscriptions and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        if self._follower:
            self._follower.cancel()

    @contextmanager
    def subscribe(self, topics: Collection[str]) -> Iterator[Subscription]:
        """Buffer the events of ``topics``: an object's id, a wallet, or ``EVERYTHING``."""
        assert self.position is not None, "start the feed first"
        subscription = Subscription(self.position)
        if self._closed:
            subscription.fail(GoingAway())
        for topic in topics:
            self._subscriptions[topic].add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                self._subscriptions[topic].discard(subscription)
                if not self._subscriptions[topic]:
                    del self._subscriptions[topic]

    async def _follow(self) -> None:
        """Take announcements as they come; when they stay away, look into the table."""
        # Asked each time, because a cancellation that meets a query is lost in its thread.
        while not self._closed:
            try:
                await self._listen(get_channel_layer())
            except Exception as error:
                # Redis or the database is away: the feed must outlive it and go on from its rows.
                logger.warning("feed.interrupted", error=type(error).__name__)
                await asyncio.sleep(SILENCE_SECONDS)
                await self._look()

    async def _listen(self, layer: Any) -> None:
        channel = await layer.new_channel()
        await layer.group_add(relay.GROUP, channel)
        await self._look()
        # Cancelling a receive would end the subscription, so one stays open across silences.
        receiving = asyncio.ensure_future(layer.receive(channel))
        try:
            while not self._closed:
                await asyncio.wait({receiving}, timeout=SILENCE_SECONDS)
                if not receiving.done():
                    await self._look()
                    continue
                message = receiving.result()
                receiving = asyncio.ensure_future(layer.receive(channel))
                await self._take(message["position"], orjson.loads(message["events"]))
        finally:
            receiving.cancel()

    async def _look(self) -> None:
        try:
            await self._catch_up(await _current_position())
        except Exception as error:
            logger.warning("feed.database_lost", error=type(error).__name__)

    async def _take(self, position: int, events: list[EventData]) -> None:
        assert self.position is not None
        first = position - len(events) + 1
        if first > self.position + 1:
            await self._catch_up(first - 1)
        for event in events:
            self._deliver(event)

    async def _catch_up(self, until: int) -> None:
        """Deliver the events up to position ``until`` from the table."""
        assert self.position is not None
        while self.position < until:
            page = await events_between(self.position, until)
            if not page:
                return
            for event in page:
                self._deliver(event)

    def _deliver(self, event: EventData) -> None:
        assert self.position is not None
        if event["position"] <= self.position:
            return
        self.position = event["position"]
        receivers: set[Subscription] = set()
        for topic in (event["object_id"], event["wallet"], EVERYTHING):
            receivers |= self._subscriptions.get(topic, set())
        for subscription in receivers:
            subscription.put(event)


@in_thread
def _current_position() -> int:
    return RelayCursor.objects.values_list("position", flat=True).get()


@in_thread
def events_between(
    after: int, until: int, *, wallets: Collection[str] | None = None, kind: str | None = None
) -> list[EventData]:
    """Up to ``PAGE`` published events with positions in ``(after, until]``, in order."""
    rows = Event.objects.filter(position__gt=after, position__lte=until).order_by("position")
    if wallets is not None:
        rows = rows.filter(wallet__in=list(wallets))
    if kind is not None:
        rows = rows.filter(kind=kind)
    return [as_data(event) for event in rows[:PAGE]]


async def replay(
    after: int, until: int, *, wallets: Collection[str] | None = None, kind: str | None = None
) -> AsyncIterator[EventData]:
    """The published events with positions in ``(after, until]``, in order; a page is in memory."""
    while after < until:
        end = min(after + WINDOW, until)
        page = await events_between(after, end, wallets=wallets, kind=kind)
        for event in page:
            yield event
        after = page[-1]["position"] if len(page) == PAGE else end


def as_data(event: Event) -> EventData:
    """An event's row in the form in which the relay announces it."""
    return {
        "position": event.position,
        "kind": event.kind,
        "object_id": str(event.object_id),
        "seq": event.seq,
        "status": event.status,
        "wallet": event.wallet,
        "created_at": event.created_at.isoformat(),
        "data": event.data,
    }


_feeds: dict[asyncio.AbstractEventLoop, Feed] = {}


async def get_feed() -> Feed:
    """The feed of the running event loop, started."""
    loop = asyncio.get_running_loop()
    feed = _feeds.get(loop)
    if feed is None:
        feed = _feeds[loop] = Feed()
    await feed.start()
    return feed


async def stop_feed() -> None:
    """Stop the running loop's feed and close what hangs on it, if it was ever started."""
    feed = _feeds.get(asyncio.get_running_loop())
    if feed:
        await feed.stop()
