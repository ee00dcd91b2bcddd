"""Faults on demand, and the count of what has executed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.tests.solana_support import (
    SOL,
    WALLETS,
    Node,
    memo,
    pay,
    running,
    send_call,
    signed,
    wait_for,
)

ALICE, BOB, CAROL, DAVE = WALLETS[:4]
OFF = {"dropRate": 0, "delayMs": 0, "errorRate": 0, "lostAnswerRate": 0, "rpcErrors": {}}


@pytest.fixture(scope="module")
def running_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("faults")) as node:
        yield node


@pytest.fixture
def slow_to_finalize(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path, slot_ms=10, finality=100) as node:
        yield node


@pytest.fixture
def node(running_node: Node) -> Iterator[Node]:
    yield running_node
    running_node.post(OFF, "/faults")


def test_a_dropped_transaction_is_accepted_and_never_executed(node: Node) -> None:
    node.post({"dropRate": 1}, "/faults")
    sent = signed(node.blockhash(), [ALICE], memo("dropped"))
    assert node.send(sent)["result"] == str(sent.signatures[0])
    node.post({"dropRate": 0}, "/faults")
    assert node.status(sent) is None
    node.land(sent)
    assert node.get("/memos", prefix="dropped") == {"dropped": 1}


def test_answers_are_delayed(node: Node) -> None:
    node.post({"delayMs": 150}, "/faults")
    began = time.monotonic()
    node.result("getHealth")
    assert time.monotonic() - began >= 0.15


@pytest.mark.parametrize("status", [429, 503])
def test_requests_fail_with_an_http_status_and_are_not_served(node: Node, status: int) -> None:
    sent = signed(node.blockhash(), [ALICE], memo())
    node.post({"errorRate": 1, "httpStatus": status}, "/faults")
    _, text, options = send_call(sent)
    body = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": [text, options]}
    answer = httpx.post(node.url, json=body)
    assert (answer.status_code, answer.content) == (status, b"")
    node.post({"errorRate": 0}, "/faults")
    assert node.status(sent) is None


def test_a_lost_answer_was_served(node: Node) -> None:
    sent = signed(node.blockhash(), [ALICE], memo())
    node.post({"lostAnswerRate": 1, "httpStatus": 503}, "/faults")
    _, text, options = send_call(sent)
    body = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": [text, options]}
    assert httpx.post(node.url, json=body).status_code == 503
    node.post({"lostAnswerRate": 0}, "/faults")
    assert node.status(sent)["err"] is None


def test_methods_answer_the_error_they_are_told(node: Node) -> None:
    node.post({"rpcErrors": {"getSlot": -32005}}, "/faults")
    slot, health = node.batch(("getSlot",), ("getHealth",))
    assert slot["error"]["code"] == -32005
    assert health["result"] == "ok"
    assert node.get("/faults")["rpcErrors"] == {"getSlot": -32005}


@pytest.mark.parametrize(
    "fault",
    [{"dropRate": 2}, {"colour": 1}, {"httpStatus": 200}, {"fork": 0}, [], {"delayMs": "1"}],
)
def test_faults_that_do_not_exist_are_refused_whole(node: Node, fault: object) -> None:
    if isinstance(fault, dict):
        fault = {"rpcErrors": {"getSlot": 1}, **fault}
    answer = httpx.post(f"{node.url}/faults", json=fault)
    assert answer.status_code == 400
    assert "error" in answer.json()
    assert node.get("/faults")["rpcErrors"] == {}


def test_a_fork_takes_back_what_was_not_finalized(slow_to_finalize: Node) -> None:
    node = slow_to_finalize
    kept = signed(node.blockhash(), [BOB], pay(BOB, CAROL.address, SOL), memo("kept"))
    node.land(kept, "finalized")
    height = node.result("getBlockHeight", {"commitment": "finalized"})
    blockhash = node.blockhash("finalized")
    lost = signed(blockhash, [BOB], pay(BOB, CAROL.address, SOL), memo("lost"))
    node.land(lost)
    young = node.blockhash("confirmed")
    slot = node.slot("processed")

    dropped = node.post({"fork": 100}, "/faults")["dropped"]

    assert dropped == [str(lost.signatures[0])]
    assert node.status(lost, searchTransactionHistory=True) is None
    assert node.transaction(lost) is None
    balances = [
        node.result("getBalance", str(wallet.address), {"commitment": "processed"})["value"]
        for wallet in (BOB, CAROL)
    ]
    assert balances == [9 * SOL - 5_000, 11 * SOL]
    assert node.get("/memos", prefix="kept") == {"kept": 1}
    assert node.get("/memos", prefix="lost") == {}
    rows = node.result("getSignaturesForAddress", str(BOB.address), {"commitment": "confirmed"})
    assert [row["signature"] for row in rows] == [str(kept.signatures[0])]
    assert not node.result("isBlockhashValid", str(young), {"commitment": "processed"})["value"]
    assert node.slot("processed") > slot
    assert node.result("getBlockHeight", {"commitment": "finalized"}) >= height
    # Its blockhash is older than the fork, so the same bytes may still land, and do so once.
    node.land(lost, "finalized")
    assert node.get("/memos", prefix="lost") == {"lost": 1}


def test_a_fork_never_takes_back_what_was_finalized(node: Node) -> None:
    kept = signed(node.blockhash(), [DAVE], memo())
    node.land(kept, "finalized")
    assert str(kept.signatures[0]) not in node.post({"fork": 1_000}, "/faults")["dropped"]
    assert node.status(kept)["confirmationStatus"] == "finalized"
    node.land(signed(node.blockhash(), [DAVE], memo()), "finalized")


def test_skipped_slots_have_no_block(node: Node) -> None:
    levels = {"commitment": "processed"}
    slot, height = (
        answer["result"] for answer in node.batch(("getSlot", levels), ("getBlockHeight", levels))
    )
    node.post({"skipSlots": 5}, "/faults")

    def gap() -> tuple[int, int]:
        now, blocks = node.batch(("getSlot", levels), ("getBlockHeight", levels))
        return now["result"] - slot, blocks["result"] - height

    slots, blocks = wait_for(lambda: (seen := gap())[0] > 6 and seen)
    assert slots - blocks == 5
    sent = signed(node.blockhash(), [DAVE], memo())
    node.land(sent, "finalized")


def test_memos_count_successful_executions_only(node: Node) -> None:
    blockhash = node.blockhash()
    good = [
        signed(blockhash, [wallet], memo("count:a"), memo("count:b")) for wallet in (ALICE, BOB)
    ]
    bad = signed(blockhash, [ALICE], memo("count:a"), pay(ALICE, BOB.address, 100 * SOL))
    for transaction in [*good, good[0], bad]:
        node.land(transaction)
    assert node.get("/memos", prefix="count:") == {"count:a": 2, "count:b": 2}
    assert node.get("/memos", prefix="none") == {}
