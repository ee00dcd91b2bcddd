"""The two sockets that every app has: one object until it ends, and all that the caller may see."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from fairlane.core import feed, history
from fairlane.core.consumers import FeedConsumer, status_frame
from fairlane.core.feed import EVERYTHING, EventData, get_feed
from fairlane.core.principals import AllWallets, Principal
from fairlane.core.threads import in_thread

# Open objects that the snapshot of a feed shows; older ones are listed over REST.
SNAPSHOT_OBJECTS = 50

Frames = AsyncIterator[Mapping[str, Any]]
Events = AsyncIterator[EventData]


class ObjectConsumer(FeedConsumer):
    """One object: its snapshot and history, then every step, until it ends.

    Attributes:
        name: what the snapshot's frame calls the object.
        ended: the statuses after which nothing comes.
    """

    name: ClassVar[str]
    ended: ClassVar[Collection[str]]

    async def find(self) -> UUID:
        """The object that the path names.

        Raises:
            Problem: 404, there is none, or the caller may not see it.
        """
        raise NotImplementedError

    def detail(self, object_id: UUID, since: int) -> dict[str, Any]:
        """The object as the API shows it, its history from after ``since``, read in a thread.

        The history is read before the object.
        """
        raise NotImplementedError

    def identity(self, object_id: UUID, shown: Mapping[str, Any]) -> dict[str, Any]:
        """What names the object in the snapshot's frame."""
        raise NotImplementedError

    def step(self, event: EventData) -> dict[str, Any]:
        """The frame of one event."""
        return status_frame(event)

    async def frames(self) -> Frames:
        object_id = await self.find()
        events = await get_feed()
        with events.subscribe([str(object_id)]) as subscription:
            since = self.since() or 0
            shown = await in_thread(self.detail)(object_id, since)
            entries = shown.pop("history")
            seq = entries[-1]["seq"] if entries else min(since, shown["seq"])
            yield {
                "type": "snapshot",
                **self.identity(object_id, shown),
                "seq": seq,
                self.name: shown,
                "history": entries,
            }
            status = shown["status"]
            # The history is a page, and read before the object: there may be more of it.
            async for event in self._stored(object_id, seq, shown["seq"]):
                seq, status = event["seq"], event["status"]
                yield self.step(event)
            while status not in self.ended:
                announced = await anext(subscription)
                async for event in self._missing(object_id, seq, announced):
                    seq, status = event["seq"], event["status"]
                    yield self.step(event)

    async def _missing(self, object_id: UUID, seq: int, event: EventData) -> Events:
        """What to send when ``event`` arrives after ``seq``: nothing twice, nothing left out."""
        if event["seq"] == seq + 1:
            yield event
            return
        async for stored in self._stored(object_id, seq, event["seq"]):
            yield stored

    async def _stored(self, object_id: UUID, seq: int, until: int) -> Events:
        """The object's events after ``seq``, at least as far as ``until``."""
        while seq < until:
            rows = await in_thread(history.of)(object_id, seq)
            if not rows:
                return
            for row in rows:
                yield feed.as_data(row)
            seq = rows[-1].seq


class ObjectsConsumer(FeedConsumer):
    """All objects of a kind that the caller may see, from now on or from the position ``since``.

    Attributes:
        kind: of the events.
        name: what the snapshot's frame calls the objects.
    """

    kind: ClassVar[str]
    name: ClassVar[str]

    def open_objects(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """The newest objects that have not ended, read in a thread."""
        raise NotImplementedError

    async def step(self, event: EventData) -> Mapping[str, Any]:
        """The frame of one event."""
        return status_frame(event)

    async def frames(self) -> Frames:
        wallets = wallets_of(self.principal)
        async for frame in self.follow([EVERYTHING] if wallets is None else wallets, wallets):
            yield frame

    async def follow(self, topics: list[str], wallets: list[str] | None) -> Frames:
        """The snapshot (or what happened after ``since``) and then the events of ``topics``."""
        events = await get_feed()
        with events.subscribe(topics) as subscription:
            since = await self.resumes_at(subscription.position)
            if since is None:
                found = await in_thread(self.open_objects)(SNAPSHOT_OBJECTS)
                yield {"type": "snapshot", "position": subscription.position, self.name: found}
            else:
                yield {"type": "resumed", "position": since}
                async for frame in self._replay(since, subscription.position, topics, wallets):
                    yield frame
            async for event in subscription:
                # The client may have been ahead of this process.
                seen = since is not None and event["position"] <= since
                mine = event["kind"] == self.kind and self.principal.may_act_for(event["wallet"])
                if mine and not seen:
                    yield await self.step(event)

    async def _replay(
        self, since: int, until: int, topics: list[str], wallets: list[str] | None
    ) -> Frames:
        async for event in feed.replay(since, until, wallets=wallets, kind=self.kind):
            if EVERYTHING in topics or {event["object_id"], event["wallet"]} & set(topics):
                yield await self.step(event)


def wallets_of(principal: Principal) -> list[str] | None:
    """The wallets whose objects a caller may see; None is all."""
    return None if isinstance(principal.wallets, AllWallets) else sorted(principal.wallets)
