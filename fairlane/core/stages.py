"""A stage: claim what is due, work on the set, until nothing is due."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError

from fairlane.core import checkpoints, claims, tallies, wakeups
from fairlane.core.claims import Claim

logger = structlog.get_logger(__name__)

# A task hands over to a fresh one after this part of its time, so that a worker told to stop does
# so soon, and a claim made at the very end still has nearly all of it.
BUDGET = 0.1


@dataclass(frozen=True, slots=True)
class Stage:
    """One step that sets of objects take.

    Attributes:
        name: ``app.step``; the value of ``Work.stage``.
        size: rows per claim.
        lease_ms: longer than working on a full claim takes at its slowest.
        work: does the step for a claim, and records the outcome of every row.
        set_aside: records what becomes of a claim's poisoned rows.
    """

    name: str
    size: int
    lease_ms: int
    work: Callable[[Claim], None]
    set_aside: Callable[[Claim], None]

    def run(self) -> int:
        """Work until nothing is due or the budget is spent; returns the number of rows claimed."""
        wakeups.started(self.name)
        deadline = time.monotonic() + BUDGET * settings.CELERY_TASK_SOFT_TIME_LIMIT
        done = failed = 0
        while time.monotonic() < deadline:
            found = (
                claims.due(self.name, size=self.size, lease_ms=self.lease_ms),
                claims.suspect(self.name, lease_ms=self.lease_ms),
            )
            if not any(found):
                break
            for claim in filter(None, found):
                done += len(claim.ids)
                failed += self._take(claim)
        tallies.add(self.name, done=done - failed, failed=failed)
        due_in = claims.next_due_ms(self.name)
        if due_in is not None:
            wakeups.wake(self.name, delay_ms=due_in)
        return done

    def _take(self, claim: Claim) -> int:
        """Returns how many rows the step failed for."""
        checkpoints.reach(f"{self.name}.claimed")
        if claim.poisoned:
            self.set_aside(claim)
        return self._work(claim) if claim.ids else 0

    def _work(self, claim: Claim) -> int:
        """Do the step; where it fails, find the row it fails for, so that the others go on."""
        try:
            self.work(claim)
        except (SoftTimeLimitExceeded, OperationalError, InterfaceError):
            # Not the doing of any one row: the lease runs out and all are tried again.
            raise
        except Exception as error:
            if len(claim.ids) > 1:
                half = len(claim.ids) // 2
                first = self._work(claim.part(claim.ids[:half]))
                return first + self._work(claim.part(claim.ids[half:]))
            logger.exception("stage.failed", stage=self.name, object_id=str(claim.ids[0]))
            claim.fail(f"{type(error).__name__}: {error}")
            return 1
        return 0
