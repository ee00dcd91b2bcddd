"""Ticks that no claim could bring further: a person has to look."""

import structlog
from django.db import transaction

from batches.models import Tick
from batches.states import TICK
from fairlane.core import transitions
from fairlane.core.claims import Claim
from fairlane.core.transitions import Move

logger = structlog.get_logger(__name__)


def set_aside(claim: Claim) -> None:
    """Keep ticks for a person; what their batches have promised stays as it is."""
    with transaction.atomic():
        aside = claim.quarantine(claim.poisoned)
        transitions.move(
            Tick, TICK, [Move(tick_id, "REVIEW", {"stage": claim.stage}) for tick_id in aside]
        )
    logger.error("tick.put_aside", ticks=[str(tick_id) for tick_id in aside], stage=claim.stage)
