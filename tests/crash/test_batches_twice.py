"""Everything that coordinates batches, started twice: both work, each thing is done once."""

from collections.abc import AsyncIterator, Iterator, Sequence

import httpx
import pytest
import pytest_asyncio

from sandbox.batch_orders import name
from tests import clients, trading
from tests.stack import BATCHES, Stack, running_stack
from tests.trading import MARKET
from tests.waiting import until

LOTS = 100
ROUNDS = 3
# Whoever dies may hold leases, which the other one waits out.
PATIENCE_SECONDS = 90.0

WORKERS = [("worker-batches-twin",), BATCHES]
BEATS = [("beat",), ("beat-2",)]
COORDINATORS = [("coordinator",), ("coordinator-2",)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("twice")
    with running_stack(
        folder, batches=True, TASK_TIME_LIMIT_SECONDS="3", BATCHES_LEASE_SECONDS="4"
    ) as stack:
        stack.start("web-1", "relay")
        yield stack


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with clients.api(stack) as client:
        yield client


async def _trade(stack: Stack, api: httpx.AsyncClient, rounds: int) -> None:
    """Pairs that meet, each once, in one batch for both, which one anchor has committed to."""
    market = await trading.market(api)
    for _ in range(rounds):
        orders, are_paid = trading.pair(stack, market, LOTS)
        for order in orders:
            await trading.take(api, order)

        async def filled(orders: Sequence[dict[str, str]] = orders) -> bool:
            return await trading.all_are(api, orders, "FILLED")

        await until(filled, "both orders to be filled", seconds=PATIENCE_SECONDS)
        await until(are_paid, "both to be paid", seconds=PATIENCE_SECONDS)
        paths = [f"/api/batches/{MARKET}/orders/{name(order['record'])}" for order in orders]
        found = [(await api.get(path)).raise_for_status().json() for path in paths]
        assert [len(order["fills"]) for order in found] == [1, 1]
    stack.manage(["reconcile"])


@pytest.mark.parametrize(
    ("kinds", "common"),
    [
        ([*WORKERS], ("beat",)),
        ([*BEATS], BATCHES),
        ([*COORDINATORS], ()),
    ],
    ids=["workers", "beats", "coordinators"],
)
async def test_two_of_a_kind_do_everything_once_and_one_goes_on_alone(
    stack: Stack,
    api: httpx.AsyncClient,
    kinds: list[tuple[str, ...]],
    common: tuple[str, ...],
) -> None:
    first, second = kinds
    helpers = ("worker-default", *common) if common else ()
    stack.start(*helpers, *first, *second)
    try:
        await _trade(stack, api, ROUNDS)
        for part in first:
            stack.kill(part)
        # What is left has been at work all the time, and still is.
        await _trade(stack, api, 1)
        assert all(stack.is_alive(part) for part in second)
    finally:
        stack.stop(*helpers, *second, *(part for part in first if stack.is_alive(part)))
