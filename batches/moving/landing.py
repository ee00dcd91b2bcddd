"""Land: follow transactions of transfers until they have landed, failed, or can land no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction

from batches.models import Packet, Transfer
from batches.moving.outcomes import Outcomes
from batches.stage_names import LAND
from chains import registry as adapters
from chains.errors import ChainError
from chains.ports import LandedTransaction
from chains.solana import landing
from fairlane.core import bulk, checkpoints
from fairlane.core.claims import Claim, Step

logger = structlog.get_logger(__name__)

# Once per slot, about: an earlier look finds nothing new.
NEXT_LOOK_MS = 200
OUTAGE_LOOK_MS = 1_000
# So long after it was first looked up, what is open is what the node cannot tell.
UNDECIDED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Case:
    """A transaction with its transfers, what is to be done, and how it landed if it did."""

    packet: Packet
    carried: Sequence[Transfer]
    decision: landing.Decision
    landed: LandedTransaction | None


def work(claim: Claim) -> None:
    """Look up the transactions of a claim and record what is proven."""
    packets = list(Packet.objects.filter(id__in=claim.ids, status="SIGNED").order_by("id"))
    claim.finish(set(claim.ids) - {packet.id for packet in packets})
    try:
        cases = _look(packets)
    except ChainError as error:
        logger.warning("landing.waits", reason=str(error))
        claim.hand_over({packet.id: Step(LAND, OUTAGE_LOOK_MS) for packet in packets})
        return
    resent_at = _resend(cases)
    checkpoints.reach("batches.land.before_persist")
    with transaction.atomic():
        held = claim.hold([case.packet.id for case in cases])
        _record(claim, [case for case in cases if case.packet.id in held], resent_at)
    checkpoints.reach("batches.land.persisted")


def _look(packets: Sequence[Packet]) -> list[Case]:
    if not packets:
        return []
    node, now = adapters.solana(), datetime.now(UTC)
    seen = adapters.run(node.observe([packet.signature for packet in packets]))
    decisions = [
        landing.decide(
            status=status,
            finalized_height=seen.finalized_height,
            first_available=seen.first_available,
            first_slot=packet.first_slot,
            last_valid_block_height=packet.last_valid_block_height,
            last_sent_at=packet.sent_at,
            now=now,
        )
        for packet, status in zip(packets, seen.statuses, strict=True)
    ]
    ended = landing.Confirmed | landing.Failed
    signatures = [
        p.signature for p, d in zip(packets, decisions, strict=True) if isinstance(d, ended)
    ]
    found = adapters.run(node.transactions(signatures)) if signatures else []
    landed = {each.signature: each for each in found if each is not None}
    carried: dict[object, list[Transfer]] = {packet.id: [] for packet in packets}
    members = Transfer.objects.filter(packet__in=packets, status="PACKED").select_related("market")
    for row in members.order_by("position"):
        carried[row.packet_id].append(row)
    return [
        Case(packet, carried[packet.id], decision, landed.get(packet.signature))
        for packet, decision in zip(packets, decisions, strict=True)
    ]


def _resend(cases: Sequence[Case]) -> datetime:
    again = [c.packet.transaction for c in cases if isinstance(c.decision, landing.Resend)]
    if again:
        adapters.run(adapters.solana().send([bytes(raw) for raw in again]))
    return datetime.now(UTC)


def _record(claim: Claim, cases: Sequence[Case], now: datetime) -> None:
    """Part of the caller's transaction, which holds the cases' work."""
    outcomes, ended, open_ = Outcomes(), [], []
    for case in cases:
        if case.landed is not None:
            outcomes.landed(case.packet, case.carried, case.landed)
        elif isinstance(case.decision, landing.Expired):
            outcomes.expired(case.packet, case.carried)
        elif _is_undecided(case, now):
            reason = f"the node cannot tell what became of {case.packet.signature}"
            outcomes.review(case.packet, case.carried, reason)
        else:
            open_.append(case)
            continue
        ended.append(case.packet.id)
    claim.finish(ended)
    claim.hand_over({case.packet.id: Step(LAND, NEXT_LOOK_MS) for case in open_})
    _mark_looked_at(open_, now)
    outcomes.write()


def _is_undecided(case: Case, now: datetime) -> bool:
    """Whether a person has to find out: not while it may land, nor where it is only unread."""
    first = case.packet.looked_at
    waits = isinstance(case.decision, landing.Wait)
    return waits and first is not None and now - first >= UNDECIDED


def _mark_looked_at(cases: Sequence[Case], now: datetime) -> None:
    bulk.update(
        Packet,
        [
            {
                "id": case.packet.id,
                "sent_at": now
                if isinstance(case.decision, landing.Resend)
                else case.packet.sent_at,
                "looked_at": case.packet.looked_at or now,
            }
            for case in cases
            if case.packet.looked_at is None or isinstance(case.decision, landing.Resend)
        ],
        key="id",
    )
