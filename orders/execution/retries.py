"""Going back to the venues, or giving up. Only for orders of which nothing can land any more."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from fairlane.core import transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move
from orders.models import Attempt, Order
from orders.stage_names import ROUTE
from orders.states import ORDER

# The first retry comes after about half a second, each further one after twice the time.
BASE_DELAY_MS = 500
MAX_DELAY_MS = 30_000


@dataclass(frozen=True, slots=True)
class Setback:
    """Why an order did not get further.

    Attributes:
        tries: how often the venues were asked so far.
        kind: one word for filters and metrics, such as routing, slippage, balance, network.
        temporary: whether asking again may help.
    """

    order_id: UUID
    tries: int
    kind: str
    reason: str
    temporary: bool

    @property
    def final(self) -> bool:
        return not self.temporary or self.tries >= settings.ORDERS_MAX_ATTEMPTS


def back_off_ms(tries: int) -> int:
    """Exponential back-off with jitter of half to one and a half times."""
    doubled = min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** min(max(tries - 1, 0), 16))
    return int(doubled * random.uniform(0.5, 1.5))


def record(claim: Claim, setbacks: Sequence[Setback]) -> set[UUID]:
    """Fail orders, or send them back to be routed again; part of the caller's transaction.

    Returns:
        The orders that were still held.
    """
    final = {s.order_id: s for s in setbacks if s.final}
    steps = {s.order_id: Step(ROUTE, back_off_ms(s.tries)) for s in setbacks if not s.final}
    ended, returned = claim.finish(final), claim.hand_over(steps)
    _discard_requests(ended | returned)
    transitions.move(Order, ORDER, [_failed(final[order_id]) for order_id in sorted(ended)])
    by_id = {s.order_id: s for s in setbacks}
    transitions.move(
        Order,
        ORDER,
        [
            Move(
                order_id,
                "PENDING",
                {
                    "kind": by_id[order_id].kind,
                    "reason": by_id[order_id].reason,
                    "retryInMs": steps[order_id].delay_ms,
                },
            )
            for order_id in sorted(returned)
        ],
    )
    return ended | returned


def _failed(setback: Setback) -> Move:
    return Move(
        setback.order_id,
        "FAILED",
        {"kind": setback.kind, "reason": setback.reason},
        {"failure_kind": setback.kind, "failure_reason": setback.reason},
    )


def _discard_requests(ids: Collection[UUID]) -> None:
    """A venue's answer to a request that nobody waits for any more must not be used."""
    if ids:
        Attempt.objects.filter(order_id__in=ids, state="REQUESTED").update(state="DISCARDED")


def set_aside(claim: Claim) -> None:
    """Bring orders that no claim could bring to an outcome before a person."""
    with transaction.atomic():
        aside = claim.quarantine(claim.poisoned)
        # What went wrong is for the people who look after the service, and stays with the work.
        data = {"stage": claim.stage, "reason": "it could not be brought to an outcome"}
        transitions.move(
            Order, ORDER, [Move(order_id, "REVIEW", data) for order_id in sorted(aside)]
        )
