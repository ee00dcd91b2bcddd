"""Commit: see the anchor land before the tick's slot. Without one, nothing executes."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction

from batches.coordination import releasing
from batches.ledger import Journal
from batches.models import Batch, Tick
from batches.stage_names import CLEAR, COMMIT
from batches.states import BATCH, TICK
from chains import registry as adapters
from chains.errors import ChainError
from chains.ports import SignatureStatus
from fairlane.core import checkpoints, transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move

logger = structlog.get_logger(__name__)

# Twice per slot, about: an anchor has few slots to land in.
LOOK_MS = 100
OUTAGE_LOOK_MS = 500


@dataclass(frozen=True, slots=True)
class Landed:
    """The anchor stands in this slot, before the tick's own."""

    slot: int


@dataclass(frozen=True, slots=True)
class Missed:
    """The anchor did not land in time, and what lands now is too late."""

    reason: str


def decide(
    status: SignatureStatus | None, *, slot: int, target_slot: int
) -> Landed | Missed | None:
    """Whether a tick executes; None where that is still open. Pure.

    Args:
        slot: the confirmed one, read before the status and from the same provider.
    """
    if status is not None and status.confirmation != "processed":
        if status.err is not None:
            return Missed("the anchor failed on chain")
        if status.slot < target_slot:
            return Landed(status.slot)
        return Missed(f"the anchor landed in slot {status.slot}, not before {target_slot}")
    if slot >= target_slot:
        return Missed(f"the anchor did not land before slot {target_slot}")
    return None


def work(claim: Claim) -> None:
    """Look for the anchors of a claim's ticks."""
    ticks = list(Tick.objects.filter(id__in=claim.ids, status="CLOSED").order_by("number"))
    claim.finish(set(claim.ids) - {tick.id for tick in ticks})
    if not ticks:
        return
    try:
        slot, statuses = _look(ticks)
    except ChainError as error:
        logger.warning("committing.waits", reason=str(error))
        claim.hand_over({tick.id: Step(COMMIT, OUTAGE_LOOK_MS) for tick in ticks})
        return
    for tick, status in zip(ticks, statuses, strict=True):
        assert tick.target_slot is not None
        outcome = decide(status, slot=slot, target_slot=tick.target_slot)
        checkpoints.reach("batches.commit.before_persist")
        match outcome:
            case Landed(anchor_slot):
                _committed(claim, tick, anchor_slot)
            case Missed(reason):
                _missed(claim, tick, reason)
            case None:
                claim.hand_over({tick.id: Step(COMMIT, LOOK_MS)})
        checkpoints.reach("batches.commit.persisted")


def _look(ticks: Sequence[Tick]) -> tuple[int, Sequence[SignatureStatus | None]]:
    """The confirmed slot, then what became of the anchors; those unheard of are sent again.

    An endpoint may be a balancer: who has not reached the slot cannot say that one did not land.
    """
    node = adapters.solana()
    slot = adapters.run(node.slot("confirmed"))
    signatures = [str(tick.anchor_signature) for tick in ticks]
    statuses = adapters.run(node.statuses(signatures, not_before_slot=slot))
    again = [
        bytes(tick.anchor_transaction or b"")
        for tick, status in zip(ticks, statuses, strict=True)
        if status is None
    ]
    if again:
        adapters.run(node.send(again))
    return slot, statuses


def _committed(claim: Claim, tick: Tick, slot: int) -> None:
    with transaction.atomic():
        if not claim.hand_over({tick.id: Step(CLEAR)}):
            return
        batches = Batch.objects.filter(tick=tick, status="CLOSED").defer("leaves").order_by("id")
        moves = [
            Move(
                batch.id,
                "COMMITTED",
                {
                    "batchNo": batch.number,
                    "slot": tick.target_slot,
                    "merkleRoot": bytes(batch.header or b"")[-32:].hex(),
                    "anchorSignature": tick.anchor_signature,
                    "anchorSlot": slot,
                },
            )
            for batch in batches
        ]
        transitions.move(Batch, BATCH, moves)
        data = {"tick": tick.number, "anchorSlot": slot}
        transitions.move(Tick, TICK, [Move(tick.id, "COMMITTED", data, {"anchor_slot": slot})])


def _missed(claim: Claim, tick: Tick, reason: str) -> None:
    with transaction.atomic():
        if not claim.finish([tick.id]):
            return
        batches = Batch.objects.filter(tick=tick, status="CLOSED").select_related("tick")
        journal = Journal()
        releasing.roll(list(batches.order_by("id")), reason, journal)
        transitions.move(
            Tick, TICK, [Move(tick.id, "FAILED", {"tick": tick.number, "reason": reason})]
        )
        journal.post()
    logger.warning("tick.failed", tick=tick.number, reason=reason)
