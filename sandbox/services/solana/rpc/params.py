"""Reading the positional parameters of a call."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from solders.message import MessageV1
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from .. import base58
from ..bank import Bank
from ..chain import Commitment
from .errors import MIN_CONTEXT_SLOT_NOT_REACHED, RpcError, invalid_params

PACKET_SIZE = 1232
"""The largest transaction on the wire."""

ACCOUNT_ENCODINGS = frozenset({"binary", "base58", "base64", "jsonParsed"})
TRANSACTION_ENCODINGS = frozenset({"json", "jsonParsed", "base58", "base64"})
_COMMITMENTS = {level.name.lower(): level for level in Commitment}


def argument(params: list[Any], index: int, kind: type, name: str) -> Any:
    """A required parameter of that JSON type."""
    if len(params) <= index:
        raise invalid_params(f"`params` should have at least {index + 1} argument(s)")
    if not isinstance(params[index], kind) or isinstance(params[index], bool):
        raise invalid_params(f"Invalid params: {name} is not of type {kind.__name__}.")
    return params[index]


def config(params: list[Any], index: int) -> dict[str, Any]:
    """The optional configuration object at the end of the parameters."""
    if len(params) <= index or params[index] is None:
        return {}
    options = params[index]
    if not isinstance(options, dict):
        raise invalid_params("Invalid params: invalid type, expected a configuration object.")
    return options


def commitment(options: dict[str, Any], field: str = "commitment") -> Commitment:
    """The commitment that was asked for; finalized where none was."""
    name = options.get(field)
    if name is None:
        return Commitment.FINALIZED
    level = _COMMITMENTS.get(name)
    if level is None:
        raise invalid_params(f"Invalid params: unknown variant `{name}`, expected a commitment.")
    return level


def view(bank: Bank, options: dict[str, Any]) -> Commitment:
    """The commitment of a read, after checking that the node has reached `minContextSlot`."""
    level = commitment(options)
    slot, wanted = bank.chain.at(level).slot, options.get("minContextSlot")
    if isinstance(wanted, int) and slot < wanted:
        raise RpcError(
            MIN_CONTEXT_SLOT_NOT_REACHED,
            "Minimum context slot has not been reached",
            {"contextSlot": slot},
        )
    return level


def pubkey(text: Any) -> Pubkey:
    """A base58 address."""
    try:
        return Pubkey.from_string(text)
    except (ValueError, TypeError) as error:
        raise invalid_params(f"Invalid param: {error}") from None


def signature(text: Any) -> str:
    """A base58 signature, checked."""
    try:
        return str(Signature.from_string(text))
    except (ValueError, TypeError) as error:
        raise invalid_params(f"Invalid param: {error}") from None


def encoding(options: dict[str, Any], allowed: frozenset[str], default: str) -> str:
    """The encoding that was asked for."""
    name = options.get("encoding") or default
    if name not in allowed:
        raise invalid_params(f"Invalid params: unknown variant `{name}`, expected an encoding.")
    return str(name)


def wire_bytes(text: str, name: str, what: str) -> bytes:
    """The bytes of a transaction or message parameter."""
    try:
        if name == "base64":
            data = binascii.a2b_base64(text, strict_mode=True)
        elif name == "base58":
            data = base58.decode(text)
        else:
            raise invalid_params(
                f"unsupported encoding: {name}. Supported encodings: base58, base64"
            )
    except (ValueError, binascii.Error) as error:
        raise invalid_params(f"invalid {name} encoding: {error}") from None
    if len(data) > PACKET_SIZE:
        raise invalid_params(
            f"decoded {what} too large: {len(data)} bytes (max: {PACKET_SIZE} bytes)"
        )
    return data


def transaction(params: list[Any], options: dict[str, Any]) -> tuple[VersionedTransaction, bytes]:
    """The transaction of sendTransaction and simulateTransaction, and its wire bytes."""
    text = argument(params, 0, str, "transaction")
    raw = wire_bytes(text, options.get("encoding") or "base58", "solana_transaction")
    try:
        parsed = VersionedTransaction.from_bytes(raw)
    except Exception as error:
        raise invalid_params(f"failed to deserialize solana_transaction: {error}") from None
    if isinstance(parsed.message, MessageV1):
        raise invalid_params("invalid transaction: Transaction version is unsupported")
    if len(parsed.signatures) != parsed.message.header.num_required_signatures:
        raise invalid_params(
            "invalid transaction: Transaction failed to sanitize accounts offsets correctly"
        )
    return parsed, raw


def window(options: dict[str, Any]) -> tuple[int, int] | None:
    """The part of the account data that `dataSlice` asks for."""
    part = options.get("dataSlice")
    if part is None:
        return None
    try:
        offset, length = int(part["offset"]), int(part["length"])
    except (KeyError, TypeError, ValueError):
        raise invalid_params("Invalid params: dataSlice has offset and length") from None
    return offset, length


def decoded(data: str, name: str) -> bytes:
    """The bytes of a filter."""
    try:
        return base64.b64decode(data, validate=True) if name == "base64" else base58.decode(data)
    except ValueError as error:
        raise invalid_params(f"Invalid param: {error}") from None
