"""Coming back later: after what did not work, and while people have paused something."""

import random
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import F

from fairlane.core import switches, transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move
from stablecoin.models import Request
from stablecoin.registry import ChainInfo
from stablecoin.states import REQUEST

EVERYTHING = "stablecoin"
# How late a resumed chain goes on.
PAUSED_MS = 3_000
# The first try in vain costs five seconds, each further one twice as many, up to five minutes.
FIRST_MS = 5_000
LONGEST_MS = 300_000


def is_open(chain: ChainInfo | None) -> bool:
    """Whether the chain is served and nobody has paused it."""
    return chain is not None and switches.is_on(EVERYTHING) and switches.is_on(chain.switch)


def back_off_ms(tries: int) -> int:
    """Exponential back-off with jitter of half to one and a half times."""
    doubled = min(LONGEST_MS, FIRST_MS * 2 ** min(tries, 16))
    return int(doubled * random.uniform(0.5, 1.5))


def later(claim: Claim, ids: Collection[UUID], *, delay_ms: int = PAUSED_MS) -> set[UUID]:
    """Let the same stage take them again later; returns those that were held."""
    return claim.hand_over({request_id: Step(claim.stage, delay_ms) for request_id in ids})


def after_failure(claim: Claim, tries: dict[UUID, int]) -> None:
    """Let the same stage try again, each time after a longer pause."""
    steps = {i: Step(claim.stage, back_off_ms(count)) for i, count in tries.items()}
    held = claim.hand_over(steps)
    Request.objects.filter(id__in=held).update(tries=F("tries") + 1)


def set_aside(claim: Claim) -> None:
    """Bring requests that no claim could bring to an outcome before a person."""
    with transaction.atomic():
        aside = claim.quarantine(claim.poisoned)
        data = {"stage": claim.stage, "reason": "it could not be brought to an outcome"}
        transitions.move(Request, REQUEST, [Move(i, "REVIEW", data) for i in sorted(aside)])
