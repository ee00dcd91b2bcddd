"""A swap from quote to read-back, with a real maker and a real node."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from solders.keypair import Keypair

from chains.http import Http
from chains.ports import (
    Blockhash,
    Cosigned,
    CosignRefused,
    CosignRequest,
    FirmQuote,
    LandedTransaction,
    QuoteRequest,
)
from chains.solana import balances, failures, landing, swap
from chains.solana.client import SolanaClient
from chains.solana.dex.rfq import RfqVenue
from chains.solana.keystore import KeyStore
from sandbox.parts import Part, World, start_maker, start_node, write_world
from sandbox.tokens import TOKENS

SOL, USDC, PYUSD = (
    swap.Token(str(token.mint), token.decimals, token.token2022)
    for symbol in ("SOL", "USDC", "PYUSD")
    for token in TOKENS
    if token.symbol == symbol
)
SELL_AMOUNT = 10**9


@dataclass(frozen=True)
class Sandbox:
    world: World
    node: Part
    maker: Part

    def address(self, trader: int) -> str:
        return self.world.addresses[f"trader-{trader:02}"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A node and a maker; trader 2 has no PYUSD account."""
    directory = tmp_path_factory.mktemp("sandbox")
    world = write_world(directory / "world", traders=2)
    genesis = json.loads(world.genesis.read_text())
    absent = swap.token_account(world.addresses["trader-02"], PYUSD)
    genesis["accounts"] = [a for a in genesis["accounts"] if a["address"] != absent]
    world.genesis.write_text(json.dumps(genesis))
    node = start_node(directory, genesis=world.genesis, slot_ms=20)
    maker = start_maker(
        "raydium",
        directory,
        key=world.maker_key("raydium"),
        rpc_url=node.url,
        markets=world.markets,
    )
    yield Sandbox(world, node, maker)
    maker.stop()
    node.stop()


@pytest.fixture
async def node(sandbox: Sandbox, http: Http) -> SolanaClient:
    return SolanaClient(sandbox.node.url, http)


@pytest.fixture
async def venue(sandbox: Sandbox, http: Http) -> RfqVenue:
    return RfqVenue("raydium", sandbox.maker.url, http)


@dataclass(frozen=True)
class Attempt:
    """A swap that both parties signed."""

    terms: swap.Swap
    message: bytes
    raw: bytes
    signature: str
    blockhash: Blockhash


Prepare = Callable[..., Awaitable[Attempt]]


@pytest.fixture
async def prepare(sandbox: Sandbox, node: SolanaClient, venue: RfqVenue) -> Prepare:
    keys = KeyStore(sandbox.world.trader_keys)

    async def attempt(*, trader: int = 1, buy: swap.Token = USDC) -> Attempt:
        taker = sandbox.address(trader)
        (quote,) = await venue.quotes([QuoteRequest("r", SOL.mint, buy.mint, SELL_AMOUNT)])
        assert isinstance(quote, FirmQuote), quote
        terms = swap.Swap(
            taker=taker,
            maker=quote.maker,
            sell=SOL,
            sell_amount=SELL_AMOUNT,
            buy=buy,
            buy_amount=quote.amount_out,
            reference=str(uuid4()),
            create_output_account=True,
            compute_budget=swap.ComputeBudget(100_000, 1),
        )
        blockhash = await node.latest_blockhash()
        return await sign(terms, quote, blockhash)

    async def sign(terms: swap.Swap, quote: FirmQuote, blockhash: Blockhash) -> Attempt:
        message = swap.build(terms, blockhash=blockhash.value)
        request = CosignRequest(quote.quote_id, quote.maker, message, quote.amount_out)
        (cosigned,) = await venue.cosign([request])
        assert isinstance(cosigned, Cosigned), cosigned
        signature = keys.sign(terms.taker, message)
        return Attempt(
            terms=terms,
            message=message,
            raw=swap.assemble(
                message, taker_signature=signature, maker_signature=cosigned.signature
            ),
            signature=swap.transaction_signature(signature),
            blockhash=blockhash,
        )

    return attempt


async def land(node: SolanaClient, attempt: Attempt, *, send: bool = True) -> landing.Decision:
    """Drive one attempt to its end, as the confirmation stage does."""
    last_sent_at = None
    while True:
        observation = await node.observe([attempt.signature])
        decision = landing.decide(
            status=observation.statuses[0],
            finalized_height=observation.finalized_height,
            first_available=observation.first_available,
            first_slot=attempt.blockhash.slot,
            last_valid_block_height=attempt.blockhash.last_valid_block_height,
            last_sent_at=last_sent_at,
            now=datetime.now(UTC),
        )
        match decision:
            case landing.Resend() if send:
                await node.send([attempt.raw])
                last_sent_at = datetime.now(UTC)
            case landing.Confirmed() | landing.Failed() | landing.Expired():
                return decision
        await asyncio.sleep(0.02)


async def landed(node: SolanaClient, attempt: Attempt) -> LandedTransaction:
    (transaction,) = await node.transactions([attempt.signature])
    assert transaction is not None
    return transaction


async def test_a_swap_lands_and_moves_exactly_what_was_quoted(
    node: SolanaClient, prepare: Prepare
) -> None:
    attempt = await prepare()
    terms = attempt.terms
    accounts = [swap.token_account(terms.taker, token) for token in (SOL, USDC)]
    before = await node.token_accounts(accounts)
    decision = await land(node, attempt)
    assert isinstance(decision, landing.Confirmed)

    transaction = await landed(node, attempt)
    assert transaction.signature == attempt.signature
    assert transaction.slot == decision.slot
    assert transaction.err is None
    assert transaction.fee >= 10_000  # two signatures
    for owner, sign in ((terms.taker, 1), (terms.maker, -1)):
        assert balances.swapped(
            transaction, owner=owner, input_mint=SOL.mint, output_mint=USDC.mint
        ) == (sign * SELL_AMOUNT, sign * terms.buy_amount)
    assert any(f"fairlane:{terms.reference}" in line for line in transaction.logs)

    after = await node.token_accounts(accounts)
    changes = [a.amount - b.amount for a, b in zip(after, before, strict=True) if a and b]
    assert changes == [-SELL_AMOUNT, terms.buy_amount]


async def test_a_missing_token_2022_account_is_created_on_the_way(
    node: SolanaClient, prepare: Prepare
) -> None:
    attempt = await prepare(trader=2, buy=PYUSD)
    account = swap.token_account(attempt.terms.taker, PYUSD)
    assert await node.token_accounts([account]) == [None]
    assert isinstance(await land(node, attempt), landing.Confirmed)
    transaction = await landed(node, attempt)
    received = balances.change(transaction, owner=attempt.terms.taker, mint=PYUSD.mint)
    (created,) = await node.token_accounts([account])
    assert created is not None
    assert created.amount == received == attempt.terms.buy_amount
    assert (created.owner, created.mint) == (attempt.terms.taker, PYUSD.mint)


async def test_a_simulation_tells_what_a_swap_costs(node: SolanaClient, prepare: Prepare) -> None:
    attempt = await prepare()
    (dry,) = await node.simulate([swap.unsigned(attempt.message)])
    assert dry.err is None
    assert 1_000 < dry.units_consumed < 100_000
    assert dry.logs


async def test_sending_twice_executes_once(node: SolanaClient, prepare: Prepare) -> None:
    attempt = await prepare()
    (account,) = await node.token_accounts([swap.token_account(attempt.terms.taker, USDC)])
    assert account is not None
    await node.send([attempt.raw] * 3)
    assert isinstance(await land(node, attempt), landing.Confirmed)
    await node.send([attempt.raw])
    (after,) = await node.token_accounts([account.address])
    assert after is not None
    assert after.amount - account.amount == attempt.terms.buy_amount


async def test_a_failure_on_chain_is_told_in_words(node: SolanaClient, sandbox: Sandbox) -> None:
    """The maker's key is at hand here, so a swap it would refuse can be signed for it."""
    maker = Keypair.from_json(sandbox.world.maker_key("raydium").read_text())
    taker = sandbox.address(1)
    blockhash = await node.latest_blockhash()
    terms = swap.Swap(taker, str(maker.pubkey()), SOL, 2**63, USDC, 1, str(uuid4()))
    message = swap.build(terms, blockhash=blockhash.value)
    signature = KeyStore(sandbox.world.trader_keys).sign(taker, message)
    raw = swap.assemble(
        message, taker_signature=signature, maker_signature=bytes(maker.sign_message(message))
    )
    name = swap.transaction_signature(signature)
    attempt = Attempt(terms, message, raw, name, blockhash)
    decision = await land(node, attempt)
    assert isinstance(decision, landing.Failed)
    programs = swap.instruction_programs(message)
    assert failures.explain(decision.err, programs) == (
        "Instruction 1 (SPL Token) failed: insufficient funds."
    )
    transaction = await landed(node, attempt)
    assert transaction.err == decision.err
    assert balances.change(transaction, owner=taker, mint=SOL.mint) == 0


async def test_an_expired_attempt_can_no_longer_land(node: SolanaClient, prepare: Prepare) -> None:
    attempt = await prepare()
    assert await land(node, attempt, send=False) == landing.Expired()
    await node.send([attempt.raw])
    height = await node.block_height("processed")
    while await node.block_height("finalized") <= height:
        await asyncio.sleep(0.02)
    assert await node.statuses([attempt.signature]) == [None]


async def test_a_maker_signs_only_what_it_quoted(
    sandbox: Sandbox, node: SolanaClient, venue: RfqVenue
) -> None:
    (quote,) = await venue.quotes([QuoteRequest("r", SOL.mint, USDC.mint, SELL_AMOUNT)])
    assert isinstance(quote, FirmQuote)
    blockhash = await node.latest_blockhash()
    fair = swap.Swap(
        taker=sandbox.address(1),
        maker=quote.maker,
        sell=SOL,
        sell_amount=SELL_AMOUNT,
        buy=USDC,
        buy_amount=quote.amount_out,
        reference=str(uuid4()),
    )
    greedy = replace(fair, buy_amount=quote.amount_out + 1)
    answers = []
    for terms in (greedy, fair, replace(fair, reference=str(uuid4()))):
        message = swap.build(terms, blockhash=blockhash.value)
        request = CosignRequest(quote.quote_id, quote.maker, message, quote.amount_out)
        answers += await venue.cosign([request])
    refused, signed, used = answers
    assert isinstance(refused, CosignRefused) and refused.code == "invalid"
    assert isinstance(signed, Cosigned)
    assert isinstance(used, CosignRefused) and used.code == "quote_used"
