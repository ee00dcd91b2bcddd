"""Submit: send what is signed and stored. What a send answers decides nothing."""

from datetime import UTC, datetime

import structlog
from django.db import transaction

from chains import registry as adapters
from fairlane.core import bulk, checkpoints, transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move
from orders.execution import rows
from orders.models import Attempt, Order
from orders.stage_names import CONFIRM
from orders.states import ORDER

logger = structlog.get_logger(__name__)

# A transaction shows up as confirmed a slot after it was executed: about this long.
FIRST_LOOK_MS = 400


def work(claim: Claim) -> None:
    """Send the signed transactions of a claim, all in one go."""
    attempts = rows.signed(claim.ids)
    checkpoints.reach("orders.submit.before_send")
    outcomes = adapters.run(adapters.solana().send([a.transaction for a in attempts]))
    sent_at = datetime.now(UTC)
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if errors:
        logger.warning("send.answered_with_errors", count=len(errors), first=errors[0])
    checkpoints.reach("orders.submit.sent")
    with transaction.atomic():
        held = claim.hand_over({a.order_id: Step(CONFIRM, FIRST_LOOK_MS) for a in attempts})
        bulk.update(
            Attempt,
            [{"id": a.id, "sent_at": sent_at} for a in attempts if a.order_id in held],
            key="id",
        )
        transitions.move(
            Order,
            ORDER,
            [
                Move(
                    a.order_id,
                    "SUBMITTED",
                    {"txHash": a.signature, "venue": a.venue, "attempt": a.number},
                    {"signature": a.signature},
                )
                for a in attempts
                if a.order_id in held
            ],
            only_from=["BUILDING"],
        )
    checkpoints.reach("orders.submit.recorded")
