"""Answers of EVM nodes, which are outside input, as values."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from eth_utils.address import to_checksum_address

from chains.errors import ChainError, Transient
from chains.evm.ports import Block, Log, Receipt

T = TypeVar("T")

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_DATA = re.compile(r"0x([0-9a-fA-F]{2})*")


def decoded(method: str, read: Callable[[Any], T], answer: Any | ChainError) -> T:
    """The answer's value.

    Raises:
        ChainError: it is an error.
        Transient: it is not what the method answers.
    """
    if isinstance(answer, ChainError):
        raise answer
    try:
        return read(answer)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise Transient(f"{method}: the answer cannot be read") from None


def number(value: Any) -> int:
    """A quantity, of 256 bits at most."""
    return int(_matched(_QUANTITY, value), 16)


def counter(value: Any) -> int:
    """A quantity that counts something, blocks, nonces or gas: beyond 53 bits it is a lie, and no
    column holds it."""
    found = number(value)
    if found >= 2**53:
        raise ValueError(value)
    return found


def wei(value: Any) -> int:
    """Wei per gas, of 128 bits at most."""
    found = number(value)
    if found >= 2**128:
        raise ValueError(value)
    return found


def seconds(value: Any) -> int:
    """Unix time that is a date before the year 10000."""
    found = number(value)
    if found >= 253_402_300_800:
        raise ValueError(value)
    return found


def hash32(value: Any) -> str:
    return _matched(_HASH, value).lower()


def data(value: Any) -> bytes:
    return bytes.fromhex(_matched(_DATA, value)[2:])


def entries(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def block(value: Any) -> Block:
    return Block(
        number=counter(value["number"]),
        hash=hash32(value["hash"]),
        parent_hash=hash32(value["parentHash"]),
        timestamp=seconds(value["timestamp"]),
        # Chains without EIP-1559 have none.
        base_fee=wei(value.get("baseFeePerGas") or "0x0"),
    )


def block_or_none(value: Any) -> Block | None:
    return None if value is None else block(value)


def log(value: Any) -> Log:
    if value.get("removed"):
        raise ValueError("a log that was removed")
    return Log(
        address=to_checksum_address(value["address"]),
        topics=tuple(hash32(topic) for topic in value["topics"]),
        data=data(value["data"]),
        block_number=counter(value["blockNumber"]),
        block_hash=hash32(value["blockHash"]),
        transaction_hash=hash32(value["transactionHash"]),
        index=counter(value["logIndex"]),
    )


def receipt_or_none(value: Any) -> Receipt | None:
    """None too where the transaction is not in a block yet."""
    if value is None or value.get("blockHash") is None:
        return None
    return Receipt(
        transaction_hash=hash32(value["transactionHash"]),
        block_number=counter(value["blockNumber"]),
        block_hash=hash32(value["blockHash"]),
        succeeded=number(value["status"]) == 1,
        gas_used=counter(value["gasUsed"]),
        gas_price=wei(value.get("effectiveGasPrice") or "0x0"),
    )


def _matched(pattern: re.Pattern[str], value: Any) -> str:
    """The text: int() and fromhex() take spaces, signs and underscores too."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(value)
    return value
