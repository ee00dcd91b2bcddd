"""Requests on a real chain whose providers are late, silent, mistaken, or lie."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from chains import registry as adapters
from chains.evm import pool
from sandbox import evm
from sandbox.evm import RELAYERS
from stablecoin.models import Attempt, ChainState, Relayer, Request, Transaction
from stablecoin.tests import driving
from stablecoin.tests.liar import Answer, Liar, Params, lying
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)

DIALECTS = ("anvil", "geth", "reth", "erigon", "nethermind", "besu")
GWEI = 10**9
BOTH = ("a", "b")


@pytest.fixture
def liar(outside: Outside, settings: Settings) -> Iterator[Liar]:
    """The preferred one of two providers."""
    with lying(outside.rpc_urls[0]) as liar:
        driving.use(settings, liar.url, outside.rpc_urls[1])
        yield liar


def turn(outside: Outside, *nodes: str, **knobs: object) -> None:
    for node in nodes:
        evm.knobs(outside.evm.url, CHAIN, node, **knobs)


def assert_completed_once(outside: Outside, mints: int) -> None:
    assert Request.objects.filter(status="COMPLETED").count() == mints
    assert outside.supply == mints * TOKEN
    assert Transaction.objects.count() == mints
    driving.assert_books_agree(outside)


def refusal(code: int, message: str) -> Answer:
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}}


def other_chain(method: str, params: Params, answer: Answer) -> Answer:
    return answer | ({"result": "0x1"} if method == "eth_chainId" else {})


def lower_nonce(method: str, params: Params, answer: Answer) -> Answer:
    return answer | ({"result": "0x0"} if method == "eth_getTransactionCount" else {})


def higher_nonce(method: str, params: Params, answer: Answer) -> Answer:
    return answer | ({"result": "0x3e8"} if method == "eth_getTransactionCount" else {})


def made_up_receipts(method: str, params: Params, answer: Answer) -> Answer:
    """In a block that there is, under a hash that there is not."""
    if method != "eth_getTransactionReceipt":
        return answer
    return answer | {
        "result": {
            "transactionHash": params[0],
            "blockNumber": "0x2",
            "blockHash": "0x" + "ab" * 32,
            "status": "0x1",
            "gasUsed": "0x5208",
        }
    }


def future_receipts(method: str, params: Params, answer: Answer) -> Answer:
    told = made_up_receipts(method, params, answer)
    if method == "eth_getTransactionReceipt":
        told["result"]["blockNumber"] = hex(2**40)
    return told


def other_hashes(method: str, params: Params, answer: Answer) -> Answer:
    """Whatever it takes, it answers with the hash of something else."""
    taken = method == "eth_sendRawTransaction"
    return answer | ({"result": "0x" + "cd" * 32} if taken else {})


def odd_headers(method: str, params: Params, answer: Answer) -> Answer:
    """Blocks by number have other hashes than the same ones as the latest."""
    if method != "eth_getBlockByNumber" or params[0] == "latest" or not answer.get("result"):
        return answer
    return answer | {"result": answer["result"] | {"hash": "0x" + "ef" * 32}}


def rate_limit(method: str, params: Params, answer: Answer) -> Answer:
    return refusal(-32005, "daily request count exceeded, request rate limited") | {
        "id": answer.get("id")
    }


def dear_tips(method: str, params: Params, answer: Answer) -> Answer:
    return answer | ({"result": hex(10**18)} if method == "eth_maxPriorityFeePerGas" else {})


LIES = (
    other_chain,
    lower_nonce,
    higher_nonce,
    made_up_receipts,
    future_receipts,
    other_hashes,
    odd_headers,
    rate_limit,
    dear_tips,
)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_of_one_provider_mints_nothing_twice_and_loses_nothing(
    outside: Outside, liar: Liar, settings: Settings, lie: Any
) -> None:
    settings.STABLECOIN_MAX_FEE_GWEI = 20
    liar.tale = lie
    driving.signed(outside, 2)
    driving.finish(outside)
    assert Transaction.objects.filter(request=None).count() == 0
    liar.tale = None
    adapters.forget()
    driving.age()
    driving.finish(outside)
    assert_completed_once(outside, 2)
    assert max(int(a.max_fee) for a in Attempt.objects.all()) <= 20 * GWEI


def test_receipts_that_nothing_agrees_with_change_no_status(outside: Outside, liar: Liar) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    liar.tale = made_up_receipts
    driving.relay()
    assert Request.objects.get(id=mint.id).status == "SUBMITTED"
    liar.tale = future_receipts
    driving.relay()
    assert Request.objects.get(id=mint.id).status == "SUBMITTED"


def test_a_nonce_that_one_provider_makes_up_leaves_no_gap(outside: Outside, liar: Liar) -> None:
    driving.relay()
    before = Relayer.objects.get().next_nonce
    liar.tale = higher_nonce
    driving.relay()
    assert Relayer.objects.get().next_nonce == before


def test_a_provider_without_receipts_is_asked_beside_the_others(outside: Outside) -> None:
    """All of them are asked before a transaction is taken for replaced and sent anew."""
    turn(outside, "a", null_receipts=True)
    driving.signed(outside)
    driving.finish(outside)
    driving.finish(outside)
    assert_completed_once(outside, 1)
    assert Transaction.objects.get().state == "FINAL"


@pytest.mark.parametrize("body", [b"<html><h1>502 Bad Gateway</h1></html>", b"", b"null", b"[]"])
def test_what_is_no_answer_at_all_is_asked_of_the_next(
    outside: Outside, liar: Liar, body: bytes
) -> None:
    liar.body = body
    driving.signed(outside)
    driving.finish(outside)
    assert_completed_once(outside, 1)
    assert in_use() == [False, True]


def in_use() -> list[bool]:
    """As the listener wrote it down for people."""
    return [provider["in_use"] for provider in ChainState.objects.get().providers]


def test_the_second_provider_takes_over_and_gives_back(outside: Outside) -> None:
    driving.signed(outside)
    turn(outside, "a", down=True)
    driving.finish(outside)
    assert in_use() == [False, True]
    evm.heal(outside.evm.url, CHAIN)
    # As after the pause that a silent provider is given.
    adapters.forget()
    driving.listen()
    assert in_use() == [True, False]
    assert_completed_once(outside, 1)


def test_a_provider_that_is_far_behind_is_not_asked(outside: Outside) -> None:
    outside.mine(12)
    driving.signed(outside)
    turn(outside, "a", lag_blocks=10)
    driving.finish(outside)
    assert in_use() == [False, True]
    evm.heal(outside.evm.url, CHAIN)
    assert_completed_once(outside, 1)


def test_time_runs_out_after_the_transaction_was_taken(outside: Outside) -> None:
    """The first time with every provider, and nobody knows; then they know it already."""
    driving.signed(outside, 2)
    turn(outside, *BOTH, swallow_sends=True)
    driving.relay()
    assert {a.answer.split()[0] for a in Attempt.objects.all()} == {"unknown"}
    assert set(Request.objects.values_list("status", flat=True)) == {"SIGNED"}
    evm.heal(outside.evm.url, CHAIN)
    adapters.forget()
    driving.age()
    driving.relay()
    assert {a.answer.split()[0] for a in Attempt.objects.all()} == {"known"}
    driving.finish(outside)
    assert_completed_once(outside, 2)


def test_a_provider_that_is_too_slow_is_waited_for_once(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of everything: it was the one in use."""
    driving.signed(outside)
    driving.relay()
    monkeypatch.setattr(pool, "PATIENCE_S", 2.0)
    turn(outside, "a", delay_ms=6_000)
    driving.finish(outside)
    assert in_use() == [False, True]
    evm.heal(outside.evm.url, CHAIN)
    assert_completed_once(outside, 1)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_node_software_is_understood(outside: Outside, dialect: str) -> None:
    """Too cheap, then known already, then with a used nonce, in the words of each."""
    turn(outside, *BOTH, dialect=dialect)
    evm.knobs(outside.evm.url, CHAIN, base_fee=30 * GWEI)
    (mint,) = driving.signed(outside)
    driving.relay()
    evm.knobs(outside.evm.url, CHAIN, base_fee=90 * GWEI)
    evm.rpc(outside.evm.url, CHAIN, "anvil_dropAllTransactions")
    outside.mine()
    driving.age()
    driving.relay()
    evm.knobs(outside.evm.url, CHAIN, base_fee=None)
    driving.age()
    driving.relay()
    assert Attempt.objects.latest("number").answer.startswith("known")
    driving.finish(outside)
    assert Request.objects.get(id=mint.id).status == "COMPLETED"
    assert_completed_once(outside, 1)

    # What is mined is sent once more: whatever the words are, it changes nothing.
    Transaction.objects.update(state="SIGNED", block_number=None, block_hash="", mined_hash="")
    driving.age()
    driving.relay()
    assert Attempt.objects.latest("number").answer.split()[0] in ("known", "nonce_too_low")
    assert outside.supply == TOKEN


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_empty_account_is_understood_in_every_dialect(outside: Outside, dialect: str) -> None:
    turn(outside, *BOTH, dialect=dialect)
    driving.signed(outside)
    relayer = RELAYERS[CHAIN].address
    evm.rpc(outside.evm.url, CHAIN, "anvil_setBalance", relayer, "0x1")
    driving.relay()
    assert Attempt.objects.get().answer.startswith("insufficient_funds")
    evm.rpc(outside.evm.url, CHAIN, "anvil_setBalance", relayer, hex(10**20))
    driving.age()
    driving.finish(outside)
    assert_completed_once(outside, 1)


def test_bytes_that_no_node_takes_hold_up_nobody_and_end_with_a_person(
    outside: Outside, liar: Liar, settings: Settings
) -> None:
    """The nonce is filled, and what comes after it is mined."""
    driving.use(settings, liar.url)

    hopeless, fine = driving.signed(outside, 2)
    name = hopeless.request_id.encode().hex()

    def boundless(method: str, params: Params, answer: Answer) -> Answer:
        estimates = method == "eth_estimateGas" and name in params[0]["data"]
        return answer | ({"result": hex(2**50)} if estimates else {})

    liar.tale = boundless
    driving.relay()
    refused = Attempt.objects.get(transaction__request=hopeless)
    assert refused.answer.startswith("refused")
    for _ in range(3):
        driving.finish(outside)
    assert Transaction.objects.get(id=refused.transaction_id).attempts.latest("id").cancels
    fine.refresh_from_db()
    hopeless.refresh_from_db()
    assert (fine.status, hopeless.status) == ("COMPLETED", "REVIEW")
    assert Transaction.objects.filter(request=hopeless).count() == 3
    assert outside.supply == TOKEN
