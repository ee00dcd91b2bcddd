"""Signed orders meet in a batch, through real processes and on a real chain."""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sandbox.batch_orders import BUY, SELL, name
from sandbox.genesis import associated_token_account
from sandbox.markets import MARKET_TOKENS
from tests import clients, trading
from tests.stack import BATCHES, Stack, running_stack
from tests.trading import MARKET
from tests.waiting import until

LOTS = 500


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("batches"), batches=True) as stack:
        stack.start("web-1", *BATCHES, "worker-default", "beat", "relay")
        yield stack


@pytest_asyncio.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with clients.api(stack) as client:
        yield client


@pytest_asyncio.fixture
async def market(api: httpx.AsyncClient) -> dict[str, Any]:
    return await trading.market(api)


async def test_two_traders_meet_at_one_price(
    stack: Stack, api: httpx.AsyncClient, market: dict[str, Any]
) -> None:
    buyer, seller = owners = list(stack.world.traders.values())[:2]
    before = trading.balances(stack, owners)
    names = []
    for owner, side in ((buyer, BUY), (seller, SELL)):
        signed = trading.signed(stack, market, owner, side, LOTS)
        answer = await api.post(f"/api/batches/{MARKET}/orders", json=signed)
        assert answer.status_code == 201, answer.text
        names.append(name(signed["record"]))
        assert answer.json()["hash"] == names[-1]

    async def filled() -> bool:
        found = [(await api.get(f"/api/batches/{MARKET}/orders/{it}")).json() for it in names]
        return all(order["status"] == "FILLED" for order in found)

    await until(filled, "both orders to be filled")
    due = trading.due(market, buyer, seller, LOTS)
    await until(
        lambda: trading.moved(stack, owners, before) == due, "both owners to have what they traded"
    )


def test_every_market_has_vaults(stack: Stack) -> None:
    owner = stack.world.coordinator.pubkey()
    addresses = [str(associated_token_account(owner, token)) for token in MARKET_TOKENS]
    options = {"encoding": "base64", "commitment": "confirmed"}
    assert all(stack.chain.call("getMultipleAccounts", addresses, options)["value"])


async def test_what_nobody_offers_comes_out_of_the_pool(
    stack: Stack, api: httpx.AsyncClient, market: dict[str, Any]
) -> None:
    buyer = list(stack.world.traders.values())[2]

    async def pool() -> dict[str, Any]:
        shown = (await api.get("/api/markets")).raise_for_status().json()["markets"]
        found: dict[str, Any] = next(it for it in shown if it["market"] == MARKET)["pool"]
        return found

    async def is_funded() -> bool:
        its = await pool()
        return (its["base"], its["quote"]) == ("1000", "160000")

    await until(is_funded, "the pool to be funded")
    before = trading.balances(stack, [buyer])
    dear = {**market, "reference": {"tick": market["reference"]["tick"] * 102 // 100}}
    signed = trading.signed(stack, dear, buyer, BUY, LOTS)
    answer = await api.post(f"/api/batches/{MARKET}/orders", json=signed)
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = {}

    async def filled() -> bool:
        path = f"/api/batches/{MARKET}/orders/{name(signed['record'])}"
        order.update((await api.get(path)).json())
        return bool(order["status"] == "FILLED")

    await until(filled, "the order to be filled")
    number = order["fills"][0]["batchNo"]
    path = f"/api/batches/{MARKET}/{number}"

    async def settled() -> bool:
        return bool((await api.get(path)).json()["status"] == "SETTLED")

    await until(settled, "the batch to be settled")
    shown = (await api.get(path)).json()
    assert (shown["pool"]["lots"], shown["pool"]["base"]) == (LOTS, "0.5")
    held = await pool()
    assert held["base"] == "999.5"
    paid = Decimal(shown["pool"]["quote"])
    assert Decimal(held["quote"]) == 160_000 + paid
    spent = int((paid + Decimal(shown["fees"])) * 10**6)
    assert trading.moved(stack, [buyer], before) == {
        (str(buyer.pubkey()), trading.BASE): LOTS * int(market["lot"]),
        (str(buyer.pubkey()), trading.QUOTE): -spent,
    }

    async def verified() -> bool:
        return bool((await api.get(f"{path}/verify")).json()["status"] == "VERIFIED")

    await until(verified, "what was paid to be final")
    stack.manage(["reconcile"])
