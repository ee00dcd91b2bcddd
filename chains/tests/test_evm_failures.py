"""The words of nodes, one row for each client and message."""

from typing import Any

import pytest

from chains.errors import ChainError, Definitive, Transient
from chains.evm.failures import CallReverted, SendAnswered, Unready, of_evm_rpc
from chains.evm.ports import RangeTooLarge, SendResult

SENDS: list[tuple[str, int, str, SendResult]] = [
    ("geth", -32000, "already known", "known"),
    ("geth", -32000, "known transaction: 0x6e4c", "known"),
    ("geth", -32000, "nonce too low: next nonce 5, tx nonce 4", "nonce_too_low"),
    ("geth", -32000, "replacement transaction underpriced", "underpriced"),
    (
        "geth",
        -32000,
        "transaction underpriced: gas tip cap 0, minimum needed 1",
        "underpriced",
    ),
    (
        "geth",
        -32000,
        "max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 7",
        "underpriced",
    ),
    (
        "geth",
        -32000,
        "insufficient funds for gas * price + value: balance 0, tx cost 42, overshot 42",
        "insufficient_funds",
    ),
    ("geth", -32000, "intrinsic gas too low: gas 20000, minimum needed 21000", "refused"),
    ("geth", -32000, "exceeds block gas limit", "refused"),
    ("geth", -32000, "invalid sender", "refused"),
    ("geth", -32000, "invalid chain id for signer: have 1 want 5920", "refused"),
    ("geth", -32000, "oversized data: transaction size 131073, limit 131072", "refused"),
    ("geth", -32000, "transaction type not supported", "refused"),
    (
        "geth",
        -32000,
        "max priority fee per gas higher than max fee per gas: address 0x00",
        "refused",
    ),
    ("geth", -32000, "txpool is full", "unknown"),
    ("geth", -32000, "future transaction tries to replace pending", "unknown"),
    ("reth", -32000, "already known", "known"),
    ("reth", -32000, "nonce too low: next nonce 1, tx nonce 0", "nonce_too_low"),
    ("reth", -32000, "replacement transaction underpriced", "underpriced"),
    ("reth", -32000, "max fee per gas less than block base fee", "underpriced"),
    (
        "reth",
        -32003,
        "insufficient funds for gas * price + value: have 0 want 1",
        "insufficient_funds",
    ),
    ("reth", -32602, "invalid transaction signature", "refused"),
    ("erigon", -32000, "ALREADY_EXISTS: already known", "known"),
    ("erigon", -32000, "INTERNAL_ERROR: existing txn with same hash", "known"),
    ("erigon", -32000, "INTERNAL_ERROR: existing tx with same hash", "known"),
    ("erigon", -32000, "INTERNAL_ERROR: nonce too low", "nonce_too_low"),
    ("erigon", -32000, "INTERNAL_ERROR: replacement transaction underpriced", "underpriced"),
    ("erigon", -32000, "INTERNAL_ERROR: could not replace existing tx", "underpriced"),
    ("erigon", -32000, "FEE_TOO_LOW: underpriced", "underpriced"),
    ("erigon", -32000, "INTERNAL_ERROR: fee too low", "underpriced"),
    ("erigon", -32000, "INTERNAL_ERROR: insufficient funds", "insufficient_funds"),
    ("erigon", -32000, "INTERNAL_ERROR: IntrinsicGas", "refused"),
    ("erigon", -32000, "INTERNAL_ERROR: gas limit is too high", "refused"),
    ("erigon", -32000, "INTERNAL_ERROR: pending sub-pool is full", "unknown"),
    ("nethermind", -32010, "AlreadyKnown", "known"),
    ("nethermind", -32010, "OldNonce, Current nonce: 5, nonce of rejected tx: 4", "nonce_too_low"),
    ("nethermind", -32010, "NonceTooLow", "nonce_too_low"),
    ("nethermind", -32010, "FeeTooLow, MaxFeePerGas too low", "underpriced"),
    ("nethermind", -32010, "FeeTooLowToCompete", "underpriced"),
    ("nethermind", -32010, "ReplacementNotAllowed", "underpriced"),
    ("nethermind", -32010, "InsufficientFunds, Account balance: 0", "insufficient_funds"),
    (
        "nethermind",
        -32010,
        "GasLimitExceeded, Gas limit: 1",
        "refused",
    ),
    ("nethermind", -32010, "NonceGap, Future nonce. Expected nonce: 5", "unknown"),
    ("besu", -32000, "Known transaction", "known"),
    ("besu", -32001, "Nonce too low", "nonce_too_low"),
    ("besu", -32000, "Replacement transaction underpriced", "underpriced"),
    ("besu", -32009, "Gas price below configured minimum gas price", "underpriced"),
    ("besu", -32009, "Gas price below current base fee", "underpriced"),
    ("besu", -32004, "Upfront cost exceeds account balance", "insufficient_funds"),
    ("besu", -32003, "Intrinsic gas exceeds gas limit", "refused"),
    ("besu", -32005, "Transaction gas limit exceeds block gas limit", "refused"),
    ("besu", -32002, "Invalid signature", "refused"),
    ("besu", -32000, "Wrong chainId", "refused"),
    ("besu", -32602, "Invalid transaction type", "refused"),
    ("besu", -32006, "Nonce too high", "unknown"),
    ("anvil", -32003, "transaction already imported", "known"),
    ("anvil", -32003, "Tx: [0x6e4c] already Imported", "known"),
    ("anvil", -32003, "nonce too low", "nonce_too_low"),
    ("anvil", -32003, "replacement transaction underpriced", "underpriced"),
    (
        "anvil",
        -32003,
        "Tx: [0x6e4c] insufficient gas price to replace existing transaction",
        "underpriced",
    ),
    ("anvil", -32003, "max fee per gas less than block base fee", "underpriced"),
    ("anvil", -32003, "Insufficient funds for gas * price + value", "insufficient_funds"),
    ("anvil", -32003, "intrinsic gas too low", "refused"),
    ("anvil", -32003, "intrinsic gas too high -- gas 9 above 8", "refused"),
    # It has the words of a known transaction.
    ("anvil", -32603, "Unknown transaction type not supported", "refused"),
    ("anybody", -32603, "internal error", "unknown"),
    ("anybody", -32000, "words of tomorrow", "unknown"),
]


@pytest.mark.parametrize(("client", "code", "message", "result"), SENDS)
def test_what_a_node_says_to_a_transaction(
    client: str, code: int, message: str, result: SendResult
) -> None:
    error = of_evm_rpc({"code": code, "message": message}, "eth_sendRawTransaction")
    assert isinstance(error, SendAnswered)
    assert (error.sent.result, error.sent.message) == (result, message)


READS: list[tuple[str, str, int, str, type[ChainError]]] = [
    ("geth", "eth_getLogs", -32005, "query returned more than 10000 results", RangeTooLarge),
    ("geth", "eth_getLogs", -32000, "exceed maximum block range: 50000", RangeTooLarge),
    ("reth", "eth_getLogs", -32602, "query exceeds max block range 100000", RangeTooLarge),
    ("reth", "eth_getLogs", -32602, "query exceeds max results 20000", RangeTooLarge),
    (
        "erigon",
        "eth_getLogs",
        -32000,
        "query block range exceeds server limit",
        RangeTooLarge,
    ),
    ("nethermind", "eth_getLogs", -32005, "Block range is too large", RangeTooLarge),
    ("nethermind", "eth_getLogs", -32005, "Too many logs requested", RangeTooLarge),
    (
        "besu",
        "eth_getLogs",
        -32005,
        "Requested range exceeds maximum RPC range limit",
        RangeTooLarge,
    ),
    ("host", "eth_getLogs", -32600, "block range is too wide", RangeTooLarge),
    ("host", "eth_getLogs", -32614, "eth_getLogs is limited to a 10,000 range", RangeTooLarge),
    (
        "host",
        "eth_getLogs",
        -32602,
        "eth_getLogs is limited to 0 - 50 blocks range",
        RangeTooLarge,
    ),
    (
        "host",
        "eth_getLogs",
        35,
        "ranges over 10000 blocks are not supported on freetier",
        RangeTooLarge,
    ),
    (
        "host",
        "eth_getLogs",
        -32602,
        "Log response size exceeded. This block range should work: [0x1, 0x2]",
        RangeTooLarge,
    ),
    # Fewer blocks would not help.
    ("reth", "eth_getLogs", -32602, "block range extends beyond current head block", Unready),
    ("geth", "eth_call", -32000, "header not found", Unready),
    ("geth", "eth_call", -32000, "missing trie node 0a (path )", Unready),
    ("reth", "eth_call", -32001, "block not found: 0x9", Unready),
    ("reth", "eth_getLogs", 4444, "pruned history unavailable", Unready),
    ("besu", "eth_call", -39001, "Unknown block", Unready),
    ("besu", "eth_getBalance", -32008, "Initial sync is still in progress", Unready),
    ("anvil", "eth_call", -32602, "BlockOutOfRangeError: height is 5, asked was 9", Unready),
    ("anybody", "eth_call", -32603, "internal error", Unready),
    ("geth", "eth_estimateGas", -32000, "gas required exceeds allowance (50000)", CallReverted),
    ("geth", "eth_call", -32000, "invalid opcode: INVALID", CallReverted),
    ("geth", "eth_call", -32000, "out of gas", CallReverted),
    ("geth", "eth_getBalance", -32601, "the method does not exist", Definitive),
    ("host", "eth_getLogs", 429, "slow down", Transient),
    ("host", "eth_call", -32005, "daily request count exceeded, request rate limited", Transient),
    ("host", "eth_call", -32007, "50/second request limit reached", Transient),
    ("host", "eth_sendRawTransaction", -32005, "limit exceeded", Transient),
    ("host", "eth_call", -32016, "your app has exceeded its compute units per second", Transient),
]


@pytest.mark.parametrize(("client", "method", "code", "message", "kind"), READS)
def test_what_a_node_says_to_a_question(
    client: str, method: str, code: int, message: str, kind: type[ChainError]
) -> None:
    error = of_evm_rpc({"code": code, "message": message}, method)
    assert type(error) is kind
    assert message in str(error)


ERROR = bytes.fromhex("08c379a0") + b"\x01" * 32


@pytest.mark.parametrize(
    ("client", "error"),
    [
        ("geth", {"code": 3, "message": "execution reverted", "data": "0x" + ERROR.hex()}),
        ("reth", {"code": 3, "message": "execution reverted: why", "data": "0x" + ERROR.hex()}),
        ("anvil", {"code": 3, "message": "execution reverted: custom", "data": "0x" + ERROR.hex()}),
        (
            "nethermind",
            {"code": -32015, "message": "VM execution error.", "data": "Reverted 0x" + ERROR.hex()},
        ),
        (
            "besu",
            {"code": -32000, "message": "Execution reverted", "data": "0x" + ERROR.hex()},
        ),
        (
            "hardhat",
            {
                "code": -32603,
                "message": "VM Exception while processing transaction: reverted",
                "data": {"message": "reverted", "data": "0x" + ERROR.hex()},
            },
        ),
    ],
)
def test_the_error_of_a_contract_is_found_wherever_it_is(
    client: str, error: dict[str, Any]
) -> None:
    reverted = of_evm_rpc(error, "eth_call")
    assert isinstance(reverted, CallReverted)
    assert reverted.data == ERROR


@pytest.mark.parametrize("data", [None, 7, "0xzz", "no hex", [], {"data": 7}, {}])
def test_an_error_without_data_that_can_be_read_is_one_all_the_same(data: object) -> None:
    error = {"code": 3, "message": "execution reverted", "data": data}
    reverted = of_evm_rpc(error, "eth_call")
    assert isinstance(reverted, CallReverted)
    assert reverted.data == b""


@pytest.mark.parametrize(
    "error", [{}, {"code": "x", "message": None}, {"message": ["a"], "code": []}]
)
def test_an_error_may_be_anything(error: dict[str, Any]) -> None:
    sent = of_evm_rpc(error, "eth_sendRawTransaction")
    assert isinstance(sent, SendAnswered)
    assert sent.sent.result == "unknown"
    assert isinstance(of_evm_rpc(error, "eth_call"), Unready)
