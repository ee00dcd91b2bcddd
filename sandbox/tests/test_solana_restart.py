"""The Solana node's ledger: what survives, and when it cannot be opened."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.tests.solana_support import (
    HOLDING,
    MINTS,
    SOL,
    WALLETS,
    Node,
    memo,
    move,
    pay,
    running,
    signed,
)

ALICE, BOB = WALLETS[:2]
# Far less than the supervisor waits before it kills, on a machine that is busy as well.
SOON_S = 5


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path) as node:
        yield node


def test_a_killed_node_continues_its_chain(node: Node) -> None:
    genesis_hash, blockhash = node.result("getGenesisHash"), node.blockhash()
    paid = signed(blockhash, [ALICE], pay(ALICE, BOB.address, SOL), memo("fairlane:paid"))
    failed = signed(blockhash, [ALICE], pay(ALICE, BOB.address, 100 * SOL))
    moved = signed(blockhash, [ALICE], move(ALICE, BOB, MINTS[0], 9))
    for transaction in (paid, failed, moved):
        node.land(transaction)
    before = [node.transaction(transaction) for transaction in (paid, failed, moved)]
    slot = node.slot("confirmed")

    node.stop(signal.SIGKILL)
    node.genesis.unlink()  # the ledger alone is the chain now
    node.start()

    assert node.result("getGenesisHash") == genesis_hash
    assert node.slot("confirmed") >= slot
    assert [node.transaction(transaction) for transaction in (paid, failed, moved)] == before
    assert node.status(failed)["err"] == {"InstructionError": [0, {"Custom": 1}]}
    balance = node.result("getTokenAccountBalance", str(BOB.account(MINTS[0])))["value"]
    assert balance["amount"] == str(HOLDING + 9)
    assert node.result("getBalance", str(BOB.address))["value"] == 11 * SOL
    rows = node.result("getSignaturesForAddress", str(ALICE.address), {"commitment": "confirmed"})
    assert [row["signature"] for row in rows] == [
        str(transaction.signatures[0]) for transaction in (moved, failed, paid)
    ]
    assert node.get("/memos") == {"fairlane:paid": 1}
    node.land(paid)  # a duplicate still
    assert node.get("/memos") == {"fairlane:paid": 1}
    assert node.result("isBlockhashValid", str(blockhash))["value"]
    node.land(signed(blockhash, [BOB], memo()))


def test_what_was_confirmed_survives_a_kill_at_any_moment(node: Node) -> None:
    confirmed = []
    for round_ in range(3):
        blockhash = node.blockhash()
        sent = [signed(blockhash, [ALICE], memo(f"{round_} {i}")) for i in range(20)]
        for transaction in sent:
            node.send(transaction)
        node.land(sent[-1])
        confirmed += sent
        node.send(signed(blockhash, [ALICE], memo()))
        node.stop(signal.SIGKILL)
        node.start()
    assert all(node.status(transaction)["err"] is None for transaction in confirmed)
    assert len(node.get("/memos")) in range(60, 64)


def test_a_clean_stop_is_fast_and_loses_nothing(node: Node) -> None:
    sent = signed(node.blockhash(), [ALICE], memo())
    node.send(sent)
    assert node.stop(signal.SIGTERM) < SOON_S
    assert node.process is not None
    assert node.process.returncode == 0
    node.start()
    assert node.status(sent)["err"] is None
    assert node.stop(signal.SIGINT) < SOON_S


def test_torn_tails_are_cut_off(node: Node) -> None:
    kept = signed(node.blockhash(), [ALICE], pay(ALICE, BOB.address, SOL))
    node.land(kept)
    slot = node.slot("confirmed")
    node.stop(signal.SIGKILL)
    for name in ("state.log", "transactions.log"):
        with (node.ledger / name).open("ab") as log:
            log.write(b"\x99\x00\x00\x00torn")
    node.start()
    assert node.status(kept)["err"] is None
    assert node.slot("confirmed") >= slot
    again = signed(node.blockhash(), [ALICE], pay(ALICE, BOB.address, SOL))
    node.land(again)
    node.stop(signal.SIGKILL)
    node.start()
    assert node.transaction(again)["meta"]["err"] is None


def test_a_fork_survives_a_kill(tmp_path: Path) -> None:
    with running(tmp_path, finality=1_000) as node:
        kept = signed(node.blockhash(), [ALICE], pay(ALICE, BOB.address, SOL))
        node.land(kept)
        node.stop()
        node.start()  # roots what it finds
        lost = signed(node.blockhash(), [ALICE], pay(ALICE, BOB.address, SOL))
        node.land(lost)
        assert node.post({"fork": 1_000}, "/faults")["dropped"] == [str(lost.signatures[0])]
        after = signed(node.blockhash("finalized"), [ALICE], memo("after"))
        node.land(after)
        node.stop(signal.SIGKILL)
        node.start()
        assert node.status(lost) is None
        assert node.status(kept)["confirmationStatus"] == "finalized"
        assert node.status(after)["err"] is None
        assert node.result("getBalance", str(BOB.address))["value"] == 11 * SOL


@pytest.mark.parametrize("name", ["state.log", "transactions.log"])
def test_a_damaged_ledger_is_refused_with_its_place(node: Node, name: str) -> None:
    node.land(signed(node.blockhash(), [ALICE], memo()))
    node.stop()
    path = node.ledger / name
    data = bytearray(path.read_bytes())
    data[20] ^= 0xFF
    path.write_bytes(data)
    process = node.spawn()
    _, errors = process.communicate()
    assert process.returncode == 2
    assert errors.startswith(f"solana: {path} is damaged at byte")
    assert errors.count("\n") == 1


def test_a_ledger_opens_in_one_node_only(node: Node, tmp_path: Path) -> None:
    with closing(Node(tmp_path)) as second:
        process = second.spawn()
        _, errors = process.communicate()
    assert process.returncode == 2
    assert errors == f"solana: the ledger {node.ledger} is open in another node\n"
    assert node.result("getHealth") == "ok"


def test_a_taken_port_is_named(node: Node, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with closing(Node(tmp_path / "second")) as second:
        second.port = node.port - 1  # its WebSocket port is the first node's
        process = second.spawn()
        _, errors = process.communicate()
    assert process.returncode == 2
    assert errors == f"solana: cannot listen on 127.0.0.1:{node.port}: Address already in use\n"


def test_a_bad_genesis_is_named(tmp_path: Path) -> None:
    with closing(Node(tmp_path)) as node:
        node.genesis.write_text('{"accounts":[{"address":"x"}]}')
        process = node.spawn()
        _, errors = process.communicate()
    assert process.returncode == 2
    assert errors.startswith(f"solana: cannot load the genesis file {node.genesis}")
    with running(tmp_path) as repaired:
        assert repaired.result("getHealth") == "ok"
