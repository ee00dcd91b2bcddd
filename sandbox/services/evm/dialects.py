"""The words and codes in which clients refuse the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

ANVIL = "anvil"


class Words(NamedTuple):
    code: int
    message: str


# What anvil says, by how its message begins, and what that means.
_MEANINGS = {
    "transaction already imported": "known",
    "nonce too low": "nonce_too_low",
    "replacement transaction underpriced": "replacement",
    "max fee per gas less than block base fee": "fee_too_low",
    "transaction underpriced": "fee_too_low",
    "insufficient funds": "funds",
    "execution reverted": "reverted",
    "blockoutofrangeerror": "no_block",
}

DIALECTS: Mapping[str, Mapping[str, Words]] = {
    ANVIL: {
        "no_block": Words(-32602, "BlockOutOfRangeError"),
        "range": Words(-32602, "query exceeds max block range"),
        "results": Words(-32602, "query exceeds max results"),
    },
    "geth": {
        "known": Words(-32000, "already known"),
        "nonce_too_low": Words(-32000, "nonce too low"),
        "replacement": Words(-32000, "replacement transaction underpriced"),
        "fee_too_low": Words(-32000, "transaction underpriced"),
        "funds": Words(-32000, "insufficient funds for gas * price + value"),
        "reverted": Words(3, "execution reverted"),
        "no_block": Words(-32000, "header not found"),
        "range": Words(-32000, "exceed maximum block range"),
        "results": Words(-32005, "query returned more than 10000 results"),
    },
    "reth": {
        "known": Words(-32000, "already known"),
        "nonce_too_low": Words(-32000, "nonce too low: next nonce 1, tx nonce 0"),
        "replacement": Words(-32000, "replacement transaction underpriced"),
        "fee_too_low": Words(-32000, "max fee per gas less than block base fee"),
        "funds": Words(-32003, "insufficient funds for gas * price + value: have 0 want 1"),
        "reverted": Words(3, "execution reverted"),
        "no_block": Words(-32001, "block not found"),
        "range": Words(-32602, "query exceeds max block range 100000"),
        "results": Words(-32602, "query exceeds max results 20000"),
    },
    "erigon": {
        "known": Words(-32000, "ALREADY_EXISTS: already known"),
        "nonce_too_low": Words(-32000, "INTERNAL_ERROR: nonce too low"),
        "replacement": Words(-32000, "INTERNAL_ERROR: replacement transaction underpriced"),
        "fee_too_low": Words(-32000, "FEE_TOO_LOW: underpriced"),
        "funds": Words(-32000, "INTERNAL_ERROR: insufficient funds"),
        "reverted": Words(3, "execution reverted"),
        "no_block": Words(-32000, "block not found"),
        "range": Words(-32000, "query block range exceeds server limit"),
        "results": Words(-32000, "query returned more than 10000 results"),
    },
    "nethermind": {
        "known": Words(-32010, "AlreadyKnown"),
        "nonce_too_low": Words(-32010, "OldNonce"),
        "replacement": Words(-32010, "ReplacementNotAllowed"),
        "fee_too_low": Words(-32010, "FeeTooLow"),
        "funds": Words(-32010, "InsufficientFunds"),
        "reverted": Words(-32015, "VM execution error."),
        "no_block": Words(-32001, "Block not found"),
        "range": Words(-32005, "Block range is too large"),
        "results": Words(-32005, "Too many logs requested"),
    },
    "besu": {
        "known": Words(-32000, "Known transaction"),
        "nonce_too_low": Words(-32001, "Nonce too low"),
        "replacement": Words(-32000, "Replacement transaction underpriced"),
        "fee_too_low": Words(-32009, "Gas price below configured minimum gas price"),
        "funds": Words(-32004, "Upfront cost exceeds account balance"),
        "reverted": Words(-32000, "Execution reverted"),
        "no_block": Words(-39001, "Unknown block"),
        "range": Words(-32005, "Requested range exceeds maximum RPC range limit"),
        "results": Words(-32005, "Requested result exceeds maximum RPC result limit"),
    },
}


def refusal(dialect: str, meaning: str) -> dict[str, Any]:
    """The error that says `meaning`."""
    words = DIALECTS[dialect][meaning]
    return {"code": words.code, "message": words.message}


def translated(dialect: str, error: dict[str, Any]) -> dict[str, Any]:
    """Anvil's error in another client's words; one without a known meaning stays as it is."""
    text = str(error.get("message", "")).lower()
    meaning = next((it for start, it in _MEANINGS.items() if text.startswith(start)), None)
    if dialect == ANVIL or meaning is None:
        return error
    said = refusal(dialect, meaning)
    if meaning == "reverted" and "data" in error:
        # Nethermind puts a word before the bytes, as Parity did.
        prefix = "Reverted " if dialect == "nethermind" else ""
        said["data"] = f"{prefix}{error['data']}"
    return said
