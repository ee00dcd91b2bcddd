"""WebSockets of the orders app: one order, all orders, chosen topics."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fairlane.core.errors import FieldError, Problem, invalid, not_found
from fairlane.core.feed import EVERYTHING
from fairlane.core.object_consumers import (
    Frames,
    ObjectConsumer,
    ObjectsConsumer,
    wallets_of,
)
from fairlane.core.principals import Principal
from orders import representation, selectors
from orders.models import Order
from orders.states import ORDER

MAX_TOPICS = 100


class OrderConsumer(ObjectConsumer):
    """One order: its snapshot and history, then every step, until it ends."""

    needed = "orders:read"
    name = "order"
    ended = ORDER.terminal

    async def find(self) -> UUID:
        try:
            return UUID(self.scope["url_route"]["kwargs"]["order_id"])
        except ValueError:
            raise not_found("There is no such order") from None

    def detail(self, object_id: UUID, since: int) -> dict[str, Any]:
        return selectors.detail(object_id, self.principal, since=since)

    def identity(self, object_id: UUID, shown: Mapping[str, Any]) -> dict[str, Any]:
        return {"orderId": str(object_id)}


class FeedOfOrders(ObjectsConsumer):
    """All orders the caller may see, from now on or from the position ``since``."""

    needed = "orders:read"
    kind = Order.EVENT_KIND
    name = "orders"

    def open_objects(self, limit: int) -> Sequence[Mapping[str, Any]]:
        found = selectors.open_orders(self.principal, limit)
        return [representation.summary(order) for order in found]


class TopicsConsumer(FeedOfOrders):
    """Chosen topics: ``?topics=orders``, ``wallet:ADDRESS``, ``order:ID``, comma-separated."""

    async def frames(self) -> Frames:
        names = [name for name in (self.query("topics") or "").split(",") if name]
        if not names or len(names) > MAX_TOPICS:
            raise _bad_topics(f"Name 1 to {MAX_TOPICS} topics")
        wallets = wallets_of(self.principal)
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
