"""One order, from the request to the chain and back."""

from decimal import Decimal

import httpx

from sandbox.tokens import TOKENS
from tests.clients import frames, send, socket, swap
from tests.stack import Stack
from tests.witness import Witness

MINT = {token.symbol: str(token.mint) for token in TOKENS}
DECIMALS = {token.symbol: token.decimals for token in TOKENS}

LIFE = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]


async def test_an_order_is_confirmed_with_what_the_chain_moved(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    wallet = stack.wallets[9]
    before = stack.chain.balances([wallet])
    order_id = await send(api, swap(stack, userWallet=wallet, inputAmount="0.25"))
    witness = await Witness(stack, order_id).follow()
    after = stack.chain.balances([wallet])

    assert witness.statuses == LIFE
    assert witness.seqs == [1, 2, 3, 4, 5]
    assert witness.connections == 1
    confirmed = witness.seen[-1]["data"]
    sold, bought = (wallet, MINT["SOL"]), (wallet, MINT["USDC"])
    assert after[sold] - before[sold] == -250_000_000
    assert Decimal(confirmed["spentAmount"]) == Decimal("0.25")
    gained = Decimal(after[bought] - before[bought]).scaleb(-DECIMALS["USDC"])
    assert Decimal(confirmed["outputAmount"]) == gained > 0
    untouched = after.keys() - {sold, bought}
    assert all(after[holding] == before[holding] for holding in untouched)
    assert stack.chain.executions([order_id]) == {order_id: 1}


async def test_what_the_api_shows_is_what_the_node_has(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    order_id = await send(api, swap(stack, inputToken="USDC", outputToken="PYUSD"))
    await Witness(stack, order_id).follow()
    order = (await api.get(f"/api/orders/{order_id}")).json()
    landed = stack.chain.transaction(order["txHash"])
    assert order["status"] == "CONFIRMED"
    assert landed["meta"]["err"] is None
    assert str(landed["meta"]["fee"]) == order["networkFeeLamports"]
    assert [a["state"] for a in order["attempts"]] == ["CONFIRMED"]
    assert order["attempts"][0]["slot"] == landed["slot"]
    assert {q["venue"] for q in order["quotes"]} == {"raydium", "meteora"}
    best = max(order["quotes"], key=lambda q: Decimal(q["netOutputAmount"]))
    assert best["chosen"]
    assert order["venue"] == best["venue"]
    assert Decimal(order["outputAmount"]) >= Decimal(order["minOutputAmount"])


async def test_each_step_tells_what_it_found(stack: Stack, api: httpx.AsyncClient) -> None:
    witness = await Witness(stack, await send(api, swap(stack))).follow()
    told = {entry["status"]: entry["data"] for entry in witness.seen}
    assert told["PENDING"]["inputAmount"] == "0.1"
    assert {quote["venue"] for quote in told["BUILDING"]["quotes"]} == {"raydium", "meteora"}
    assert told["BUILDING"]["venue"] == told["SUBMITTED"]["venue"]
    assert told["SUBMITTED"]["txHash"] == told["CONFIRMED"]["txHash"]
    price = Decimal(told["CONFIRMED"]["outputAmount"]) / Decimal("0.1")
    assert abs(Decimal(told["CONFIRMED"]["executedPrice"]) - price) < Decimal("0.000001")


async def test_a_late_client_gets_the_whole_story(stack: Stack, api: httpx.AsyncClient) -> None:
    order_id = await send(api, swap(stack))
    await Witness(stack, order_id).follow()
    async with socket(stack, f"/orders/{order_id}") as late:
        (snapshot,) = await frames(late)
    assert snapshot["type"] == "snapshot"
    assert [entry["status"] for entry in snapshot["history"]] == LIFE
    assert snapshot["order"]["status"] == "CONFIRMED"
    assert late.close_code == 1000


async def test_a_client_resumes_where_it_was(stack: Stack, api: httpx.AsyncClient) -> None:
    order_id = await send(api, swap(stack))
    await Witness(stack, order_id).follow()
    async with socket(stack, f"/ws/orders/{order_id}?since=3") as resumed:
        (snapshot,) = await frames(resumed)
    assert [entry["seq"] for entry in snapshot["history"]] == [4, 5]
    assert resumed.close_code == 1000
