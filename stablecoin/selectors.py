"""Reads of the stablecoin app."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from fairlane.core import history
from fairlane.core.errors import FieldError, Problem
from fairlane.core.models import RelayCursor
from fairlane.core.principals import AllWallets, Principal
from stablecoin import representation
from stablecoin.models import Approval, Attempt, Consent, Request, Transaction
from stablecoin.states import ENDED, IN_VAIN, PHASES


@dataclass(frozen=True, slots=True)
class Name:
    """A request's name outside. A redeem's is unique on its chain only, so both may be told."""

    request_id: str
    kind: str | None = None
    chain_id: int | None = None


def visible(principal: Principal) -> QuerySet[Request]:
    """The requests this principal may see."""
    if isinstance(principal.wallets, AllWallets):
        return Request.objects.all()
    return Request.objects.filter(wallet__in=list(principal.wallets))


def with_status(requests: QuerySet[Request], *statuses: str) -> QuerySet[Request]:
    """Those that have one of these statuses. What has not ended, and what ended in vain, are few
    among many, and found without reading the others."""
    found = requests.filter(status__in=statuses)
    if not ENDED & set(statuses):
        return found.filter(ended=False)
    return found.filter(in_vain=True) if set(statuses) <= IN_VAIN else found


def in_phase(requests: QuerySet[Request], phase: str) -> QuerySet[Request]:
    """Those that are in one of the four phases."""
    return with_status(requests, *(s for s, name in PHASES.items() if name == phase))


def find(name: Name, principal: Principal) -> Request:
    """The request of this name.

    Raises:
        Problem: 404, it is not there or not this principal's; 409, several have the name.
    """
    found = visible(principal).filter(request_id=name.request_id)
    if name.kind is not None:
        found = found.filter(kind=name.kind)
    if name.chain_id is not None:
        found = found.filter(chain_id=name.chain_id)
    rows = list(found[:2])
    if not rows:
        raise _not_found()
    if len(rows) > 1:
        fields = [
            FieldError(field, "required", "It says which of them is meant.")
            for field, told in (("chainId", name.chain_id), ("type", name.kind))
            if told is None
        ]
        raise Problem(409, "ambiguous_name", "Several requests have this name", fields)
    return rows[0]


def get(id: UUID, principal: Principal) -> Request:
    """
    Raises:
        Problem: 404, it is not there or not this principal's.
    """
    request = visible(principal).filter(id=id).first()
    if request is None:
        raise _not_found()
    return request


def detail(id: UUID, principal: Principal, *, since: int = 0) -> dict[str, Any]:
    """One request as the API shows it, its history from after ``since``.

    The history is read first: the request is never older than it, so whoever follows the feed
    from the history's last ``seq`` misses nothing.

    Raises:
        Problem: 404, it is not there or not this principal's.
    """
    events = history.of(id, since)
    request = get(id, principal)
    attempts = Prefetch("attempts", Attempt.objects.order_by("number"))
    transactions = Transaction.objects.filter(request=request).select_related("relayer")
    return representation.detail(
        request,
        Approval.objects.filter(request=request).order_by("number"),
        transactions.prefetch_related(attempts).order_by("id"),
        Consent.objects.filter(request=request).select_related("user").order_by("at"),
        events,
    )


def open_requests(principal: Principal, limit: int) -> Sequence[Request]:
    """The newest requests that have not ended."""
    return list(visible(principal).filter(ended=False)[:limit])


def recent(principal: Principal, limit: int) -> dict[str, Any]:
    """The newest requests, and the feed's position from which on to follow what becomes of them.

    The position is read first: an event after it may be in the requests already, which their
    ``seq`` tells, but none is missing.
    """
    position = RelayCursor.objects.values_list("position", flat=True).get()
    requests = [representation.summary(request) for request in visible(principal)[:limit]]
    return {"position": position, "requests": requests}


def name_of(id: UUID) -> str:
    """A request's name outside."""
    return Request.objects.values_list("request_id", flat=True).get(id=id)


def _not_found() -> Problem:
    return Problem(404, "not_found", "Request not found", members={"error": "Request not found"})
