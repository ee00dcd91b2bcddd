"""The same transactions on our node and on Surfpool, another node with the same runtime."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.transaction import VersionedTransaction

from sandbox.tests.solana_support import (
    MINTS,
    REPOSITORY,
    SOL,
    WALLETS,
    Node,
    genesis,
    memo,
    move,
    pay,
    running,
    send_call,
    signed,
    wait_for,
)

ADDON = REPOSITORY / "node_modules/@solana/surfpool-linux-x64-gnu"
START = """
const { Surfnet } = require(process.argv[1]);
console.log(Surfnet.startWithConfig({ offline: true, slotTimeMs: 50 }).rpcUrl);
process.stdin.on("end", () => process.exit(0)).resume();
"""
ALICE, BOB = WALLETS[:2]
CONFIRMED = {"commitment": "confirmed"}


class Peer:
    """A node that takes one call per request."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=15)

    def call(self, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return self.http.post("/", json=body).json()

    def blockhash(self) -> Hash:
        latest = self.call("getLatestBlockhash", CONFIRMED)["result"]["value"]
        return Hash.from_string(latest["blockhash"])


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("crosscheck")) as node:
        yield node


@pytest.fixture(scope="module")
def theirs() -> Iterator[Peer]:
    node = shutil.which("node")
    if node is None or not ADDON.is_dir():
        pytest.skip(f"NO CROSS-CHECK: Surfpool is not installed at {ADDON}, run `npm ci`")
    process = subprocess.Popen(
        [node, "-e", START, str(ADDON)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        peer = Peer(process.stdout.readline().strip())
        with peer.http:
            for account in genesis()["accounts"]:
                data = base64.b64decode(account["data"]).hex()
                fields = {"lamports": account["lamports"], "owner": account["owner"], "data": data}
                answer = peer.call("surfnet_setAccount", account["address"], fields)
                assert "error" not in answer, answer
            yield peer
    finally:
        process.communicate()


def effects(peer: Node | Peer, transaction: VersionedTransaction) -> Any:
    """What a transaction did, as far as it does not depend on the node's time."""
    signature = str(transaction.signatures[0])
    options = {**CONFIRMED, "encoding": "json", "maxSupportedTransactionVersion": 0}
    found = wait_for(lambda: peer.call("getTransaction", signature, options)["result"])
    (status,) = peer.call("getSignatureStatuses", [signature])["result"]["value"]
    names = ("err", "fee", "status", "logMessages", "computeUnitsConsumed", "loadedAddresses")
    meta = {name: found["meta"][name] for name in names}
    for name in ("preTokenBalances", "postTokenBalances"):
        meta[name] = sorted(found["meta"][name], key=lambda row: row["accountIndex"])
        for row in meta[name]:
            del row["uiTokenAmount"]["uiAmountString"]  # Surfpool's is in base units
    for name in ("preBalances", "postBalances"):
        meta[name] = found["meta"][name]
    message = found["transaction"]["message"]
    del message["recentBlockhash"]
    for instruction in message["instructions"]:
        instruction.pop("stackHeight")
    return meta, message, found["version"], status["err"]


@pytest.mark.parametrize(
    "instructions",
    [
        [pay(ALICE, BOB.address, SOL)],
        [move(ALICE, BOB, MINTS[0], 5), move(BOB, ALICE, MINTS[1], 7), memo("fairlane:1")],
        [move(ALICE, BOB, MINTS[0], 10**15)],
        [pay(ALICE, BOB.address, 100 * SOL)],
    ],
    ids=["payment", "swap", "too many tokens", "too many lamports"],
)
def test_both_nodes_tell_the_same_of_a_transaction(
    ours: Node, theirs: Peer, instructions: list[Instruction]
) -> None:
    told = []
    for peer in (ours, theirs):
        both = any(BOB.address == each.pubkey for i in instructions for each in i.accounts[3:])
        sent = signed(peer.blockhash(), [ALICE, BOB] if both else [ALICE], *instructions)
        answer = peer.call(*send_call(sent))
        assert answer["result"] == str(sent.signatures[0])
        told.append(effects(peer, sent))
    assert told[0] == told[1]


def test_both_nodes_refuse_a_failing_transaction_alike(ours: Node, theirs: Peer) -> None:
    told = []
    for peer in (ours, theirs):
        sent = signed(peer.blockhash(), [ALICE], pay(ALICE, BOB.address, 100 * SOL))
        error = peer.call(*send_call(sent, skipPreflight=False))["error"]
        # Surfpool appends the logs to the message.
        message = error["message"].split(": 3 log messages")[0]
        told.append((error["code"], message, error["data"]["err"], error["data"]["logs"]))
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("getMinimumBalanceForRentExemption", [165]),
        ("getSignatureStatuses", [["1" * 64]]),
        ("getTransaction", ["1" * 64, {"encoding": "json"}]),
        ("getBalance", [str(WALLETS[5].address)]),
    ],
)
def test_both_nodes_answer_alike(
    ours: Node, theirs: Peer, method: str, params: list[object]
) -> None:
    told = []
    for peer in (ours, theirs):
        result = peer.call(method, *params)["result"]
        told.append(result["value"] if isinstance(result, dict) else result)
    assert told[0] == told[1]
