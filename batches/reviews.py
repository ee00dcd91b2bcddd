"""The ways out of review: a person has something looked up or done again, with a reason.

Nothing is decided here. What has happened is looked up on chain once more, by the same stages as
ever, and only what is proven not to have happened is done again.
"""

from uuid import UUID

from django.db import transaction

from batches.models import BatchOrder, Direction, Packet, Tick, Transfer
from batches.moving import escrows, outcomes, rows
from batches.stage_names import CLEAR, CLOSE, COMMIT, LAND
from batches.states import TICK
from fairlane.core import audit, claims, transitions, wakeups
from fairlane.core.errors import Problem, not_found
from fairlane.core.models import Work
from fairlane.core.transitions import Move


def look_again(packet_id: UUID, *, by: str, reason: str) -> None:
    """Follow a transaction under review as if it had just been sent.

    Raises:
        Problem: 404, there is none; 409, it is not under review.
    """
    with transaction.atomic():
        _follow(_packet(packet_id), accepted=False)
        audit.record(actor=by, action="packet.look", object=f"packet:{packet_id}", reason=reason)


def accept(packet_id: UUID, *, by: str, reason: str) -> None:
    """Follow a transaction under review, and let it count whatever else it has moved.

    The ledger is entered what it should have moved: what the vault lacks then is shown as any
    other difference, and pauses its markets until somebody makes it good.

    Raises:
        Problem: as ``look_again``.
    """
    with transaction.atomic():
        _follow(_packet(packet_id), accepted=True)
        audit.record(actor=by, action="packet.accept", object=f"packet:{packet_id}", reason=reason)


def look_for(transfer_id: UUID, *, by: str, reason: str) -> None:
    """Follow the transaction of a transfer under review, with all that it carries.

    Raises:
        Problem: 404, there is none; 409, no transaction of it is under review.
    """
    with transaction.atomic():
        packet_id = _transfer(transfer_id).packet_id
        if packet_id is None:
            raise Problem(409, "stale_state", "No transaction of it was sent: try it again")
        look_again(packet_id, by=by, reason=reason)


def try_again(transfer_id: UUID, *, by: str, reason: str) -> None:
    """Put a transfer under review into another transaction, where none of it can have happened.

    Raises:
        Problem: 404, there is none; 409, it is not under review, or may have happened.
    """
    with transaction.atomic():
        transfer = _hold(transfer_id)
        _require_review(transfer.status)
        _require_not_happened(transfer)
        _send(transfer)
        audit.record(
            actor=by, action="transfer.again", object=f"transfer:{transfer_id}", reason=reason
        )


def pay_anyway(transfer_id: UUID, *, by: str, reason: str) -> None:
    """Pay what waits for an account of its owner, and open one at the coordinator's cost.

    Raises:
        Problem: 404, there is none; 409, it is no payout that waits, or it may have happened.
    """
    with transaction.atomic():
        transfer = _hold(transfer_id)
        if transfer.direction != Direction.PAY or transfer.status not in ("DUE", "REVIEW"):
            raise _stale(transfer.status, "is no payout that waits")
        _require_not_happened(transfer)
        Transfer.objects.filter(id=transfer_id).update(opens_account=True)
        _send(transfer)
        audit.record(
            actor=by, action="transfer.pay_anyway", object=f"transfer:{transfer_id}", reason=reason
        )


def go_on_with_order(order_id: UUID, *, by: str, reason: str) -> None:
    """Look up the pull of an order under review, or pull again where nothing was sent.

    Raises:
        Problem: 404, there is none; 409, it is not under review.
    """
    with transaction.atomic():
        pulls = Transfer.objects.filter(order_id=order_id, direction=Direction.PULL)
        pull = pulls.filter(status="REVIEW").first()
        if pull is None:
            order = BatchOrder.objects.filter(id=order_id).first()
            if order is None:
                raise not_found("There is no such order")
            raise _stale(order.status, "is not under review")
        step = try_again if pull.packet_id is None else look_for
        step(pull.id, by=by, reason=reason)


def go_on_with_tick(tick_id: UUID, *, by: str, reason: str) -> None:
    """Let a tick under review go on in the stage that it stands in.

    Raises:
        Problem: 404, there is none; 409, it is not under review.
    """
    with transaction.atomic():
        Work.objects.filter(object_id=tick_id).delete()
        tick = Tick.objects.select_for_update(no_key=True).filter(id=tick_id).first()
        if tick is None:
            raise not_found("There is no such tick")
        _require_review(tick.status)
        status, stage = _standing(tick)
        transitions.move(Tick, TICK, [Move(tick_id, status, {"by": by, "reason": reason})])
        _give_work(tick_id, stage)
        audit.record(actor=by, action="tick.go_on", object=f"tick:{tick_id}", reason=reason)


def _standing(tick: Tick) -> tuple[str, str]:
    """The status of a tick by what it has, and the stage that works on it."""
    if tick.anchor_slot is not None:
        return "COMMITTED", CLEAR
    return ("CLOSED", COMMIT) if tick.anchor_signature else ("PLANNED", CLOSE)


def _packet(packet_id: UUID) -> Packet:
    """The transaction under review; its work goes first, as everywhere."""
    Work.objects.filter(object_id=packet_id).delete()
    packet = Packet.objects.select_for_update(no_key=True).filter(id=packet_id).first()
    if packet is None:
        raise not_found("There is no such transaction")
    _require_review(packet.status)
    return packet


def _follow(packet: Packet, *, accepted: bool) -> None:
    carried = list(Transfer.objects.filter(packet=packet, status="REVIEW").select_related("market"))
    escrows.certain(carried)
    Transfer.objects.filter(id__in=[row.id for row in carried]).update(status="PACKED", reason="")
    Packet.objects.filter(id=packet.id).update(
        status="SIGNED", error="", accepted=accepted, looked_at=None
    )
    _give_work(packet.id, LAND)


def _transfer(transfer_id: UUID) -> Transfer:
    found = Transfer.objects.filter(id=transfer_id).select_related("market", "packet").first()
    if found is None:
        raise not_found("There is no such transfer")
    return found


def _hold(transfer_id: UUID) -> Transfer:
    """The transfer, which nobody works on before the transaction has ended."""
    Work.objects.filter(object_id=transfer_id).delete()
    escrows.hold([_transfer(transfer_id)])
    list(Transfer.objects.filter(id=transfer_id).select_for_update(no_key=True))
    return _transfer(transfer_id)


def _require_not_happened(transfer: Transfer) -> None:
    if transfer.packet is not None and transfer.packet.status not in ("FAILED", "EXPIRED"):
        raise Problem(409, "may_land", "Its transaction may have landed: have it looked up")


def _send(transfer: Transfer) -> None:
    """Into its stage again, with what happens together with it, and as many tries as a new one."""
    escrows.certain([transfer])
    sent = rows.with_legs([transfer], Transfer.objects.filter(status="REVIEW"))
    Work.objects.filter(object_id__in=[row.id for row in sent]).delete()
    for row in sent:
        row.tries = 0
    outcomes.send_again(sent)


def _give_work(object_id: UUID, stage: str) -> None:
    claims.open_work([object_id], stage)
    wakeups.wake(stage)


def _require_review(status: str) -> None:
    if status != "REVIEW":
        raise _stale(status, "is not under review")


def _stale(status: str, what: str) -> Problem:
    return Problem(409, "stale_state", f"What is {status} {what}")
