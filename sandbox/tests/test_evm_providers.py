"""Providers of a real chain, and what each of their knobs makes of their answers."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.evm import HOLDERS, heal, knobs, mine, provider_url, rpc, start_evm, stats
from sandbox.processes import Part
from sandbox.tests.conftest import wait_for
from sandbox.tests.evm_support import (
    CHAIN,
    GWEI,
    LOGGER_CODE,
    OTHER,
    REVERTS,
    height,
    nonce,
    receipt,
    signed,
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    part = start_evm(tmp_path_factory.mktemp("evm"), chains=(CHAIN, OTHER))
    mine(part.url, CHAIN, 5)
    yield part
    part.stop()


@pytest.fixture
def url(gateway: Part) -> Iterator[str]:
    yield gateway.url
    heal(gateway.url, CHAIN)
    rpc(gateway.url, CHAIN, "anvil_dropAllTransactions")


@pytest.fixture
def logger(url: str) -> str:
    """The address of a new contract with a log in each of the last three blocks."""
    creation = send(url, signed(nonce(url), to="", data=LOGGER_CODE))
    address = str(receipt(url, creation)["contractAddress"])
    to = address_of(address)
    for _ in range(3):
        send(url, signed(nonce(url), to=to, value=0))
    return address


def address_of(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def send(url: str, raw: str) -> str:
    name = str(rpc(url, CHAIN, "eth_sendRawTransaction", raw))
    wait_for(lambda: receipt(url, name) is not None, "the transaction is mined")
    return name


def refusal(url: str, method: str, *params: object) -> dict[str, Any]:
    with pytest.raises(ValueError, match="code") as caught:
        rpc(url, CHAIN, method, *params)
    answer: dict[str, Any] = caught.value.args[0]
    return answer


def test_a_batch_is_answered_in_order_with_and_without_knobs(url: str) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": "x", "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "id": 7, "method": "eth_blockNumber"},
        {"jsonrpc": "2.0", "id": 8, "method": "eth_unheard", "params": []},
    ]
    plain = httpx.post(provider_url(url, CHAIN), json=batch, trust_env=False).json()
    knobs(url, CHAIN, "a", null_receipts=True)
    turned = httpx.post(provider_url(url, CHAIN), json=batch, trust_env=False).json()
    assert turned == plain
    assert [answer["id"] for answer in plain] == ["x", 7, 8]
    assert plain[0]["result"] == hex(CHAIN)
    assert "error" in plain[2]


def test_what_is_no_json_rpc_is_a_bad_request(url: str) -> None:
    for body in (b"{", b"[1]", b"1"):
        answer = httpx.post(provider_url(url, CHAIN), content=body, trust_env=False)
        assert answer.status_code == 400


def test_calls_are_counted_by_method_and_provider(url: str) -> None:
    before = stats(url, CHAIN)["b"].get("eth_gasPrice", 0)
    rpc(url, CHAIN, "eth_gasPrice", node="b")
    after = stats(url, CHAIN)
    assert after["b"]["eth_gasPrice"] == before + 1
    assert "eth_gasPrice" not in after["a"]


def test_a_provider_that_is_down_closes_the_connection(url: str) -> None:
    knobs(url, CHAIN, "a", down=True)
    with pytest.raises(httpx.TransportError):
        height(url)
    assert height(url, node="b") > 0


def test_a_provider_answers_with_a_status(url: str) -> None:
    knobs(url, CHAIN, "b", http_status=429)
    answer = httpx.post(provider_url(url, CHAIN, "b"), json={}, trust_env=False)
    assert answer.status_code == 429
    assert height(url) > 0


def test_a_provider_takes_its_time(url: str) -> None:
    knobs(url, CHAIN, "a", delay_ms=300)
    started = time.monotonic()
    height(url)
    assert time.monotonic() - started >= 0.3


def test_a_swallowed_send_is_mined_without_an_answer(url: str) -> None:
    knobs(url, CHAIN, "a", swallow_sends=True)
    first = nonce(url)
    with pytest.raises(httpx.TransportError):
        rpc(url, CHAIN, "eth_sendRawTransaction", signed(first))
    wait_for(lambda: nonce(url) == first + 1, "it was executed")


def test_a_dropped_send_is_answered_with_the_right_hash(url: str) -> None:
    knobs(url, CHAIN, "a", drop_sends=True)
    raw = signed(nonce(url))
    name = rpc(url, CHAIN, "eth_sendRawTransaction", raw)
    assert rpc(url, CHAIN, "eth_getTransactionByHash", name) is None
    assert rpc(url, CHAIN, "eth_sendRawTransaction", raw, node="b") == name


def test_a_provider_that_lags_knows_nothing_newer(url: str, logger: str) -> None:
    name = send(url, signed(nonce(url)))
    head = height(url)
    counted = nonce(url)
    knobs(url, CHAIN, "b", lag_blocks=2)
    assert height(url, node="b") == head - 2

    def lagging(method: str, *params: object) -> Any:
        return rpc(url, CHAIN, method, *params, node="b")

    owner = HOLDERS[0].address
    assert lagging("eth_getBlockByNumber", "latest", False)["number"] == hex(head - 2)
    assert lagging("eth_getBlockByNumber", "finalized", False)["number"] == hex(head - 4)
    assert lagging("eth_getBlockByNumber", hex(head), False) is None
    newest = rpc(url, CHAIN, "eth_getBlockByNumber", hex(head), False)
    assert lagging("eth_getBlockByHash", newest["hash"], False) is None
    assert receipt(url, name, node="b") is None
    assert lagging("eth_getTransactionByHash", name)["blockNumber"] is None
    assert int(lagging("eth_getTransactionCount", owner, "latest"), 16) == counted - 2
    assert int(lagging("eth_getTransactionCount", owner), 16) == counted - 2
    query = {"address": logger, "fromBlock": "0x0", "toBlock": "latest"}
    assert len(rpc(url, CHAIN, "eth_getLogs", query)) == 3
    assert len(lagging("eth_getLogs", query)) == 2
    assert lagging("eth_getLogs", query | {"fromBlock": hex(head)}) == []
    with pytest.raises(ValueError, match="BlockOutOfRange"):
        lagging("eth_call", {"to": logger}, hex(head))
    mine(url, CHAIN, 2)
    assert receipt(url, name, node="b")["blockNumber"] == hex(head)


def test_a_provider_lies_about_its_height(url: str) -> None:
    head = height(url)
    true = rpc(url, CHAIN, "eth_getBlockByNumber", "latest", False)
    knobs(url, CHAIN, "a", lie_height=100)
    assert height(url) == head + 100
    claimed = rpc(url, CHAIN, "eth_getBlockByNumber", "latest", False)
    assert claimed["number"] == hex(head + 100)
    assert claimed["hash"] != true["hash"]
    assert rpc(url, CHAIN, "eth_getBlockByNumber", hex(head + 100), False) is None
    assert rpc(url, CHAIN, "eth_getBlockByNumber", hex(head), False) == true


def test_a_provider_is_of_another_chain(url: str) -> None:
    knobs(url, CHAIN, "a", chain_id=1)
    assert (rpc(url, CHAIN, "eth_chainId"), rpc(url, CHAIN, "net_version")) == ("0x1", "1")
    assert rpc(url, CHAIN, "eth_chainId", node="b") == hex(CHAIN)


def test_a_provider_has_no_receipts(url: str) -> None:
    name = send(url, signed(nonce(url)))
    knobs(url, CHAIN, "b", null_receipts=True)
    assert receipt(url, name, node="b") is None
    assert receipt(url, name) is not None


def test_logs_are_answered_up_to_a_limit(url: str, logger: str) -> None:
    head = height(url)
    query = {"address": logger, "fromBlock": hex(head - 2), "toBlock": hex(head)}
    knobs(url, CHAIN, "a", dialect="geth", max_log_range=2)
    assert refusal(url, "eth_getLogs", query)["message"] == "exceed maximum block range"
    assert len(rpc(url, CHAIN, "eth_getLogs", query | {"toBlock": hex(head - 1)})) == 2
    knobs(url, CHAIN, "a", max_log_range=3, max_log_results=2)
    assert refusal(url, "eth_getLogs", query)["code"] == -32005
    knobs(url, CHAIN, "a", max_log_results=3)
    assert len(rpc(url, CHAIN, "eth_getLogs", query)) == 3


# already known, nonce too low, replacement, fee too low, insufficient funds, reverted, range
WORDS = {
    "anvil": (-32003, -32003, -32003, -32003, -32003, 3, -32602),
    "geth": (-32000, -32000, -32000, -32000, -32000, 3, -32000),
    "reth": (-32000, -32000, -32000, -32000, -32003, 3, -32602),
    "erigon": (-32000, -32000, -32000, -32000, -32000, 3, -32000),
    "nethermind": (-32010, -32010, -32010, -32010, -32010, -32015, -32005),
    "besu": (-32000, -32001, -32000, -32009, -32004, -32000, -32005),
}


@pytest.mark.parametrize("dialect", WORDS)
def test_every_client_refuses_in_its_own_words(url: str, dialect: str) -> None:
    first = nonce(url)
    send(url, signed(first))
    knobs(url, CHAIN, stall=True)
    knobs(url, CHAIN, "a", dialect=dialect, max_log_range=1)
    waiting = signed(first + 1, maxFeePerGas=5 * GWEI)
    rpc(url, CHAIN, "eth_sendRawTransaction", waiting)
    lower = signed(first + 1, value=2, maxFeePerGas=4 * GWEI)
    refused = [
        refusal(url, "eth_sendRawTransaction", waiting),
        refusal(url, "eth_sendRawTransaction", signed(first)),
        refusal(url, "eth_sendRawTransaction", lower),
        refusal(
            url,
            "eth_sendRawTransaction",
            signed(first + 2, maxFeePerGas=1, maxPriorityFeePerGas=0),
        ),
        refusal(url, "eth_sendRawTransaction", signed(first + 2, value=10**30)),
        refusal(url, "eth_call", REVERTS, "latest"),
        refusal(url, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x5"}),
    ]
    assert tuple(error["code"] for error in refused) == WORDS[dialect]
    assert len({error["message"] for error in refused}) == len(refused)
    data = "Reverted 0x" if dialect == "nethermind" else "0x"
    assert refused[5]["data"] == data
