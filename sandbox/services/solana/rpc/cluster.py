"""Slots, blockhashes, leaders and the node itself."""

from __future__ import annotations

import hashlib
from typing import Any

from solders.pubkey import Pubkey

from ..bank import Bank
from ..chain import PRICED_BLOCKS, Commitment
from ..genesis import EPOCHS, SLOTS_PER_EPOCH
from . import params as read
from .answers import API_VERSION, blockhash_json, contextual
from .errors import LONG_TERM_STORAGE_SLOT_SKIPPED, RpcError, invalid_params

LEADERS = 4
SLOTS_PER_LEADER = 4
SLOT_LEADERS_LIMIT = 5_000
PERFORMANCE_SAMPLES_LIMIT = 720
FEATURE_SET = 0


def get_slot(bank: Bank, params: list[Any]) -> int:
    return bank.chain.at(read.view(bank, read.config(params, 0))).slot


def get_block_height(bank: Bank, params: list[Any]) -> int:
    return bank.chain.at(read.view(bank, read.config(params, 0))).height


def get_latest_blockhash(bank: Bank, params: list[Any]) -> dict[str, Any]:
    level = read.view(bank, read.config(params, 0))
    return contextual(bank, level, blockhash_json(bank.chain.at(level)))


def is_blockhash_valid(bank: Bank, params: list[Any]) -> dict[str, Any]:
    blockhash = str(read.pubkey(read.argument(params, 0, str, "blockhash")))
    level = read.view(bank, read.config(params, 1))
    return contextual(bank, level, bank.chain.is_valid(blockhash, bank.chain.at(level)))


def get_epoch_info(bank: Bank, params: list[Any]) -> dict[str, Any]:
    block = bank.chain.at(read.view(bank, read.config(params, 0)))
    epoch, index = EPOCHS.get_epoch_and_slot_index(block.slot)
    return {
        "absoluteSlot": block.slot,
        "blockHeight": block.height,
        "epoch": epoch,
        "slotIndex": index,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": len(bank.history),
    }


def get_block_time(bank: Bank, params: list[Any]) -> int:
    slot = read.argument(params, 0, int, "slot")
    block = bank.chain.block(slot)
    if block is None or slot > bank.chain.at(Commitment.CONFIRMED).slot:
        raise RpcError(
            LONG_TERM_STORAGE_SLOT_SKIPPED,
            f"Slot {slot} was skipped, or missing in long-term storage",
        )
    return block.time


def get_first_available_block(bank: Bank, params: list[Any]) -> int:
    """The genesis: this node throws no transaction away."""
    return 0


def get_leader_schedule(bank: Bank, params: list[Any]) -> dict[str, list[int]] | None:
    slot = params[0] if params and isinstance(params[0], int) else None
    options = read.config(params, 0 if params and isinstance(params[0], dict) else 1)
    current = bank.chain.at(read.view(bank, options)).slot
    epoch = EPOCHS.get_epoch(current if slot is None else slot)
    if epoch > EPOCHS.get_epoch(current) + 1:
        return None
    first = EPOCHS.get_first_slot_in_epoch(epoch)
    schedule: dict[str, list[int]] = {}
    for index in range(SLOTS_PER_EPOCH):
        schedule.setdefault(leader(bank, first + index), []).append(index)
    identity = options.get("identity")
    return schedule if identity is None else {k: v for k, v in schedule.items() if k == identity}


def get_slot_leaders(bank: Bank, params: list[Any]) -> list[str]:
    start = read.argument(params, 0, int, "startSlot")
    limit = read.argument(params, 1, int, "limit")
    if not 1 <= limit <= SLOT_LEADERS_LIMIT:
        raise invalid_params(f"Invalid limit; max {SLOT_LEADERS_LIMIT}")
    return [leader(bank, slot) for slot in range(start, start + limit)]


def get_recent_performance_samples(bank: Bank, params: list[Any]) -> list[dict[str, int]]:
    limit = params[0] if params and isinstance(params[0], int) else PERFORMANCE_SAMPLES_LIMIT
    if not 0 <= limit <= PERFORMANCE_SAMPLES_LIMIT:
        raise invalid_params(f"Invalid limit; max {PERFORMANCE_SAMPLES_LIMIT}")
    return bank.performance.samples(limit)


def get_recent_prioritization_fees(bank: Bank, params: list[Any]) -> list[dict[str, int]]:
    addresses = [read.pubkey(text) for text in (params[0] if params else [])]
    fees = []
    for block in bank.chain.recent(PRICED_BLOCKS):
        if addresses:
            fee = max(block.prices.get(address, 0) for address in addresses)
        else:
            fee = min(block.prices.values(), default=0)
        fees.append({"slot": block.slot, "prioritizationFee": fee})
    return fees


def get_version(bank: Bank, params: list[Any]) -> dict[str, Any]:
    return {"solana-core": API_VERSION, "feature-set": FEATURE_SET}


def get_genesis_hash(bank: Bank, params: list[Any]) -> str:
    return bank.genesis_hash


def get_health(bank: Bank, params: list[Any]) -> str:
    return "ok"


def leader(bank: Bank, slot: int) -> str:
    """The validator that leads a slot: a few take turns of four slots."""
    number = slot // SLOTS_PER_LEADER % LEADERS
    seed = f"validator {number} {bank.genesis_hash}".encode()
    return str(Pubkey.from_bytes(hashlib.sha256(seed).digest()))


METHODS = {
    "getSlot": get_slot,
    "getBlockHeight": get_block_height,
    "getLatestBlockhash": get_latest_blockhash,
    "isBlockhashValid": is_blockhash_valid,
    "getEpochInfo": get_epoch_info,
    "getFirstAvailableBlock": get_first_available_block,
    "getBlockTime": get_block_time,
    "getLeaderSchedule": get_leader_schedule,
    "getSlotLeaders": get_slot_leaders,
    "getRecentPerformanceSamples": get_recent_performance_samples,
    "getRecentPrioritizationFees": get_recent_prioritization_fees,
    "getVersion": get_version,
    "getGenesisHash": get_genesis_hash,
    "getHealth": get_health,
}
