"""WebSockets of the orders app: one order, all orders, chosen topics."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from fairlane.core import feed
from fairlane.core.consumers import FeedConsumer, status_frame
from fairlane.core.errors import FieldError, Problem, invalid, not_found
from fairlane.core.feed import EVERYTHING, EventData, get_feed
from fairlane.core.principals import AllWallets, Principal
from fairlane.core.threads import in_thread
from orders import representation, selectors
from orders.models import Order
from orders.states import ORDER

# Open orders that the snapshot of a feed shows; older ones are listed over REST.
SNAPSHOT_ORDERS = 50
MAX_TOPICS = 100

Frames = AsyncIterator[Mapping[str, Any]]
Events = AsyncIterator[EventData]


class OrderConsumer(FeedConsumer):
    """One order: its snapshot and history, then every step, until it ends."""

    async def frames(self) -> Frames:
        self.principal.require("orders:read")
        try:
            order_id = UUID(self.scope["url_route"]["kwargs"]["order_id"])
        except ValueError:
            raise not_found("There is no such order") from None
        events = await get_feed()
        with events.subscribe([str(order_id)]) as subscription:
            since = self.since() or 0
            snapshot = await in_thread(selectors.detail)(order_id, self.principal, since=since)
            history = snapshot.pop("history")
            seq = history[-1]["seq"] if history else min(since, snapshot["seq"])
            yield {
                "type": "snapshot",
                "orderId": str(order_id),
                "seq": seq,
                "order": snapshot,
                "history": history,
            }
            status = snapshot["status"]
            # The history is a page, and read before the order: there may be more of it.
            async for event in self._stored(order_id, seq, snapshot["seq"]):
                seq, status = event["seq"], event["status"]
                yield status_frame(event)
            while status not in ORDER.terminal:
                announced = await anext(subscription)
                async for event in self._missing(order_id, seq, announced):
                    seq, status = event["seq"], event["status"]
                    yield status_frame(event)

    async def _missing(self, order_id: UUID, seq: int, event: EventData) -> Events:
        """What to send when ``event`` arrives after ``seq``: nothing twice, nothing left out."""
        if event["seq"] == seq + 1:
            yield event
            return
        async for stored in self._stored(order_id, seq, event["seq"]):
            yield stored

    async def _stored(self, order_id: UUID, seq: int, until: int) -> Events:
        """The order's events after ``seq``, at least as far as ``until``."""
        while seq < until:
            rows = await in_thread(selectors.history)(order_id, seq)
            if not rows:
                return
            for row in rows:
                yield feed.as_data(row)
            seq = rows[-1].seq


class FeedOfOrders(FeedConsumer):
    """All orders the caller may see, from now on or from the position ``since``."""

    async def frames(self) -> Frames:
        self.principal.require("orders:read")
        wallets = _wallets(self.principal)
        topics = [EVERYTHING] if wallets is None else wallets
        async for frame in self.follow(topics, wallets):
            yield frame

    async def follow(self, topics: list[str], wallets: list[str] | None) -> Frames:
        """The snapshot (or what happened after ``since``) and then the events of ``topics``."""
        events = await get_feed()
        with events.subscribe(topics) as subscription:
            since = self.since()
            if since is None:
                orders = await in_thread(_open)(self.principal)
                yield {"type": "snapshot", "position": subscription.position, "orders": orders}
            else:
                yield {"type": "resumed", "position": since}
                async for frame in self._replay(since, subscription.position, topics, wallets):
                    yield frame
            async for event in subscription:
                # The client may have been ahead of this process.
                seen = since is not None and event["position"] <= since
                if (
                    not seen
                    and event["kind"] == Order.EVENT_KIND
                    and _may_see(self.principal, event)
                ):
                    yield status_frame(event)

    async def _replay(
        self, since: int, until: int, topics: list[str], wallets: list[str] | None
    ) -> Frames:
        while since < until:
            page = await feed.events_between(since, until, wallets=wallets, kind=Order.EVENT_KIND)
            for event in page:
                since = event["position"]
                if EVERYTHING in topics or {event["object_id"], event["wallet"]} & set(topics):
                    yield status_frame(event)
            if len(page) < feed.PAGE:
                return


class TopicsConsumer(FeedOfOrders):
    """Chosen topics: ``?topics=orders``, ``wallet:ADDRESS``, ``order:ID``, comma-separated."""

    async def frames(self) -> Frames:
        self.principal.require("orders:read")
        names = [name for name in (self.query("topics") or "").split(",") if name]
        if not names or len(names) > MAX_TOPICS:
            raise _bad_topics(f"Name 1 to {MAX_TOPICS} topics")
        wallets = _wallets(self.principal)
        topics: list[str] = []
        for name in names:
            topics += _topic(name, self.principal, wallets)
        async for frame in self.follow(sorted(set(topics)), wallets):
            yield frame


def _topic(name: str, principal: Principal, wallets: list[str] | None) -> list[str]:
    kind, _, value = name.partition(":")
    if name == "orders":
        return [EVERYTHING] if wallets is None else wallets
    if kind == "wallet" and value:
        principal.require_wallet(value)
        return [value]
    if kind == "order":
        try:
            return [str(UUID(value))]
        except ValueError:
            pass
    raise _bad_topics("A topic is orders, wallet:ADDRESS or order:ID")


def _bad_topics(title: str) -> Problem:
    return invalid(FieldError("topics", "invalid", title), title=title)


def _wallets(principal: Principal) -> list[str] | None:
    return None if isinstance(principal.wallets, AllWallets) else sorted(principal.wallets)


def _may_see(principal: Principal, event: EventData) -> bool:
    return principal.may_act_for(event["wallet"])


def _open(principal: Principal) -> list[dict[str, Any]]:
    orders = selectors.open_orders(principal, SNAPSHOT_ORDERS)
    return [representation.summary(order) for order in orders]
