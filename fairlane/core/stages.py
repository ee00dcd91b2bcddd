"""A stage: claim what is due, work on the set, until nothing is due."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from fairlane.core import checkpoints, claims, wakeups

logger = structlog.get_logger(__name__)

# A task hands over to a fresh one after this, so that a worker told to stop does so soon.
BUDGET_SECONDS = 2.0
# Rows due within this get a wake-up of their own; the sweeper finds the later ones.
HORIZON_MS = 3_000


@dataclass(frozen=True, slots=True)
class Stage:
    """One step that sets of objects take.

    Attributes:
        name: ``app.step``; the value of ``Work.stage``.
        size: rows per claim.
        lease_ms: longer than working on a full claim takes at its slowest.
        work: does the step for a claim, and records the outcome of every row.
        set_aside: records what becomes of rows that no claim could bring to an outcome.
    """

    name: str
    size: int
    lease_ms: int
    work: Callable[[claims.Claim], None]
    set_aside: Callable[[claims.Claim], None]

    def run(self) -> int:
        """Work until nothing is due or the budget is spent; returns the number of rows."""
        wakeups.started(self.name)
        deadline = time.monotonic() + BUDGET_SECONDS
        done = 0
        while time.monotonic() < deadline:
            claim = claims.due(self.name, size=self.size, lease_ms=self.lease_ms)
            checkpoints.reach(f"{self.name}.claimed")
            if claim.poisoned:
                self.set_aside(claim)
            if not claim.ids:
                break
            self.work(claim)
            done += len(claim.ids)
        self._continue_later()
        return done

    def _continue_later(self) -> None:
        due_in = claims.next_due_ms(self.name)
        if due_in == 0:
            wakeups.wake(self.name)
        elif due_in is not None and due_in <= HORIZON_MS:
            wakeups.wake_in(self.name, due_in)
