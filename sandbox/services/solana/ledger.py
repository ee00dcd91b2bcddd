"""The ledger folder: what the chain is made of on disk, so that a killed node continues it.

`transactions.log` holds the landed transactions, `state.log` a snapshot followed by one record per
closed block. A state record says how much of the transaction log belongs to it and is written
after it, so a torn tail of either file is a block nobody was told of. Writes reach the operating
system before a block counts as confirmed; they are not synced, so an OS crash may lose some.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgpack

_STATE_FRAME = struct.Struct("<II")  # payload length, crc32
_TRANSACTION_FRAME = struct.Struct("<III")  # head length, body length, crc32 of both

Header = tuple[int, int, str, int, int]
"""slot, height, hash, unix time, number of the first transaction"""

Image = tuple[bytes, int, bytes, bytes, bool, int]
"""address, lamports (0: no such account), data, owner, executable, rent epoch"""


class LedgerError(Exception):
    """The folder cannot be used as a ledger; the message says why."""


@dataclass(slots=True)
class State:
    """What a node restarts from."""

    genesis_hash: str
    headers: list[Header]
    accounts: dict[bytes, Image] = field(default_factory=dict)
    transactions_end: int = 0


class Ledger:
    """One node's ledger, locked for as long as it is open."""

    def __init__(self, folder: Path) -> None:
        """Lock the folder, creating it first if needed.

        Raises:
            LedgerError: another node has it open.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = (folder / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise LedgerError(f"the ledger {folder} is open in another node") from None
        self._transactions: BinaryIO = (folder / "transactions.log").open("a+b")
        self._state: BinaryIO | None = None
        self._end = 0
        self._pending: list[bytes] = []

    def load(self) -> State | None:
        """The state as of the last complete record; None where the ledger is new.

        Raises:
            LedgerError: a record in the middle is damaged, or transactions are missing.
        """
        path = self._folder / "state.log"
        if not path.exists():
            return None
        state: State | None = None
        for record in _state_records(path):
            state = _apply(state, record)
        if state is None:
            raise LedgerError(f"{path} holds no snapshot")
        return state

    def start(self, state: State) -> Iterator[tuple[int, bytes]]:
        """Compact to `state`, open the ledger for writing, and yield (offset, head) of what landed.

        Raises:
            LedgerError: the transaction log is shorter than the state says, or damaged.
        """
        transactions = self._folder / "transactions.log"
        if transactions.stat().st_size < state.transactions_end:
            raise LedgerError(f"{transactions} lacks transactions that {self._folder} confirmed")
        self._transactions.truncate(state.transactions_end)
        self._end = state.transactions_end
        fresh = self._folder / "state.log.new"
        images = list(state.accounts.values())
        self._state = fresh.open("wb")
        self._write_state(["snapshot", state.genesis_hash, state.headers, images, self._end])
        os.fsync(self._state.fileno())
        fresh.replace(self._folder / "state.log")
        yield from _heads(transactions, self._end)

    def append(self, head: bytes, body: bytes) -> int:
        """Take a transaction into the open block; returns where it is read once flushed."""
        crc = zlib.crc32(body, zlib.crc32(head))
        frame = _TRANSACTION_FRAME.pack(len(head), len(body), crc)
        offset = self._end
        self._pending += (frame, head, body)
        self._end += len(frame) + len(head) + len(body)
        return offset

    def commit(self, header: Header, images: list[Image]) -> None:
        """Hand a closed block to the operating system: the process may die from here on."""
        self.flush()
        self._write_state(["block", header, images, self._end])

    def rewind(self, header: Header, images: list[Image], end: int | None) -> None:
        """Go back to the block of `header` and its accounts; transactions from `end` on are cut."""
        end = self._end if end is None else end
        self._write_state(["rewind", header, images, end])
        self._transactions.truncate(end)
        self._end = end

    def flush(self) -> None:
        """Make the transactions of the open block readable."""
        self._transactions.write(b"".join(self._pending))
        self._transactions.flush()
        self._pending.clear()

    def read(self, offset: int) -> tuple[bytes, bytes]:
        """Head and body of a transaction that was committed or flushed."""
        # One read of a typical transaction; a second one only where it is larger.
        descriptor, size = self._transactions.fileno(), _TRANSACTION_FRAME.size
        data = os.pread(descriptor, 4096, offset)
        head, body, _ = _TRANSACTION_FRAME.unpack_from(data)
        missing = size + head + body - len(data)
        if missing > 0:
            data += os.pread(descriptor, missing, offset + len(data))
        return data[size : size + head], data[size + head : size + head + body]

    def close(self) -> None:
        """Release the files and the lock."""
        for file in (self._state, self._transactions, self._lock):
            if file is not None:
                file.close()

    def _write_state(self, record: list[Any]) -> None:
        assert self._state is not None, "the ledger has not been started"
        payload = msgpack.packb(record)
        self._state.write(_STATE_FRAME.pack(len(payload), zlib.crc32(payload)) + payload)
        self._state.flush()


def _state_records(path: Path) -> Iterator[list[Any]]:
    with path.open("rb") as file:
        while True:
            frame = file.read(_STATE_FRAME.size)
            length, crc = _STATE_FRAME.unpack(frame) if len(frame) == _STATE_FRAME.size else (0, 0)
            payload = file.read(length)
            if not length or len(payload) < length:
                return  # the end, or the torn write of a block that was never confirmed
            if zlib.crc32(payload) != crc:
                raise LedgerError(f"{path} is damaged at byte {file.tell() - length}")
            yield msgpack.unpackb(payload)


def _apply(state: State | None, record: list[Any]) -> State:
    kind, *fields = record
    if kind == "snapshot":
        genesis_hash, headers, images, end = fields
        state = State(genesis_hash, [tuple(header) for header in headers])
    elif state is None:
        raise LedgerError("the ledger's state does not begin with a snapshot")
    else:
        header, images, end = fields
        while kind == "rewind" and state.headers[-1][0] > header[0]:
            state.headers.pop()
        if kind == "block":
            state.headers.append(tuple(header))
    for image in images:
        if image[1]:
            state.accounts[image[0]] = tuple(image)
        else:
            state.accounts.pop(image[0], None)
    state.transactions_end = end
    return state


def _heads(path: Path, end: int) -> Iterator[tuple[int, bytes]]:
    if not end:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), end, access=mmap.ACCESS_READ) as log:
        offset = 0
        while offset < end:
            head, body, crc = _TRANSACTION_FRAME.unpack_from(log, offset)
            start = offset + _TRANSACTION_FRAME.size
            following = start + head + body
            if following > end or zlib.crc32(log[start:following]) != crc:
                raise LedgerError(f"{path} is damaged at byte {offset}")
            yield offset, log[start : start + head]
            offset = following
