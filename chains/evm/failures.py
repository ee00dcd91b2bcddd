"""What the errors of EVM nodes mean, whatever software and words they are from.

One ordered table for each question; the first pattern that is found decides. The words are those
of geth, reth, erigon, nethermind, besu and anvil, and of the companies that run them.
"""

import re
from typing import Any

from chains.errors import ChainError, Definitive, Transient, outside_text
from chains.evm.ports import RangeTooLarge, SendResult, Sent


class Unready(Transient):
    """The provider is alive but cannot answer this, or not yet: another may, and it may again."""


class CallReverted(Definitive):
    """The contract refused; `data` is its error."""

    def __init__(self, data: bytes, message: str) -> None:
        super().__init__(message)
        self.data = data


class SendAnswered(ChainError):
    """The node said something else than a hash to a transaction."""

    def __init__(self, sent: Sent) -> None:
        super().__init__(sent.message)
        self.sent = sent


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# Ours to wait for: the only errors in an answer that speak of the provider itself.
_BUSY = _any(
    r"rate.?limit",
    r"too many requests",
    r"request limit",
    r"request count exceeded",
    r"requests? per second|per second capacity",
    r"compute units",
    r"^limit exceeded",
    r"quota",
)
_BUSY_CODES = frozenset({429})

# Above the general stand those that contain their words with another meaning. Whatever is in no
# row is `unknown`: a transaction is never given up for words nobody has seen before.
_SEND: tuple[tuple[SendResult, re.Pattern[str]], ...] = (
    (
        "known",
        _any(
            r"already.?known",
            r"\bknown transaction",
            r"already imported",
            r"already in the (tx)?pool",
            r"transaction already exists",
            r"existing txn? with same hash",
        ),
    ),
    (
        "nonce_too_low",
        _any(r"nonce.?too.?low", r"nonce is too low", r"old.?nonce", r"nonce too small"),
    ),
    (
        "underpriced",
        _any(
            r"underpriced",
            r"replacement.?not.?allowed",
            r"replacement fee too low",
            r"to replace existing transaction",
            r"could not replace existing",
            r"replaced by transaction with higher",
            r"fee.?too.?low",
            r"less than block base fee",
            r"gas price (is )?(too low|below)",
        ),
    ),
    (
        "insufficient_funds",
        _any(r"insufficient.?funds", r"insufficient balance", r"upfront cost exceeds"),
    ),
    (
        "refused",
        _any(
            r"intrinsic.?gas",
            r"exceeds block gas limit",
            r"greater than the block gas limit",
            r"gas.?limit.?exceeded",
            r"gas limit (is )?too high",
            r"invalid (sender|signature|transaction type)",
            r"invalid transaction signature",
            r"(invalid|wrong) chain.?id",
            r"oversized data|rlptoolong",
            r"transaction type not supported",
            r"priority fee per gas higher than max fee",
            r"tip (above|higher than) fee cap",
        ),
    ),
)

_UNREADY = _any(
    r"beyond current head",
    r"header not found",
    r"(unknown|no such) block",
    r"block not found",
    r"missing trie node",
    r"(historical )?state .*not available",
    r"historical state",
    r"pruned",
    r"block.?out.?of.?range",
    r"sync is still in progress|syncing",
)
_RANGE = _any(
    r"returned more than",
    r"range (is )?too",
    r"max(imum)? block range",
    r"block range exceeds|requested range exceeds|requested result exceeds",
    r"range limit|length limit",
    r"block range should work",
    r"ranges? over \d+",
    r"limited to (a |0 - )?[\d,]+",
    r"too many (blocks|logs|results)",
    r"max results",
    r"response size",
    r"query (timeout|timed out)",
)
_REVERTED = _any(
    r"revert",
    # Not the contract's words, but its end all the same.
    r"out of gas|gas required exceeds",
    r"invalid (opcode|jump)",
    r"stack (under|over)flow",
    r"vm execution error",
)
_CALLS = frozenset({"eth_call", "eth_estimateGas"})
# JSON-RPC's own complaints about the request, which another node would make too.
_DEFINITIVE_CODES = frozenset({-32600, -32601, -32602, -32700})


def of_evm_rpc(error: dict[str, Any], method: str) -> ChainError:
    """The error for a JSON-RPC error object of an EVM node, which is outside input of any type."""
    message = outside_text(error.get("message"))
    code = error["code"] if isinstance(error.get("code"), int) else None
    told = f"{method}: {message}"
    if code in _BUSY_CODES or _BUSY.search(message):
        return Transient(told)
    if method == "eth_sendRawTransaction":
        return SendAnswered(Sent(_sent(message), message))
    if _UNREADY.search(message):
        return Unready(told)
    if method == "eth_getLogs" and _RANGE.search(message):
        return RangeTooLarge(told)
    if method in _CALLS and (code == 3 or _REVERTED.search(message)):
        return CallReverted(_revert_data(error.get("data")), message)
    return Definitive(told) if code in _DEFINITIVE_CODES else Unready(told)


def _sent(message: str) -> SendResult:
    found = (result for result, pattern in _SEND if pattern.search(message))
    return next(found, "unknown")


def _revert_data(data: object) -> bytes:
    """The contract's error: as text, or inside an object, with or without words before it."""
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if not isinstance(data, str):
        return b""
    _, mark, digits = data.partition("0x")
    try:
        return bytes.fromhex(digits) if mark else b""
    except ValueError:
        return b""
