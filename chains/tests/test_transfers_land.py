"""Escrow pulls and payouts on a real node."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message
from solders.pubkey import Pubkey

from chains.http import Http
from chains.solana import delegation, landing, programs, transfers
from chains.solana.client import SolanaClient
from chains.solana.swap import Token, token_account, unsigned
from chains.tests.transfer_support import (
    PYUSD,
    USDC,
    WRAPPED_SOL,
    Attempt,
    Chain,
    amount,
    approve,
    land,
    landed,
    sign,
    start_chain,
    stranger,
)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    chain = start_chain(tmp_path_factory.mktemp("chain"))
    yield chain
    chain.part.stop()


@pytest.fixture
async def node(chain: Chain, http: Http) -> SolanaClient:
    return SolanaClient(chain.part.url, http)


def packet(chain: Chain, *moves: transfers.Transfer) -> transfers.Packet:
    who = chain.coordinator
    return transfers.Packet(who, who, moves, str(uuid4()), unit_price=1)


def pull(chain: Chain, owner: str, amount: int, token: Token = USDC) -> transfers.Transfer:
    return transfers.pull(token, owner=owner, vault=chain.vault(token), amount=amount)


def payout(chain: Chain, owner: str, amount: int, token: Token = USDC) -> transfers.Transfer:
    vault = chain.vault(token)
    return transfers.payout(token, vault=vault, owner=owner, amount=amount, create=True)


@pytest.mark.parametrize("token", [USDC, PYUSD])
async def test_approved_escrow_of_several_owners_is_pulled_at_once(
    chain: Chain, node: SolanaClient, token: Token
) -> None:
    owners = [chain.owner(number) for number in (1, 2, 3)]
    await approve(chain, node, token, owners, amount=1000)
    pulls = packet(chain, *(pull(chain, o, 100 + i, token) for i, o in enumerate(owners)))
    before = await amount(node, chain.vault(token))
    attempt = await sign(chain, node, pulls)
    assert isinstance(await land(node, attempt), landing.Confirmed)

    transaction = await landed(node, attempt)
    assert transfers.differences(transaction, pulls.transfers) == {}
    assert transaction.memos == (f"fairlane:{pulls.reference}",)
    assert transaction.payer == chain.coordinator
    assert await amount(node, chain.vault(token)) - before == 303
    (account,) = await node.token_accounts([token_account(owners[0], token)])
    assert account is not None
    assert (account.delegate, account.delegated_amount) == (chain.coordinator, 900)


@pytest.mark.parametrize("token", [USDC, PYUSD])
async def test_a_payout_creates_the_account_that_is_missing(
    chain: Chain, node: SolanaClient, token: Token
) -> None:
    known, unknown = chain.owner(1), stranger()
    payouts = packet(chain, payout(chain, known, 5, token), payout(chain, unknown, 7, token))
    attempt = await sign(chain, node, payouts)
    assert isinstance(await land(node, attempt), landing.Confirmed)
    assert transfers.differences(await landed(node, attempt), payouts.transfers) == {}
    assert await amount(node, token_account(unknown, token)) == 7


async def test_one_bad_owner_is_named_and_the_others_are_pulled_without_it(
    chain: Chain, node: SolanaClient
) -> None:
    good, bad, other = (chain.owner(number) for number in (4, 5, 6))
    await approve(chain, node, USDC, [good, other], amount=50)
    pulls = packet(chain, *(pull(chain, owner, 50) for owner in (good, bad, other)))
    attempt = await sign(chain, node, pulls)
    blockhash = attempt.blockhash.value
    (dry,) = await node.simulate([unsigned(transfers.build(pulls, blockhash=blockhash))])
    decision = await land(node, attempt)
    assert isinstance(decision, landing.Failed)
    assert transfers.blamed(decision.err, pulls.transfers) == 1
    assert transfers.blamed(dry.err, pulls.transfers) == 1
    assert transfers.differences(await landed(node, attempt), pulls.transfers) == {}

    rest = packet(chain, pull(chain, good, 50), pull(chain, other, 50))
    attempt = await sign(chain, node, rest)
    assert isinstance(await land(node, attempt), landing.Confirmed)
    assert transfers.differences(await landed(node, attempt), rest.transfers) == {}


async def test_a_revoked_approval_lets_nothing_be_pulled(chain: Chain, node: SolanaClient) -> None:
    owner = chain.owner(7)
    await approve(chain, node, USDC, [owner], amount=50)
    blockhash = await node.latest_blockhash()
    message = delegation.revoke(USDC, owner=owner, blockhash=blockhash.value)
    revoked = Attempt(transfers.sign(message, chain.keys), blockhash)
    assert isinstance(await land(node, revoked), landing.Confirmed)
    attempt = await sign(chain, node, packet(chain, pull(chain, owner, 1)))
    assert isinstance(await land(node, attempt), landing.Failed)


async def test_no_more_is_pulled_than_was_approved(chain: Chain, node: SolanaClient) -> None:
    owner = chain.owner(8)
    await approve(chain, node, USDC, [owner], amount=50)
    attempt = await sign(chain, node, packet(chain, pull(chain, owner, 51)))
    assert isinstance(await land(node, attempt), landing.Failed)


async def test_sending_twice_pays_once(chain: Chain, node: SolanaClient) -> None:
    account = token_account(chain.owner(9), USDC)
    before = await amount(node, account)
    attempt = await sign(chain, node, packet(chain, payout(chain, chain.owner(9), 11)))
    await node.send([attempt.signed.raw] * 3)
    assert isinstance(await land(node, attempt), landing.Confirmed)
    await node.send([attempt.signed.raw])
    height = await node.block_height("processed")
    while await node.block_height("finalized") <= height:
        await asyncio.sleep(0.02)
    assert await amount(node, account) - before == 11


async def test_a_payout_that_was_never_sent_expires_and_cannot_land(
    chain: Chain, node: SolanaClient
) -> None:
    attempt = await sign(chain, node, packet(chain, payout(chain, chain.owner(9), 11)))
    assert await land(node, attempt, send=False) == landing.Expired()
    await node.send([attempt.signed.raw])
    height = await node.block_height("processed")
    while await node.block_height("finalized") <= height:
        await asyncio.sleep(0.02)
    assert await node.statuses([attempt.signed.signature]) == [None]


async def test_lamports_that_wait_where_wrapped_sol_is_created_are_the_owners(
    chain: Chain, node: SolanaClient
) -> None:
    """Anybody can send them there: that is no difference in what was paid."""
    gift, rent = 10_000, 2_039_280
    move = payout(chain, stranger(), 7, WRAPPED_SOL)
    airdrop = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "requestAirdrop",
        "params": [move.destination, rent + gift],
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(chain.part.url, json=airdrop)
        balance = airdrop | {"method": "getBalance", "params": [move.destination]}
        while not (await client.post(chain.part.url, json=balance)).json()["result"]["value"]:
            await asyncio.sleep(0.02)
    attempt = await sign(chain, node, packet(chain, move))
    assert isinstance(await land(node, attempt), landing.Confirmed)
    done = await landed(node, attempt)
    assert transfers.differences(done, [move]) == {move.destination: (7, 7 + gift)}
    assert transfers.differences(done, [move], at_least={move.destination}) == {}


@pytest.mark.parametrize("token", [USDC, PYUSD])
async def test_a_full_packet_of_new_accounts_stays_within_its_compute_limit(
    chain: Chain, node: SolanaClient, token: Token
) -> None:
    payouts = [payout(chain, stranger(), 1, token) for _ in range(30)]
    who = chain.coordinator
    packed = list(transfers.pack(payouts, payer=who, authority=who, reference_length=36))
    assert [move for moves in packed for move in moves] == payouts
    assert 1 < len(packed) < 10
    full = packet(chain, *packed[0])
    attempt = await sign(chain, node, full)
    assert isinstance(await land(node, attempt), landing.Confirmed)
    assert transfers.differences(await landed(node, attempt), full.transfers) == {}


async def test_vault_balances_can_be_read_at_finality(chain: Chain, node: SolanaClient) -> None:
    attempt = await sign(chain, node, packet(chain, payout(chain, chain.owner(10), 13)))
    assert isinstance(await land(node, attempt), landing.Confirmed)
    expected = await amount(node, chain.vault(USDC))
    statuses = await node.statuses([attempt.signed.signature])
    while statuses[0] is None or statuses[0].confirmation != "finalized":
        await asyncio.sleep(0.02)
        statuses = await node.statuses([attempt.signed.signature])
    (account,) = await node.token_accounts([chain.vault(USDC)], "finalized")
    assert account is not None and account.amount == expected


async def test_a_packet_that_asks_for_too_few_units_fails_and_blames_nobody(
    chain: Chain, node: SolanaClient
) -> None:
    poor = replace(packet(chain, payout(chain, stranger(), 1)), unit_limit=3000)
    attempt = await sign(chain, node, poor)
    decision = await land(node, attempt)
    assert isinstance(decision, landing.Failed)
    assert transfers.blamed(decision.err, poor.transfers) is None


# Token-2022: make room for an extension, and have transfers refused that no memo precedes.
REALLOCATE_FOR_MEMOS = bytes([29]) + (8).to_bytes(2, "little")
REQUIRE_MEMOS = bytes([30, 0])


async def require_memos(chain: Chain, node: SolanaClient, owner: str) -> None:
    program = programs.token_program(token2022=True)
    wallet = Pubkey.from_string(owner)
    account = AccountMeta(Pubkey.from_string(token_account(owner, PYUSD)), False, True)
    payer, signer = AccountMeta(wallet, True, True), AccountMeta(wallet, True, False)
    system = AccountMeta(Pubkey.default(), False, False)
    instructions = [
        Instruction(program, REALLOCATE_FOR_MEMOS, [account, payer, system, signer]),
        Instruction(program, REQUIRE_MEMOS, [account, signer]),
    ]
    blockhash = await node.latest_blockhash()
    message = Message.new_with_blockhash(instructions, wallet, Hash.from_string(blockhash.value))
    attempt = Attempt(transfers.sign(bytes(message), chain.keys), blockhash)
    assert isinstance(await land(node, attempt), landing.Confirmed)


async def test_an_account_that_asks_for_memos_is_paid_by_a_transaction_of_its_own(
    chain: Chain, node: SolanaClient
) -> None:
    usual, strict = chain.owner(11), chain.owner(12)
    await require_memos(chain, node, strict)
    vault = chain.vault(PYUSD)
    moves = [
        transfers.payout(PYUSD, vault=vault, owner=owner, amount=9) for owner in (usual, strict)
    ]
    decision = await land(node, await sign(chain, node, packet(chain, *moves)))
    assert isinstance(decision, landing.Failed)
    assert transfers.blamed(decision.err, moves) == 1
    alone = await sign(chain, node, packet(chain, moves[1]))
    assert isinstance(await land(node, alone), landing.Confirmed)
    assert transfers.differences(await landed(node, alone), moves[1:]) == {}
