"""Real chains: blocks, reorganisations, restarts."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eth_account
import httpx
import psutil
import pytest

from fairlane.settings.published import PUBLISHED_KEYS as REFUSED_KEYS
from sandbox.evm import (
    CHAINS,
    HOLDERS,
    MNEMONIC,
    PUBLISHED_KEYS,
    heal,
    knobs,
    mine,
    reorg,
    rpc,
    start_evm,
)
from sandbox.evm_accounts import ACCOUNTS
from sandbox.processes import Part
from sandbox.tests.conftest import is_running, wait_for
from sandbox.tests.evm_support import (
    CHAIN,
    GWEI,
    OTHER,
    block_hash,
    height,
    nonce,
    receipt,
    signed,
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    part = start_evm(tmp_path_factory.mktemp("evm"), chains=(CHAIN, OTHER))
    yield part
    part.stop()


@pytest.fixture
def url(gateway: Part) -> Iterator[str]:
    yield gateway.url
    heal(gateway.url, CHAIN)
    rpc(gateway.url, CHAIN, "anvil_dropAllTransactions")


def send(url: str, raw: str) -> str:
    """Send a transaction that an instant chain mines at once; returns its hash."""
    name = str(rpc(url, CHAIN, "eth_sendRawTransaction", raw))
    wait_for(lambda: receipt(url, name) is not None, "the transaction is mined")
    return name


def test_the_accounts_are_those_of_the_mnemonic() -> None:
    eth_account.Account.enable_unaudited_hdwallet_features()
    for number, account in enumerate(ACCOUNTS):
        derived = eth_account.Account.from_mnemonic(
            MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}"
        )
        assert (derived.address, bytes(derived.key).hex()) == (account.address, account.key)


def test_production_refuses_every_key_of_the_sandbox() -> None:
    assert len(PUBLISHED_KEYS) == len(ACCOUNTS)
    assert PUBLISHED_KEYS < REFUSED_KEYS
    assert all(len(bytes.fromhex(key)) == 32 and key == key.lower() for key in REFUSED_KEYS)


def test_a_key_is_not_shown() -> None:
    assert HOLDERS[0].key not in repr(HOLDERS)


def test_every_chain_has_its_own_id_and_blocks(url: str) -> None:
    assert rpc(url, CHAIN, "eth_chainId") == hex(CHAIN)
    assert rpc(url, OTHER, "eth_chainId", node="b") == hex(OTHER)
    before = height(url, chain=OTHER)
    assert mine(url, CHAIN, 3) == height(url, node="b")
    assert height(url, chain=OTHER) == before
    assert CHAINS == (5920, 5921, 5922, 5923, 5924)


def test_health_tells_every_height(url: str) -> None:
    answer = httpx.get(f"{url}/health", trust_env=False)
    assert answer.status_code == 200
    assert set(answer.json()["chains"]) == {str(CHAIN), str(OTHER)}


def test_a_stalled_chain_makes_no_block_until_it_goes_on(url: str) -> None:
    knobs(url, CHAIN, stall=True)
    before = height(url)
    name = rpc(url, CHAIN, "eth_sendRawTransaction", signed(nonce(url)))
    assert rpc(url, CHAIN, "txpool_status")["pending"] == "0x1"
    assert (receipt(url, name), height(url)) == (None, before)
    knobs(url, CHAIN, stall=False)
    assert int(receipt(url, name)["blockNumber"], 16) == before + 1


def test_blocks_come_at_their_pace_and_stop(url: str) -> None:
    before = height(url)
    knobs(url, CHAIN, block_ms=20)
    wait_for(lambda: height(url) >= before + 5, "five blocks")
    name = rpc(url, CHAIN, "eth_sendRawTransaction", signed(nonce(url)))
    wait_for(lambda: receipt(url, name) is not None, "mined with the next block")
    knobs(url, CHAIN, block_ms=0)
    stopped = height(url)
    send(url, signed(nonce(url)))
    assert height(url) == stopped + 1


def test_the_base_fee_is_held(url: str) -> None:
    knobs(url, CHAIN, base_fee=7 * GWEI)
    mine(url, CHAIN, 2)
    name = send(url, signed(nonce(url), maxFeePerGas=9 * GWEI))
    assert int(receipt(url, name)["effectiveGasPrice"], 16) == 8 * GWEI
    block = rpc(url, CHAIN, "eth_getBlockByNumber", "latest", False)
    assert int(block["baseFeePerGas"], 16) == 7 * GWEI
    knobs(url, CHAIN, base_fee=None)
    mine(url, CHAIN, 40)
    block = rpc(url, CHAIN, "eth_getBlockByNumber", "latest", False)
    assert int(block["baseFeePerGas"], 16) < GWEI


def test_a_reorganisation_mines_the_same_transactions_in_later_blocks(url: str) -> None:
    start = height(url)
    first = nonce(url)
    names = [send(url, signed(first + number)) for number in range(3)]
    before = [receipt(url, name) for name in names]
    hashes = [block_hash(url, number) for number in range(start + 1, start + 4)]
    assert reorg(url, CHAIN, 3, "keep") == height(url) == start + 4
    after = [receipt(url, name) for name in names]
    assert all(
        int(new["blockNumber"], 16) > int(old["blockNumber"], 16)
        for old, new in zip(before, after, strict=True)
    )
    again = [block_hash(url, number) for number in range(start + 1, start + 4)]
    assert not set(hashes) & set(again)
    assert rpc(url, CHAIN, "eth_getBlockByHash", hashes[0], False) is None
    assert nonce(url) == first + 3


def test_a_reorganisation_may_lose_transactions(url: str) -> None:
    first = nonce(url)
    raw = signed(first)
    name = send(url, raw)
    mine(url, CHAIN, 2)
    reorg(url, CHAIN, 3, "drop")
    assert receipt(url, name) is None
    assert rpc(url, CHAIN, "eth_getTransactionByHash", name) is None
    assert rpc(url, CHAIN, "txpool_status") == {"pending": "0x0", "queued": "0x0"}
    assert nonce(url) == first
    assert send(url, raw) == name


def test_the_pool_outlives_a_reorganisation(url: str) -> None:
    first = nonce(url)
    mined = send(url, signed(first))
    knobs(url, CHAIN, stall=True)
    waiting = rpc(url, CHAIN, "eth_sendRawTransaction", signed(first + 1))
    reorg(url, CHAIN, 1, "keep")
    assert receipt(url, mined) is not None
    assert receipt(url, waiting) is None
    mine(url, CHAIN)
    assert receipt(url, waiting) is not None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("knobs", {"speed": 1}),
        ("knobs", {"stall": 1}),
        ("knobs", {"base_fee": "7"}),
        ("knobs", {"block_ms": -1}),
        ("knobs", []),
        ("reorg", {"depth": 0, "transactions": "keep"}),
        ("reorg", {"depth": 31, "transactions": "keep"}),
        ("reorg", {"depth": 1, "transactions": "lose"}),
        ("reorg", {"depth": 1}),
        ("mine", {"blocks": 0}),
        ("mine", {"blocks": True}),
        ("a/knobs", {"lag_blocks": 31}),
        ("a/knobs", {"dialect": "parity"}),
        ("a/knobs", {"http_status": 200}),
        ("b/knobs", {"base_fee": 1}),
    ],
)
def test_odd_requests_are_refused_and_change_nothing(url: str, path: str, body: Any) -> None:
    before = height(url)
    answer = httpx.post(f"{url}/{CHAIN}/{path}", json=body, trust_env=False)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert height(url) == before


def test_a_reorganisation_deeper_than_the_chain_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="there are only"):
        reorg(url, OTHER, 1)


@pytest.mark.parametrize("path", ["7/a", f"{CHAIN}/c", "7/knobs"])
def test_what_does_not_exist_is_not_found(url: str, path: str) -> None:
    assert httpx.post(f"{url}/{path}", json={}, trust_env=False).status_code == 404


def test_a_restart_continues_the_chain(tmp_path: Path) -> None:
    part = start_evm(tmp_path, chains=(CHAIN,))
    name = send(part.url, signed(0))
    mine(part.url, CHAIN, 10)
    head = height(part.url)
    hashes = [block_hash(part.url, number) for number in range(head + 1)]
    part.stop()
    assert part.process.returncode == 0
    part = start_evm(tmp_path, chains=(CHAIN,))
    try:
        assert [block_hash(part.url, number) for number in range(head + 1)] == hashes
        assert int(receipt(part.url, name)["blockNumber"], 16) == 1
        at = hex(head - 5)
        balance = rpc(part.url, CHAIN, "eth_getTransactionCount", HOLDERS[0].address, at)
        assert balance == "0x1"
        reorg(part.url, CHAIN, head, "drop")
        assert nonce(part.url) == 0
    finally:
        part.stop()


def test_an_anvil_that_dies_comes_back_and_none_outlives_the_gateway(tmp_path: Path) -> None:
    part = start_evm(tmp_path, chains=(CHAIN, OTHER), block_ms=50)
    try:
        (one, two) = children(part)
        os.kill(one, signal.SIGKILL)

        def is_back() -> bool:
            healthy = httpx.get(f"{part.url}/health", trust_env=False).status_code == 200
            return healthy and len(set(children(part)) - {one}) == 2

        wait_for(is_back, "a new anvil")
        assert two in children(part)
        heights = [height(part.url, chain=chain) for chain in (CHAIN, OTHER)]
        wait_for(lambda: height(part.url) > heights[0], "blocks go on")
        left = children(part)
        part.kill()
        wait_for(lambda: not any(is_running(pid) for pid in left), "anvils end with the gateway")
    finally:
        part.stop()
    again = start_evm(tmp_path, chains=(CHAIN, OTHER))
    assert height(again.url) >= heights[0]
    again.stop()


def children(part: Part) -> list[int]:
    return [child.pid for child in psutil.Process(part.pid).children() if "anvil" in child.name()]
