"""Owners who trade in fair batches, and what that moves on the chain."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from solders.keypair import Keypair

from sandbox.batch_orders import BUY, SELL, Terms, body, name
from sandbox.markets import MARKET_TOKENS
from tests.stack import Stack
from tests.waiting import until

MARKET = "SOL-USDC"
# A worker that was killed comes back, and plans, on a machine that is busy as well.
TAKEN_SECONDS = 90
BASE, QUOTE = (
    str(token.mint)
    for symbol in MARKET.split("-")
    for token in MARKET_TOKENS
    if token.symbol == symbol
)

Balances = dict[tuple[str, str], int]


async def market(api: httpx.AsyncClient) -> dict[str, Any]:
    """The market as the API shows it, once a batch of it takes orders."""

    async def is_planned() -> bool:
        try:
            answer = await api.get(f"/api/batches?market={MARKET}&status=PLANNED")
            return answer.is_success and bool(answer.json()["batches"])
        except httpx.HTTPError:
            return False

    await until(is_planned, "a batch that takes orders")
    markets = (await api.get("/api/markets")).raise_for_status().json()["markets"]
    found: dict[str, Any] = next(it for it in markets if it["market"] == MARKET)
    return found


def signed(
    stack: Stack, market: dict[str, Any], owner: Keypair, side: int, lots: int
) -> dict[str, str]:
    """The body of an order at the market's reference."""
    terms = Terms(
        market=market["address"],
        side=side,
        is_market=False,
        is_for_one_batch=False,
        max_fee_bps=market["feeBps"],
        limit=market["reference"]["tick"],
        quantity=lots,
        expiry_slot=stack.chain.call("getSlot") + 10_000,
        nonce=secrets.randbits(64),
    )
    return body(owner, terms)


def balances(stack: Stack, owners: Sequence[Keypair]) -> Balances:
    """What each owner holds of every token."""
    found: Balances = stack.chain.balances([str(owner.pubkey()) for owner in owners])
    return found


def moved(stack: Stack, owners: Sequence[Keypair], before: Balances) -> Balances:
    """What they have more, or less, than before."""
    after = balances(stack, owners)
    return {key: after[key] - before[key] for key in after if after[key] != before[key]}


def due(market: dict[str, Any], buyer: Keypair, seller: Keypair, lots: int) -> Balances:
    """What moves where the two meet at the market's reference."""
    quote = lots * market["reference"]["tick"] * int(market["tick"])
    fee = -(-quote * market["feeBps"] // 10_000)
    base = lots * int(market["lot"])
    bought, sold = str(buyer.pubkey()), str(seller.pubkey())
    return {
        (bought, BASE): base,
        (bought, QUOTE): -quote - fee,
        (sold, BASE): -base,
        (sold, QUOTE): quote - fee,
    }


def pair(
    stack: Stack, market: dict[str, Any], lots: int
) -> tuple[list[dict[str, str]], Callable[[], bool]]:
    """Orders of two owners that meet, and whether these have what they trade, and nothing else."""
    buyer, seller = owners = list(stack.world.traders.values())[:2]
    before = balances(stack, owners)
    expected = due(market, buyer, seller, lots)
    orders = [
        signed(stack, market, owner, side, lots)
        for owner, side in zip(owners, (BUY, SELL), strict=True)
    ]
    return orders, lambda: moved(stack, owners, before) == expected


async def take(api: httpx.AsyncClient, order: dict[str, str]) -> None:
    """Send an order until it is answered: it is the same one however often it is sent."""

    async def taken() -> bool:
        try:
            answer = await api.post(f"/api/batches/{MARKET}/orders", json=order)
        except httpx.HTTPError:
            return False
        if answer.status_code == 201:
            return True
        # Nothing is planned while the worker that plans is dead.
        assert answer.json()["code"] == "unavailable", answer.text
        return False

    await until(taken, "the order to be taken", seconds=TAKEN_SECONDS)


async def status(api: httpx.AsyncClient, order: dict[str, str]) -> str:
    answer = await api.get(f"/api/batches/{MARKET}/orders/{name(order['record'])}")
    return str(answer.json()["status"])


async def all_are(api: httpx.AsyncClient, orders: Sequence[dict[str, str]], wanted: str) -> bool:
    """Whether all orders have a status; False as well where the API does not answer."""
    try:
        return all([await status(api, order) == wanted for order in orders])
    except httpx.HTTPError:
        return False
