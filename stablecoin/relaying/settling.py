"""Requests whose transaction is final: the contract's event completes them, or a person is told."""

from collections.abc import Collection
from uuid import UUID

import structlog
from django.utils import timezone

from fairlane.core import claims, transitions
from fairlane.core.models import Work
from fairlane.core.transitions import Move
from stablecoin import locks
from stablecoin.models import ListenerCursor, Request
from stablecoin.stage_names import settle
from stablecoin.states import REQUEST

logger = structlog.get_logger(__name__)

# The listener looks several times as often.
LOOK_MS = 5_000
SET = 100


def expect(ids: Collection[UUID], chain_id: int) -> None:
    """Wait for the events of these requests; part of the caller's transaction."""
    mined = Request.objects.filter(id__in=ids, status="MINED")
    claims.open_work(list(mined.values_list("id", flat=True)), settle(chain_id))


def due(chain_id: int) -> list[UUID]:
    """Requests whose event is to be looked for."""
    waits = Work.objects.filter(stage=settle(chain_id), due_at__lte=timezone.now())
    return list(waits.order_by("due_at").values_list("object_id", flat=True)[:SET])


def look(ids: Collection[UUID], chain_id: int) -> None:
    """Bring requests before a person whose event is missing in blocks that the listener has
    applied: a node has made up a receipt, or kept a log back. A late event still completes them.

    Part of the caller's transaction, which holds the relayer's claim.
    """
    mined = {i: r for i, r in locks.hold(ids).items() if r.status == "MINED"}
    applied = ListenerCursor.objects.filter(chain_id=chain_id).values_list("applied", flat=True)
    passed = applied.first() or 0
    waits = {i for i, r in mined.items() if r.block_number is None or r.block_number > passed}
    missing = sorted(mined.keys() - waits)
    reason = "its transaction is final, and the contract tells of no such event"
    transitions.move(Request, REQUEST, [Move(i, "REVIEW", {"reason": reason}) for i in missing])
    if missing:
        logger.error("relayer.event_missing", chain_id=chain_id, count=len(missing))
    Work.objects.filter(object_id__in=set(ids) - waits, stage=settle(chain_id)).delete()
    claims.postpone(waits, delay_ms=LOOK_MS)
