"""The socket of a market, spoken with the whole ASGI application, over a real chain."""

from collections.abc import AsyncIterator

import pytest
from channels.db import database_sync_to_async

from batches import coordinator
from batches.models import BatchOrder, Market
from batches.records import Side
from batches.tests import driving
from batches.tests.outside import OWNER_ADDRESSES, OWNERS
from fairlane.core.tests.access_fixtures import IssueKey
from fairlane.core.tests.sockets import Frame, Socket
from fairlane.core.tests.streaming import close_streams, relaying

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def streams(transactional_db: None) -> AsyncIterator[None]:
    yield
    await close_streams()


@pytest.fixture
def callers(issue_key: IssueKey) -> dict[str, dict[str, str]]:
    """Headers: of who sees every wallet, the first owner's only, and no batches at all."""
    keys = {
        "everyone": issue_key("batches:read"),
        "owner": issue_key("batches:read", wallets=[OWNER_ADDRESSES[0]]),
        "nobody": issue_key("orders:read"),
    }
    return {name: {"Authorization": f"Bearer {key}"} for name, (_, key) in keys.items()}


def trade(market: Market) -> list[BatchOrder]:
    """Two orders that meet, through to their payouts."""
    orders = [
        driving.place(market, limit=510, quantity=10),
        driving.place(market, OWNERS[1], side=Side.SELL, limit=490, quantity=10),
    ]
    driving.run_until(lambda: all(driving.read(order).status == "FILLED" for order in orders))
    driving.quiet()
    return orders


async def until_filled(socket: Socket) -> list[Frame]:
    """Frames up to the settlement of both orders' batch: one may have been in another before."""
    frames: list[Frame] = []
    while not frames or frames[-1]["type"] != "BATCH_SETTLED" or not frames[-1]["fills"]:
        frames.append(await socket.frame())
    return frames


async def test_a_market_is_followed_from_count_down_to_settlement(
    market: Market, callers: dict[str, dict[str, str]]
) -> None:
    await database_sync_to_async(coordinator.plan)()
    async with relaying(), Socket("/ws/batches/JUP-USDC", callers["everyone"]) as socket:
        snapshot = await socket.frame()
        assert snapshot["type"] == "snapshot" and snapshot["market"]["market"] == "JUP-USDC"
        assert len(snapshot["coming"]) >= 10 and snapshot["orders"] == []
        tick = await socket.frame()
        assert tick["type"] == "COUNTDOWN_TICK"
        assert tick["batchNo"] == snapshot["coming"][0]["batchNo"]
        assert -5_000 < tick["remainingMs"] < 5_000
        buy, sell = await database_sync_to_async(trade)(market)
        frames = await until_filled(socket)
        settled = frames[-1]
        assert (settled["clearingPx"], settled["fills"], settled["volumeLots"]) == ("0.5", 2, 10)
        (published,) = [f for f in frames if f["type"] == "INCLUSION_PUBLISHED"][-1:]
        assert published["batchNo"] == settled["batchNo"]
        assert set(published["orderIds"]) == {str(buy), str(sell)}
        assert published["merkleRoot"] and published["anchorSignature"]
        told = [(f["id"], f["status"]) for f in frames if f["type"] == "order"]
        for order in (buy, sell):
            mine = [status for id_, status in told if id_ == str(order.id)]
            assert mine == ["ESCROWING", "OPEN", "FILLED"]


async def test_others_orders_are_not_told(
    market: Market, callers: dict[str, dict[str, str]]
) -> None:
    headers = callers["owner"]
    await database_sync_to_async(coordinator.plan)()
    async with relaying(), Socket("/ws/batches/JUP-USDC", headers) as socket:
        assert (await socket.frame())["type"] == "snapshot"
        buy, _ = await database_sync_to_async(trade)(market)
        frames = await until_filled(socket)
        assert {f["id"] for f in frames if f["type"] == "order"} == {str(buy.id)}
        position = frames[-1]["position"]
    # What happened since a position is told again, and nothing else.
    async with relaying(), Socket(f"/ws/batches/JUP-USDC?since={position - 1}", headers) as socket:
        assert await socket.frame() == {"type": "resumed", "position": position - 1}
        again = await socket.frame()
        assert (again["type"], again["position"]) == ("BATCH_SETTLED", position)


@pytest.mark.parametrize(
    ("path", "caller", "code"),
    [
        ("/ws/batches/NOPE", "everyone", 4404),
        ("/ws/batches/JUP-USDC", "nobody", 4403),
        ("/ws/batches/JUP-USDC?since=x", "everyone", 4400),
    ],
)
async def test_who_may_not_or_asks_wrongly_is_told(
    market: Market, callers: dict[str, dict[str, str]], path: str, caller: str, code: int
) -> None:
    async with Socket(path, callers[caller]) as socket:
        assert (await socket.refused())[1] == code
