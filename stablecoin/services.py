"""What people can do with requests and their transactions; every deed is in the audit trail."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from fairlane.core import audit, claims, transitions, wakeups
from fairlane.core.errors import Problem, not_found
from fairlane.core.models import Work
from fairlane.core.principals import Principal
from fairlane.core.transitions import Move
from stablecoin import evidence, locks, usage
from stablecoin.models import Approval, Consent, Request, Transaction
from stablecoin.stage_names import ADMIT, SIGN
from stablecoin.states import OPEN_TRANSACTION, REQUEST

PEOPLE = 2


def agree(*, request_id: UUID, by: Principal, reason: str) -> Request:
    """Say yes to a request that needs two people; the second yes lets it go on.

    Raises:
        Problem: 403, a program asks; 404, no such request; 409, it does not wait for people, or
            this person has spoken already, or asked for it.
    """
    with transaction.atomic():
        request = _locked(request_id)
        _speak(request, by, agreed=True, reason=reason)
        if Consent.objects.filter(request=request, agreed=True).count() >= PEOPLE:
            _move(request, "QUEUED", {"by": by.name, "reason": reason})
            _give_work(request, SIGN)
        return request


def decline(*, request_id: UUID, by: Principal, reason: str) -> Request:
    """Say no to a request that needs two people, which ends it.

    Raises:
        Problem: as ``agree``.
    """
    with transaction.atomic():
        request = _locked(request_id)
        _speak(request, by, agreed=False, reason=reason)
        told = {"rule": "four_eyes", "by": by.name, "reason": reason}
        _move(request, "REJECTED", told, {"rule": "four_eyes"})
        usage.give_back([request.id])
        return request


def retry(*, request_id: UUID, by: Principal, reason: str) -> Request:
    """Let a request go on: a failed one is judged anew, one under review goes on where it stands.

    Raises:
        Problem: 404, no such request; 409, there is nothing to retry, or the chain has done it.
    """
    with transaction.atomic():
        request = _locked(request_id)
        if request.status not in ("FAILED", "REVIEW"):
            raise _stale(request, "needs no retry")
        _require_not_done(request)
        _record("retry", request, by, reason)
        if request.status == "REVIEW" and _go_on_with_transaction(request, by, reason):
            return request
        Approval.objects.filter(request=request).update(state="VOID")
        if request.status == "REVIEW" and _is_let_through(request):
            to, stage = "QUEUED", SIGN
        else:
            # Judged anew from the beginning: by the day's caps, and by people who say it anew.
            to, stage = "RECEIVED", ADMIT
            Consent.objects.filter(request=request).delete()
            usage.give_back([request.id])
        cleared = {"failure_kind": "", "failure_reason": ""}
        _move(request, to, {"by": by.name, "reason": reason}, cleared)
        _give_work(request, stage)
        return request


def fail_review(*, request_id: UUID, by: Principal, reason: str) -> Request:
    """End a request under review as failed, where no transaction of it may still be mined.

    Raises:
        Problem: 404, no such request; 409, it is not under review, or may still be carried out.
    """
    with transaction.atomic():
        request = _locked(request_id)
        if request.status != "REVIEW":
            raise _stale(request, "is not under review")
        if _open_transaction(request) is not None:
            raise Problem(409, "may_land", "A transaction of it may still be mined")
        _require_not_done(request)
        _record("fail", request, by, reason)
        told = {"kind": "review", "reason": reason}
        _move(request, "FAILED", told, {"failure_kind": "review", "failure_reason": reason})
        Approval.objects.filter(request=request).update(state="VOID")
        Work.objects.filter(object_id=request.id).delete()
        usage.give_back([request.id])
        return request


def speed_up(*, transaction_id: int, by: Principal, reason: str) -> Transaction:
    """Have the relayer offer higher fees at its next cycle.

    Raises:
        Problem: 404, no such transaction; 409, it does not wait to be mined, or is being cancelled.
    """
    return _wish(transaction_id, "speed_up", by, reason)


def cancel_transaction(*, transaction_id: int, by: Principal, reason: str) -> Transaction:
    """Have the relayer fill the nonce with nothing; whichever of both is mined decides.

    Raises:
        Problem: as ``speed_up``.
    """
    return _wish(transaction_id, "cancel", by, reason)


def _locked(request_id: UUID) -> Request:
    """The request; its work and itself are nobody else's until the end of the transaction."""
    request = locks.hold([request_id]).get(request_id)
    if request is None:
        raise not_found("There is no such request")
    return request


def _require_not_done(request: Request) -> None:
    if evidence.done([request.id]):
        raise Problem(409, "done_on_chain", "The contract's log says that it was carried out")


def _speak(request: Request, by: Principal, *, agreed: bool, reason: str) -> None:
    if by.kind != "user":
        raise Problem(403, "people_only", "Only people may agree or decline")
    if request.status != "AWAITING_APPROVAL":
        raise _stale(request, "does not wait for people")
    if request.created_by == by.ref:
        raise Problem(409, "own_request", "Who asked for it has no say in it")
    try:
        with transaction.atomic():
            Consent.objects.create(
                request=request, user_id=int(by.id), agreed=agreed, reason=reason
            )
    except IntegrityError:
        raise Problem(409, "spoken_before", "This person has spoken already") from None
    _record("agree" if agreed else "decline", request, by, reason)


def _is_let_through(request: Request) -> bool:
    """Whether the policies, or as many people as it needs, have let a request go on."""
    if request.admitted_on is None:
        return False
    agreed = Consent.objects.filter(request=request, agreed=True).count()
    return not request.rule or agreed >= PEOPLE


def _go_on_with_transaction(request: Request, by: Principal, reason: str) -> bool:
    """Back to where its open transaction stands; the relayer and the listener do the rest."""
    current = _open_transaction(request)
    if current is None:
        return False
    mined = current.state == "MINED" and bool(current.succeeded)
    told: dict[str, object] = {"by": by.name, "reason": reason}
    if mined:
        told |= {"txHash": current.mined_hash, "blockNumber": current.block_number}
    _move(request, "MINED" if mined else "SUBMITTED", told)
    Work.objects.filter(object_id=request.id).delete()
    return True


def _open_transaction(request: Request) -> Transaction | None:
    return Transaction.objects.filter(request=request, state__in=OPEN_TRANSACTION).first()


def _move(
    request: Request,
    to: str,
    data: Mapping[str, object],
    columns: Mapping[str, object] | None = None,
) -> None:
    moves: Sequence[Move] = [Move(request.id, to, data, columns or {})]
    if not transitions.move(Request, REQUEST, moves, only_from=[request.status]):
        raise _stale(request, f"cannot become {to}")
    request.refresh_from_db()


def _give_work(request: Request, stage: str) -> None:
    Work.objects.filter(object_id=request.id).delete()
    claims.open_work([request.id], stage)
    wakeups.wake(stage)


def _wish(transaction_id: int, wish: str, by: Principal, reason: str) -> Transaction:
    with transaction.atomic():
        found = Transaction.objects.select_for_update().filter(id=transaction_id).first()
        if found is None:
            raise not_found("There is no such transaction")
        if found.state not in ("SIGNED", "BROADCAST"):
            raise Problem(409, "stale_state", f"A transaction that is {found.state} is settled")
        if found.wish == "cancel" and wish != "cancel":
            # Else the request would be sent again after all once the cancelling is done.
            raise Problem(409, "stale_state", "The transaction is being cancelled")
        found.wish = wish
        found.save(update_fields=["wish"])
        audit.record(
            actor=by.actor,
            action=f"transaction.{wish}",
            object=f"transaction:{transaction_id}",
            reason=reason,
        )
        return found


def _record(deed: str, request: Request, by: Principal, reason: str) -> None:
    audit.record(
        actor=by.actor,
        action=f"stablecoin.{deed}",
        object=f"stablecoin:{request.id}",
        reason=reason,
    )


def _stale(request: Request, what: str) -> Problem:
    return Problem(409, "stale_state", f"A request that is {request.status} {what}")
