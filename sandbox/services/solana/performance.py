"""Performance samples: slots and transactions per period, from which clients measure slot time."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

SAMPLE_SECONDS = 5
"""Agave samples a minute; a sandbox that has just started has to tell its slot time sooner."""

SAMPLES = 720


class _Mark(NamedTuple):
    time: float
    slot: int
    transactions: int


class Performance:
    """Samples of `SAMPLE_SECONDS` or a little more each."""

    def __init__(self, now: float, slot: int, transactions: int) -> None:
        self._mark = _Mark(now, slot, transactions)
        self._samples: deque[dict[str, int]] = deque(maxlen=SAMPLES)

    def record(self, now: float, slot: int, transactions: int) -> None:
        """Note where the chain stands; takes a sample when one is due."""
        seconds = round(now - self._mark.time)
        if seconds < SAMPLE_SECONDS:
            return
        # A fork takes transactions back; a sample never counts below zero.
        count = max(0, transactions - self._mark.transactions)
        self._samples.append(
            {
                "slot": slot,
                "numTransactions": count,
                "numNonVoteTransactions": count,
                "numSlots": slot - self._mark.slot,
                "samplePeriodSecs": seconds,
            }
        )
        self._mark = _Mark(now, slot, transactions)

    def samples(self, limit: int) -> list[dict[str, int]]:
        """The last samples, newest first."""
        return list(self._samples)[::-1][:limit]
