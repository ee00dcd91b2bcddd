"""Slots and blocks: which are processed, confirmed, finalized, and which blockhashes still live."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey

BLOCKHASH_AGE = 150
"""A transaction lands while the block height is at most its blockhash's height plus this."""

STATUS_CACHE_SLOTS = 300
"""Agave answers statuses from its cache for so many rooted slots, older ones from history only."""

RETAINED_BLOCKS = 1_000
"""Headers kept beyond the root: more than the blockhash window and the status cache ask for."""


PRICED_BLOCKS = BLOCKHASH_AGE
"""Blocks whose prices are kept, as the recent prioritization fees tell them."""


class Commitment(IntEnum):
    """How deep a block is buried; a deeper level compares greater."""

    PROCESSED = 0
    CONFIRMED = 1
    FINALIZED = 2


@dataclass(slots=True)
class Block:
    """One block, open or closed.

    `time` is in unix seconds and `first` the number of its first transaction. `before` holds what
    the accounts it wrote were before it, until the block is rooted; `prices` the lowest
    compute-unit price (micro-lamports) that wrote each of them, while the block is recent.
    """

    slot: int
    height: int
    hash: str
    time: int
    first: int
    before: dict[Pubkey, Account | None] = field(default_factory=dict)
    prices: dict[Pubkey, int] = field(default_factory=dict)


def new_blockhash(parent: str, slot: int) -> str:
    """A blockhash of its own for every block: two forks of one slot never share it."""
    return str(Hash(hashlib.sha256(f"{parent}{slot}".encode() + os.urandom(16)).digest()))


class Chain:
    """The blocks since the root, the open one last, and recent headers before them."""

    def __init__(self, headers: list[Block], finality: int) -> None:
        """Continue after `headers`, the last of which becomes the root; `finality` is in blocks."""
        self.finality = finality
        self.root = headers[-1]
        self.unrooted: deque[Block] = deque()
        self._retained: deque[Block] = deque()
        self._by_slot: dict[int, Block] = {}
        self._by_hash: dict[str, Block] = {}
        for block in headers:
            self._retain(block)

    @property
    def open(self) -> Block:
        """The block that executes transactions now."""
        return self.unrooted[-1]

    def append(self, slot: int, time: int, first: int) -> Block:
        """Close the open block by opening the next one, and root what is deep enough by then."""
        parent = self.tip
        hash_ = new_blockhash(parent.hash, slot)
        block = Block(slot, parent.height + 1, hash_, time, first)
        self.unrooted.append(block)
        self._retain(block)
        while len(self.unrooted) - 1 > self.finality:
            self.root = self.unrooted.popleft()
            self.root.before = {}
        if len(self._retained) > PRICED_BLOCKS:
            self._retained[-1 - PRICED_BLOCKS].prices = {}
        return block

    @property
    def tip(self) -> Block:
        """The last block, open or (while none is open) closed."""
        return self.unrooted[-1] if self.unrooted else self.root

    def drop_tip(self) -> Block:
        """Take the last unrooted block off the chain; its hash is valid no more."""
        block = self.unrooted.pop()
        self._retained.pop()
        del self._by_slot[block.slot], self._by_hash[block.hash]
        return block

    def at(self, commitment: Commitment) -> Block:
        """The highest block of that commitment."""
        if commitment is Commitment.PROCESSED:
            return self.open
        if commitment is Commitment.CONFIRMED and len(self.unrooted) > 1:
            return self.unrooted[-2]
        return self.root

    def above(self, commitment: Commitment) -> Iterator[Block]:
        """The blocks that a reader of that commitment does not see yet, oldest first."""
        slot = self.at(commitment).slot
        return (block for block in self.unrooted if block.slot > slot)

    def commitment_of(self, slot: int) -> Commitment:
        """How deep a slot that holds a block is buried."""
        if slot <= self.root.slot:
            return Commitment.FINALIZED
        return Commitment.PROCESSED if slot == self.open.slot else Commitment.CONFIRMED

    def block(self, slot: int) -> Block | None:
        """The header of a recent slot; None where it is skipped, unknown or too old."""
        return self._by_slot.get(slot)

    def is_valid(self, blockhash: str, at: Block) -> bool:
        """Whether a transaction with this blockhash may land in block `at`."""
        block = self._by_hash.get(blockhash)
        return block is not None and 0 <= at.height - block.height <= BLOCKHASH_AGE

    def headers(self) -> list[Block]:
        """The retained headers, oldest first, the open block last."""
        return list(self._retained)

    def recent(self, count: int) -> list[Block]:
        """The last `count` retained headers, oldest first."""
        return [self._retained[i] for i in range(-min(count, len(self._retained)), 0)]

    def _retain(self, block: Block) -> None:
        self._retained.append(block)
        self._by_slot[block.slot] = block
        self._by_hash[block.hash] = block
        while len(self._retained) > RETAINED_BLOCKS + self.finality:
            old = self._retained.popleft()
            del self._by_slot[old.slot], self._by_hash[old.hash]
