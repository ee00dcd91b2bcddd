"""Processes of fair batches killed with SIGKILL at each named point, and what becomes of orders."""

import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import redis

from batches.stages import TASKS
from sandbox.batch_orders import BUY, name
from sandbox.home import REPOSITORY
from tests import clients, trading
from tests.stack import BATCHES, Stack, running_stack
from tests.trading import MARKET
from tests.waiting import until

LOTS = 100

ACCEPTING = ["batches.accept.before_commit", "batches.accept.committed"]
CANCELLING = ["batches.cancel.before_commit", "batches.replace.before_commit"]
RESERVING = ["batches.reserve.chosen", "batches.reserve.persisted", "batches.reserve.placed"]
TICKS = [
    "batches.close.claimed",
    "batches.close.before_persist",
    "batches.close.persisted",
    "batches.close.sent",
    "batches.commit.claimed",
    "batches.commit.before_persist",
    "batches.commit.persisted",
    "batches.clear.claimed",
    "batches.clear.before_persist",
    "batches.clear.persisted",
]
# Two deaths cost two leases, and as many restarts of a worker.
PATIENCE_SECONDS = 90.0
TRANSFERS = [
    f"batches.{stage}.{point}"
    for stage in ("pull", "pay")
    for point in ("claimed", "before_persist", "persisted", "sent")
] + ["batches.land.claimed", "batches.land.before_persist", "batches.land.persisted"]


def test_no_point_is_forgotten() -> None:
    named = {f"{stage}.claimed" for stage in TASKS}
    for file in (REPOSITORY / "batches").rglob("*.py"):
        if "tests" not in file.parts:
            named |= set(re.findall(r'checkpoints\.reach\("([^"]+)"\)', Path(file).read_text()))
    # The stages of transfers share theirs.
    packing = {point for point in TRANSFERS if point.startswith(("batches.pull", "batches.pay"))}
    assert named | packing == {*ACCEPTING, *CANCELLING, *RESERVING, *TICKS, *TRANSFERS}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(
        tmp_path_factory.mktemp("batches"),
        batches=True,
        TASK_TIME_LIMIT_SECONDS="3",
        ORDERS_LEASE_SECONDS="4",
        BATCHES_LEASE_SECONDS="4",
    ) as stack:
        stack.start("web-1", *BATCHES, "worker-default", "beat", "relay")
        yield stack


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with clients.api(stack) as client:
        yield client


@pytest_asyncio.fixture
async def market(api: httpx.AsyncClient) -> dict[str, Any]:
    return await trading.market(api)


@pytest.mark.parametrize(("ticks", "transfers"), [*zip_longest([*RESERVING, *TICKS], TRANSFERS)])
async def test_workers_that_are_killed_anywhere_lose_and_double_nothing(
    stack: Stack, api: httpx.AsyncClient, market: dict[str, Any], ticks: str, transfers: str | None
) -> None:
    orders, are_paid = trading.pair(stack, market, LOTS)
    points = [point for point in (ticks, transfers) if point]
    for point in points:
        stack.interruptions.kill_at(point)
    for order in orders:
        await trading.take(api, order)

    async def filled() -> bool:
        # A settlement may be paid by either worker, and so may die in either.
        for worker in BATCHES:
            if not stack.is_alive(worker):
                assert stack.parts[worker].process.returncode == -signal.SIGKILL
                stack.start(worker)
        return await trading.all_are(api, orders, "FILLED") and are_paid()

    await until(filled, "both orders to be filled and paid", seconds=PATIENCE_SECONDS)
    # What was sent may be there for all to see before its sender gets to the point.
    await until(lambda: not any(map(stack.interruptions.is_armed, points)), "workers to be killed")
    stack.manage(["reconcile"])


@pytest.mark.parametrize("point", ACCEPTING)
async def test_an_order_that_is_taken_while_the_web_dies_is_one(
    stack: Stack, api: httpx.AsyncClient, market: dict[str, Any], point: str
) -> None:
    orders, are_paid = trading.pair(stack, market, LOTS)
    stack.interruptions.kill_at(point)

    async def has_died() -> bool:
        # As long as nothing is planned, it is refused before it comes to the point.
        with suppress(httpx.HTTPError):
            await api.post(f"/api/batches/{MARKET}/orders", json=orders[0])
        return not stack.is_alive("web-1")

    await until(has_died, "the web to die")
    assert not stack.interruptions.is_armed(point)
    stack.start("web-1")
    for order in orders:
        await trading.take(api, order)
    await until(are_paid, "both to be paid")


async def test_an_order_that_is_cancelled_while_the_web_dies_is_paid_back_once(
    stack: Stack, api: httpx.AsyncClient, market: dict[str, Any]
) -> None:
    owner = next(iter(stack.world.traders.values()))
    before = trading.balances(stack, [owner])
    order = trading.signed(stack, market, owner, BUY, LOTS)
    await trading.take(api, order)

    async def open_() -> bool:
        return await trading.all_are(api, [order], "OPEN")

    await until(open_, "the escrow to arrive")
    point = CANCELLING[0]
    stack.interruptions.kill_at(point)
    path = f"/api/batches/{MARKET}/orders/{name(order['record'])}"

    async def cancelled() -> bool:
        if not stack.is_alive("web-1"):
            stack.start("web-1")
        try:
            await api.delete(path)
            return await trading.status(api, order) == "CANCELLED"
        except httpx.HTTPError:
            return False

    await until(cancelled, "the order to be cancelled")
    assert not stack.interruptions.is_armed(point)
    await until(lambda: not trading.moved(stack, [owner], before), "the escrow to come back")
    stack.manage(["reconcile"])


async def test_redis_is_flushed_while_beat_is_dead_until_nothing_is_planned(
    stack: Stack, api: httpx.AsyncClient, market: dict[str, Any]
) -> None:
    (early, late), are_paid = trading.pair(stack, market, LOTS)
    await trading.take(api, early)
    stack.kill("beat")

    async def is_over() -> bool:
        answer = (await api.get("/api/batches?status=PLANNED")).raise_for_status()
        slot = stack.chain.call("getSlot")
        return all(batch["slot"] < slot for batch in answer.json()["batches"])

    await until(is_over, "the last planned batch to be one of the past")
    refused = await api.post(f"/api/batches/{MARKET}/orders", json=late)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    with redis.Redis.from_url(stack.parts["redis"].url) as broker:
        broker.flushall()
    stack.start("beat")
    await trading.take(api, late)
    await until(are_paid, "both to be paid")
    stack.manage(["reconcile"])
