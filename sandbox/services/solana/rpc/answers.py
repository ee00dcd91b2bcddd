"""Parts that several answers share."""

from __future__ import annotations

from typing import Any

from ..bank import Bank
from ..chain import BLOCKHASH_AGE, Block, Commitment

API_VERSION = "3.0.0"
"""The Agave version whose protocol the node speaks."""


def contextual(bank: Bank, level: Commitment, value: Any) -> dict[str, Any]:
    """A value with the slot it was read at."""
    slot = bank.chain.at(level).slot
    return {"context": {"slot": slot, "apiVersion": API_VERSION}, "value": value}


def blockhash_json(block: Block) -> dict[str, Any]:
    """A blockhash and the last block height at which it is valid."""
    return {"blockhash": block.hash, "lastValidBlockHeight": block.height + BLOCKHASH_AGE}
