"""What the coordinator does again and again: started by beat, and by `manage.py coordinator`."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.conf import settings

from batches import expiring, planning, reconciliation, reserving, stages, timekeeping
from batches.timekeeping import Now
from chains.errors import ChainError
from fairlane.core import claims

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass did.

    Attributes:
        planned: batches that it planned.
        expired: orders that it ended.
        moment: None where the node tells of no slots, and nothing could be planned.
    """

    planned: int
    expired: int
    moment: Now | None


def plan() -> Pass:
    """Plan what is ahead; whoever does it, and however often, it is done once.

    Raises:
        ExceptionGroup: parts of it went wrong; the others are done.
    """
    try:
        moment = timekeeping.shared()
    except ChainError as error:
        logger.warning("planning.waits", reason=str(error))
        return Pass(0, 0, None)
    timekeeping.record(moment)
    errors: list[Exception] = []

    def part(step: Callable[[Now], int]) -> int:
        # Owners get their money back whatever becomes of the schedule.
        try:
            return step(moment)
        except Exception as error:
            errors.append(error)
            return 0

    done = Pass(planned=part(planning.plan), expired=part(expiring.expire), moment=moment)
    if errors:
        raise ExceptionGroup("parts of the pass went wrong", errors)
    return done


def reserve() -> int:
    """Bid for the slots of what is planned; returns how many bids were made.

    Apart from planning, so that nobody else waits for a venue.
    """
    if not settings.RAIKU_URL:
        return 0
    try:
        moment = timekeeping.now()
    except ChainError as error:
        logger.warning("reserving.waits", reason=str(error))
        return 0
    return reserving.reserve(moment)


def reconcile(actor: str) -> None:
    """Compare every vault with the ledger; one that cannot be read is left to the next time."""
    for mint in reconciliation.mints():
        try:
            reconciliation.check(mint, actor=actor)
        except ChainError as error:
            logger.warning("reconcile.unread", mint=mint, error=str(error))


def advance() -> None:
    """Close → commit → clear → settle whatever is due."""
    for name in claims.backlog():
        if name in stages.TASKS:
            stages.stage(name).run()
