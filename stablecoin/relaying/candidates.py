"""Requests that wait to be sent: which would succeed now, and what becomes of the others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

from chains import registry as adapters
from chains.evm.ports import Call, Reverted
from fairlane.core import claims
from stablecoin import locks
from stablecoin.execution import rows
from stablecoin.execution.approvals import call_data
from stablecoin.execution.waiting import PAUSED_MS
from stablecoin.models import Approval
from stablecoin.profiles import errors
from stablecoin.registry import ChainInfo
from stablecoin.relaying import recording
from stablecoin.relaying.sending import Ready
from stablecoin.stage_names import send

# What an estimate falls short of when other transactions come first.
GAS_MARGIN_PERCENT = 20
# An approval that ends sooner may be too late by the time its transaction is mined.
USEFUL_SECONDS = 600
LATER_MS = 5_000
# How many are put off at once while their chain is paused.
PUT_OFF = 1_000


@dataclass(slots=True)
class SortedOut:
    """What to do with requests that wait to be sent.

    Attributes:
        stale: their approval is over, or about to be.
        later: the contract will take them another time.
        refused: the contract will never take them: kind and reason of each.
        done: the contract says that it has done them before; its log will tell.
    """

    ready: list[Ready] = field(default_factory=list)
    stale: list[UUID] = field(default_factory=list)
    later: list[UUID] = field(default_factory=list)
    refused: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    done: list[UUID] = field(default_factory=list)


def waiting(chain_id: int, size: int) -> list[UUID]:
    """The requests that have waited longest to be sent on a chain."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT object_id FROM core_work WHERE stage = %s AND due_at <= clock_timestamp()"
            " AND quarantined_at IS NULL ORDER BY due_at LIMIT %s",
            [send(chain_id), size],
        )
        return [row[0] for row in cursor.fetchall()]


def put_off(chain_id: int) -> None:
    """Let requests of a paused chain wait without being overdue."""
    claims.postpone(waiting(chain_id, PUT_OFF), delay_ms=PAUSED_MS)


def calls(chain: ChainInfo, ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The contract's call, with its signed approval, for each request that people have not stopped
    and that has not ended."""
    return {request_id: data for request_id, (data, _) in _calls(chain, ids).items()}


def sort_out(chain: ChainInfo, sender: str, ids: Sequence[UUID]) -> SortedOut:
    """Ask the chain what each request's call would do now.

    Raises:
        ChainError: the chain is out of reach.
    """
    found = SortedOut()
    signed = _calls(chain, ids)
    useful = int(datetime.now(UTC).timestamp()) + USEFUL_SECONDS
    found.stale = [i for i, (_, deadline) in signed.items() if deadline < useful]
    fresh = [i for i in signed if i not in set(found.stale)]
    estimates = adapters.run(
        adapters.evm(chain.chain_id).estimate_gas(
            [Call(chain.contract, signed[i][0], sender) for i in fresh]
        )
    )
    for request_id, estimate in zip(fresh, estimates, strict=True):
        if isinstance(estimate, Reverted):
            _sort_refusal(found, request_id, estimate)
        else:
            gas = estimate * (100 + GAS_MARGIN_PERCENT) // 100
            found.ready.append(Ready(request_id, signed[request_id][0], gas))
    return found


def record(found: SortedOut) -> None:
    """Write down what becomes of those that are not sent; part of the caller's transaction."""
    locks.hold([*found.stale, *found.refused, *found.done])
    recording.sign_anew(found.stale, "its approval was about to end")
    recording.fail(found.refused)
    recording.leave_to_the_log(found.done)
    claims.postpone(found.later, delay_ms=LATER_MS)


def _sort_refusal(found: SortedOut, request_id: UUID, refusal: Reverted) -> None:
    name = errors.name(refusal.data)
    if name in errors.ALREADY_DONE:
        found.done.append(request_id)
    elif name in errors.APPROVAL_OVER:
        found.stale.append(request_id)
    elif name in errors.TEMPORARY:
        found.later.append(request_id)
    else:
        found.refused[request_id] = "contract", name or refusal.message or "it was reverted"


def _calls(chain: ChainInfo, ids: Collection[UUID]) -> dict[UUID, tuple[bytes, int]]:
    """Call and deadline of each request that has a signed approval."""
    if not ids:
        return {}
    approvals = {
        a.request_id: a for a in Approval.objects.filter(request_id__in=ids, state="SIGNED")
    }
    requests = rows.requests(approvals, "SIGNED", "SUBMITTED", "MINED")
    found = {}
    for request in requests:
        approval = approvals[request.id]
        signature = bytes(approval.signature or b"")
        data = call_data(chain, request, int(approval.nonce), approval.deadline, signature)
        found[request.id] = data, approval.deadline
    return found
