"""The WebSocket of a market: its count-down, its batches, and the caller's orders in it."""

import asyncio
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import BinaryField
from django.db.models.functions import Substr

from batches import countdown, representation, selectors
from batches.leaves import Leaves
from batches.models import Batch, BatchOrder, Market
from batches.records import LEAF_SIZE
from fairlane.core import feed
from fairlane.core.consumers import FeedConsumer
from fairlane.core.feed import EVERYTHING, EventData, Subscription, get_feed
from fairlane.core.object_consumers import Frames, wallets_of
from fairlane.core.threads import in_thread

SNAPSHOT_BATCHES = 50
SNAPSHOT_PRICES = 200
SNAPSHOT_ORDERS = 50
# Hashes that an inclusion's frame names; those of a larger batch are in its bundle.
MAX_IDS = 1_000


class MarketConsumer(FeedConsumer):
    """One market, from now on or from the position ``since``."""

    needed = "batches:read"

    async def frames(self) -> Frames:
        name: str = self.scope["url_route"]["kwargs"]["market"]
        market = await in_thread(selectors.market)(name)
        wallets = wallets_of(self.principal)
        topics = [EVERYTHING] if wallets is None else [market.address, *wallets]
        events = await get_feed()
        with events.subscribe(topics) as subscription:
            since = await self.resumes_at(subscription.position)
            if since is None:
                yield await in_thread(self._snapshot)(market, subscription.position)
            else:
                yield {"type": "resumed", "position": since}
                async for frame in self._replay(market, since, subscription.position, wallets):
                    yield frame
            async for frame in self._live(market, subscription, since):
                yield frame

    def _snapshot(self, market: Market, position: int) -> dict[str, Any]:
        orders = selectors.orders(market, self.principal, SNAPSHOT_ORDERS, which="open")
        return {
            "type": "snapshot",
            "position": position,
            "market": selectors.terms(market),
            "coming": selectors.coming(market, countdown.AHEAD),
            "batches": selectors.shown(selectors.decided(market)[:SNAPSHOT_BATCHES]),
            "prices": selectors.prices(market, SNAPSHOT_PRICES),
            "orders": [representation.order(order) for order in orders],
        }

    async def _replay(
        self, market: Market, since: int, until: int, wallets: list[str] | None
    ) -> Frames:
        seen_by = None if wallets is None else [market.address, *wallets]
        async for event in feed.replay(since, until, wallets=seen_by):
            frame = await self._frame(market, event)
            if frame is not None:
                yield frame

    async def _live(
        self, market: Market, subscription: Subscription, since: int | None
    ) -> AsyncIterator[dict[str, Any]]:
        """Events as they come, and the count-down between them."""
        loop = asyncio.get_running_loop()
        upcoming = asyncio.ensure_future(anext(subscription))
        due = loop.time()
        try:
            while True:
                await asyncio.wait({upcoming}, timeout=max(0.0, due - loop.time()))
                if loop.time() >= due:
                    due = loop.time() + countdown.EVERY_S
                    for frame in await countdown.frames(market):
                        yield frame
                if upcoming.done():
                    event = upcoming.result()
                    upcoming = asyncio.ensure_future(anext(subscription))
                    if since is None or event["position"] > since:
                        told = await self._frame(market, event)
                        if told is not None:
                            yield told
        finally:
            upcoming.cancel()

    async def _frame(self, market: Market, event: EventData) -> dict[str, Any] | None:
        """The frame of an event; None where it is none of this market, or not the caller's."""
        if event["kind"] == Batch.EVENT_KIND and event["wallet"] == market.address:
            return await _batch_frame(market, event)
        mine = event["kind"] == BatchOrder.EVENT_KIND and event["data"].get("market") == market.name
        if mine and self.principal.may_act_for(event["wallet"]):
            return {
                "type": "order",
                "id": event["object_id"],
                "wallet": event["wallet"],
                "status": event["status"],
                "data": event["data"],
                "seq": event["seq"],
                "position": event["position"],
            }
        return None


async def _batch_frame(market: Market, event: EventData) -> dict[str, Any]:
    data, status = event["data"], event["status"]
    common = {
        "market": market.name,
        "batchNo": data["batchNo"],
        "slot": data["slot"],
        "position": event["position"],
        "timestamp": event["created_at"],
    }
    match status:
        case "COMMITTED":
            ids = await in_thread(_order_hashes)(UUID(event["object_id"]))
            return {
                "type": "INCLUSION_PUBLISHED",
                **common,
                "merkleRoot": data["merkleRoot"],
                "anchorSignature": data["anchorSignature"],
                "orderIds": list(ids),
            }
        case "SETTLED":
            traded = data["clearingTick"]
            return {
                "type": "BATCH_SETTLED",
                **common,
                "clearingPx": representation.price(market, traded) if traded else None,
                "fills": data["fills"],
                "volumeLots": data["volumeLots"],
                "settlements": data["settlements"],
                "settlementCount": data["settlementCount"],
            }
        case "ROLLED" | "VOIDED":
            return {"type": "BATCH_FAILED", **common, "reason": data["reason"]}
    return {"type": "batch", **common, "status": status, "data": data}


@lru_cache(maxsize=256)
def _order_hashes(batch_id: UUID) -> tuple[str, ...]:
    """The orders of a batch, in the order of its leaves, which nothing changes any more."""
    first = Substr("leaves", 1, MAX_IDS * LEAF_SIZE, output_field=BinaryField())
    data = Batch.objects.filter(id=batch_id).values_list(first, flat=True).first()
    return tuple(name.hex() for name in Leaves(bytes(data or b"")).hashes())
