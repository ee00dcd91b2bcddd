"""Receipts, told as unreliably as the knobs say."""

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sandbox.services.raiku.knobs import RaikuKnobs, happens
from sandbox.services.raiku.reservations import Reservation

# The last hours of a busy venue.
KEPT = 100_000


@dataclass(frozen=True, slots=True)
class _Late:
    due_slot: int
    receipt: dict[str, Any]


class Feed:
    """The receipts in the order they are told.

    `first_seq` must rise from one life of the venue to the next: readers resume behind the last
    number they saw.
    """

    def __init__(self, *, seed: int, first_seq: int) -> None:
        self._seed = seed
        self._next_seq = first_seq
        self._told: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._late: list[_Late] = []
        self._held: list[dict[str, Any]] = []

    def tell(
        self, of: Reservation, kind: str, *, knobs: RaikuKnobs, now: int, slot: int | None = None
    ) -> None:
        """Tell of a reservation, at slot `now`; misbehaviour follows from the reserved slot."""
        receipt = {
            "reservationId": of.id,
            "clientId": of.client_id,
            "kind": kind,
            "slot": of.slot if slot is None else slot,
            "reason": of.reason,
            "chargedLamports": of.charged,
        }

        def strikes(share: float, what: str) -> bool:
            return happens(share, self._seed, f"{what}/{of.slot}/{kind}")

        if strikes(knobs.lost, "lost"):
            return
        copies = [receipt] * (2 if strikes(knobs.duplicates, "duplicate") else 1)
        if knobs.delay_slots:
            self._late += [_Late(now + knobs.delay_slots, copy) for copy in copies]
        elif strikes(knobs.reordered, "reordered") and not self._held:
            self._held = copies
        else:
            self._append(copies)

    def release(self, now: int) -> None:
        """Tell what was due by this slot."""
        due = [late.receipt for late in self._late if late.due_slot <= now]
        self._late = [late for late in self._late if late.due_slot > now]
        if due:
            self._append(due)

    def after(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """What was told behind `seq`, at most `limit` receipts."""
        if not self._told:
            return []
        # Numbers have no gaps within a life.
        start = max(0, seq + 1 - self._told[0]["seq"])
        return list(islice(self._told, start, start + limit))

    def _append(self, receipts: list[dict[str, Any]]) -> None:
        """Tell these, and after them what was waiting to come out of order."""
        for receipt in [*receipts, *self._held]:
            self._told.append({"seq": self._next_seq} | receipt)
            self._next_seq += 1
        self._held = []
