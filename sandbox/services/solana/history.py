"""Landed transactions: a small index in memory, everything else in the ledger."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any, NamedTuple

import msgpack

from .ledger import Ledger


class Head(NamedTuple):
    """What the index is built from: `error` as the RPC's JSON, `keys` 32 bytes an address."""

    signature: str
    slot: int
    time: int
    error: Any
    memos: list[str]
    keys: bytes


class Body(NamedTuple):
    """What only getTransaction asks for.

    Token balances are [account index, mint, owner, program, base units, decimals]; `inner` is
    [instruction index, [[program index, accounts, data, stack height]]]; `loaded` counts the
    writable and the readonly addresses from lookup tables at the end of the keys.
    """

    raw: bytes
    fee: int
    units: int
    before: list[int]
    after: list[int]
    tokens_before: list[list[Any]]
    tokens_after: list[list[Any]]
    logs: list[str]
    inner: list[list[Any]]
    loaded: tuple[int, int]
    return_data: tuple[bytes, bytes] | None


class History:
    """Every landed transaction of this chain, numbered in order of execution."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pack = msgpack.Packer().pack
        self._numbers: dict[str, int] = {}
        self._signatures: list[str] = []
        self._slots = array("Q")
        self._offsets = array("Q")
        self._errors: dict[int, Any] = {}
        self._by_address: dict[bytes, array[int]] = {}
        self.memos: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many transactions have landed."""
        return len(self._signatures)

    def add(self, head: Head, body: Body) -> int:
        """Record a transaction of the open block; returns its number."""
        offset = self._ledger.append(self._pack(head), self._pack(body))
        return self._index(head, offset)

    def restore(self, offset: int, packed: bytes) -> None:
        """Index a transaction that the ledger already holds."""
        self._index(Head(*msgpack.unpackb(packed)), offset)

    def find(self, signature: str) -> int | None:
        """The number of the transaction with this signature."""
        return self._numbers.get(signature)

    def signature(self, number: int) -> str:
        """The first signature of a transaction, base58."""
        return self._signatures[number]

    def slot(self, number: int) -> int:
        """The slot a transaction landed in."""
        return self._slots[number]

    def error(self, number: int) -> Any:
        """The RPC's JSON of a transaction's error; None where it succeeded."""
        return self._errors.get(number)

    def head(self, number: int) -> Head:
        """Read the head of a transaction of a closed block."""
        return Head(*msgpack.unpackb(self._ledger.read(self._offsets[number])[0]))

    def read(self, number: int) -> tuple[Head, Body]:
        """Read a transaction of a closed block."""
        head, body = self._ledger.read(self._offsets[number])
        return Head(*msgpack.unpackb(head)), Body(*msgpack.unpackb(body))

    def of_address(self, address: bytes) -> array[int]:
        """The numbers of all transactions that name the address, ascending."""
        return self._by_address.get(address) or array("I")

    def offset(self, number: int) -> int:
        """Where transaction `number` lies in the ledger."""
        return self._offsets[number]

    def forget_from(self, first: int) -> None:
        """Drop the transactions from number `first` on, as a fork does."""
        self._ledger.flush()
        for number in range(len(self) - 1, first - 1, -1):
            head = self.head(number)
            if self._errors.pop(number, None) is None:
                self._forget_memos(head.memos)
            for start in range(0, len(head.keys), 32):
                self._by_address[head.keys[start : start + 32]].pop()
            del self._numbers[self._signatures.pop()]
        del self._slots[first:], self._offsets[first:]

    def _forget_memos(self, memos: list[str]) -> None:
        for memo in memos:
            self.memos[memo] -= 1
            if not self.memos[memo]:
                del self.memos[memo]

    def _index(self, head: Head, offset: int) -> int:
        number = len(self._signatures)
        signature = head.signature
        self._numbers[signature] = number
        self._signatures.append(signature)
        self._slots.append(head.slot)
        self._offsets.append(offset)
        if head.error is not None:
            self._errors[number] = head.error
        else:
            for memo in head.memos:
                self.memos[memo] += 1
        by_address, keys = self._by_address, head.keys
        for start in range(0, len(keys), 32):
            key = keys[start : start + 32]
            numbers = by_address.get(key)
            if numbers is None:
                numbers = by_address[key] = array("I")
            numbers.append(number)
        return number
