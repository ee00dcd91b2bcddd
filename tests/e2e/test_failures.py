"""Orders that cannot be executed end, and say why."""

from collections import Counter

import httpx
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from sandbox.genesis import associated_token_account
from sandbox.tokens import TOKENS, Token
from tests.clients import Makers, send, swap
from tests.stack import Stack
from tests.waiting import until
from tests.witness import Witness


async def test_a_price_that_fell_too_far_fails_the_order_as_slippage(
    stack: Stack, api: httpx.AsyncClient, makers: Makers
) -> None:
    makers.turn(slippageBps=10_000)
    witness = await Witness(stack, await send(api, swap(stack, slippageBps=0))).follow()
    assert witness.statuses[-1] == "FAILED"
    failed = witness.seen[-1]["data"]
    assert failed["kind"] == "slippage"
    assert "the price fell by" in failed["reason"] or "the order accepts" in failed["reason"]
    assert stack.chain.executions([witness.order_id]) == {witness.order_id: 0}


async def test_a_fresh_quote_never_lowers_what_the_wallet_accepts(
    stack: Stack, api: httpx.AsyncClient, makers: Makers
) -> None:
    makers.turn(failureRate=1)
    witness = await Witness(stack, await send(api, swap(stack))).follow()
    bounds = {e["data"]["minOutputAmount"] for e in witness.seen if e["status"] == "BUILDING"}
    assert len(bounds) == 1


async def test_venues_that_refuse_are_asked_three_times(
    stack: Stack, api: httpx.AsyncClient, makers: Makers
) -> None:
    makers.turn(failureRate=1)
    witness = await Witness(stack, await send(api, swap(stack, slippageBps=500))).follow()
    assert Counter(witness.statuses) == {"PENDING": 3, "ROUTING": 3, "BUILDING": 3, "FAILED": 1}
    assert witness.seqs == list(range(1, 11))
    assert witness.seen[-1]["data"]["kind"] == "network"
    order = (await api.get(f"/api/orders/{witness.order_id}")).json()
    assert order["failure"] == {"kind": "network", "reason": "the venue failed to execute"}
    assert {quote["round"] for quote in order["quotes"]} == {1, 2, 3}
    assert stack.chain.executions([witness.order_id]) == {witness.order_id: 0}


async def test_a_venue_that_recovers_gets_the_order(
    stack: Stack, api: httpx.AsyncClient, makers: Makers
) -> None:
    makers.turn(failureRate=1)
    order_id = await send(api, swap(stack, slippageBps=500))

    async def refused_once() -> bool:
        order = (await api.get(f"/api/orders/{order_id}")).json()
        return [entry["status"] for entry in order["history"]].count("PENDING") > 1

    await until(refused_once, "the venue refuses")
    makers.turn(failureRate=0)
    witness = await Witness(stack, order_id).follow()
    assert witness.statuses[-1] == "CONFIRMED"
    assert stack.chain.executions([order_id]) == {order_id: 1}


async def test_a_wallet_that_holds_too_little_fails_at_once(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    giver = stack.world.traders["trader-08"]
    wallet = str(giver.pubkey())
    jup = next(token for token in TOKENS if token.symbol == "JUP")
    holding = (wallet, str(jup.mint))
    _give_away(stack, giver, jup, stack.chain.balances([wallet])[holding] - 1_000_000)
    await until(
        lambda: stack.chain.balances([wallet])[holding] == 1_000_000, "one JUP is left", seconds=10
    )
    order = swap(
        stack, userWallet=wallet, inputToken="JUP", outputToken="USDC", inputAmount="1.000001"
    )
    witness = await Witness(stack, await send(api, order)).follow()
    assert witness.statuses == ["PENDING", "ROUTING", "BUILDING", "FAILED"]
    assert witness.seen[-1]["data"] == {
        "kind": "balance",
        "reason": "the wallet holds too little JUP",
    }
    enough = await Witness(stack, await send(api, order | {"inputAmount": "1"})).follow()
    assert enough.statuses[-1] == "CONFIRMED"


def _give_away(stack: Stack, giver: Keypair, token: Token, amount: int) -> None:
    """Send tokens to another trader, past Fairlane."""
    source, target = (
        associated_token_account(owner, token)
        for owner in (giver.pubkey(), stack.world.traders["trader-09"].pubkey())
    )
    transfer = Instruction(
        token.program,
        bytes([12]) + amount.to_bytes(8, "little") + bytes([token.decimals]),  # TransferChecked
        [
            AccountMeta(source, False, True),
            AccountMeta(Pubkey.from_bytes(bytes(token.mint)), False, False),
            AccountMeta(target, False, True),
            AccountMeta(giver.pubkey(), True, False),
        ],
    )
    blockhash = Hash.from_string(stack.chain.blockhash())
    message = MessageV0.try_compile(giver.pubkey(), [transfer], [], blockhash)
    stack.chain.send(bytes(VersionedTransaction(message, [giver])))
