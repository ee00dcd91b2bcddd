"""Final events: entered in the ledger and put down to their requests, once and in their order."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from fairlane.core import bulk, transitions
from fairlane.core.models import Work
from fairlane.core.transitions import Move
from stablecoin import intake, ledger, locks, usage
from stablecoin.intake import NewRequest
from stablecoin.listening.cursors import Moved
from stablecoin.models import Approval, Attempt, ChainLog, Kind, ListenerCursor, Request, Source
from stablecoin.registry import ChainInfo
from stablecoin.states import REQUEST

logger = structlog.get_logger(__name__)

# Events that are applied in one transaction.
SET = 500


def apply(chain: ChainInfo, applied: int, until: int) -> None:
    """Apply the events of the blocks after ``applied`` up to ``until``, which are final.

    Raises:
        Moved: another listener has applied them.
    """
    while applied < until:
        applied = _apply_set(chain, applied, until)


def _apply_set(chain: ChainInfo, applied: int, until: int) -> int:
    """Apply whole blocks, as many as make a set; returns the last one."""
    with transaction.atomic():
        cursor = ListenerCursor.objects.select_for_update().get(chain_id=chain.chain_id)
        if cursor.applied != applied:
            raise Moved
        logs = list(
            ChainLog.objects.filter(
                chain_id=chain.chain_id, block_number__gt=applied, block_number__lte=until
            ).order_by("block_number", "log_index")[: SET + 1]
        )
        end = until
        if len(logs) > SET:
            # The last block may be cut: it is for the next set, unless it is a set of its own.
            end = max(logs[-1].block_number - 1, logs[0].block_number)
            logs = list(
                ChainLog.objects.filter(
                    chain_id=chain.chain_id, block_number__gt=applied, block_number__lte=end
                ).order_by("block_number", "log_index")
            )
        _put_down(chain, logs)
        ListenerCursor.objects.filter(chain_id=chain.chain_id).update(applied=end)
    return end


def _put_down(chain: ChainInfo, logs: Sequence[ChainLog]) -> None:
    """Each event: to the ledger, and to the request that it is of."""
    if not logs:
        return
    _receive_redeems(chain, [log for log in logs if log.kind == "redeem_requested"])
    requests = _held(_requests(chain, logs))
    for log in logs:
        log.problem = _problem(chain, log, requests.get(_key(log)))
        log.applied_at = timezone.now()
    good = [log for log in logs if not log.problem]
    ledger.post(good, chain.profile)
    _complete(
        [(requests[_key(log)].id, log) for log in good if _completes(chain, log)],
    )
    _cancel([(requests[_key(log)].id, log) for log in good if log.kind == "redeem_cancelled"])
    bulk.update(
        ChainLog,
        [{"id": log.pk, "problem": log.problem, "applied_at": log.applied_at} for log in logs],
        key="id",
    )
    for log in logs:
        if log.problem:
            logger.error(
                "listener.unexpected_event",
                chain_id=chain.chain_id,
                kind=log.kind,
                request_id=log.request_id,
                problem=log.problem,
                transaction_hash=log.transaction_hash,
            )


def _key(log: ChainLog) -> tuple[str, str]:
    return ("mint" if log.kind == "minted" else "redeem"), log.request_id


def _receive_redeems(chain: ChainInfo, logs: Sequence[ChainLog]) -> None:
    """What holders have given up on chain is asked for by that. Some contracts let them give up
    nothing, which asks for nothing."""
    intake.receive(
        [
            NewRequest(
                kind=Kind.REDEEM,
                chain_id=chain.chain_id,
                request_id=log.request_id,
                wallet=log.wallet,
                amount=int(log.amount),
                source=Source.CHAIN,
                created_by=Source.CHAIN,
                lock_hash=log.transaction_hash,
            )
            for log in logs
            if log.amount
        ]
    )


def _requests(chain: ChainInfo, logs: Sequence[ChainLog]) -> dict[tuple[str, str], Request]:
    """The requests that the events are of, by kind and the chain's name of them."""
    names = {log.request_id for log in logs}
    hashes = {log.transaction_hash for log in logs}
    found = Request.objects.filter(chain_id=chain.chain_id, request_id__in=names)
    by_key = {(r.kind, r.request_id): r for r in found}
    if chain.profile.hashes_names:
        # The chain's names are hashes of ours: a mint is found by the transaction that carried it.
        carried = Request.objects.filter(
            chain_id=chain.chain_id,
            id__in=_carried_by(hashes),
        )
        by_key |= {(r.kind, chain.profile.request_key(r.request_id)): r for r in carried}
    return by_key


def _held(found: Mapping[tuple[str, str], Request]) -> dict[tuple[str, str], Request]:
    """The same as they are now, and nobody else's until the end of the transaction."""
    now = locks.hold({request.id for request in found.values()})
    return {key: now[request.id] for key, request in found.items()}


def _carried_by(hashes: Iterable[str]) -> list[UUID]:
    return list(
        Attempt.objects.filter(hash__in=list(hashes))
        .exclude(transaction__request=None)
        .values_list("transaction__request_id", flat=True)
    )


def _problem(chain: ChainInfo, log: ChainLog, request: Request | None) -> str:
    """Why an event is not what was agreed; empty where it is."""
    if request is None:
        return "nobody here asked for it"
    if request.wallet != log.wallet or int(request.amount) != int(log.amount):
        return "the request has another account or amount"
    if _completes(chain, log) and not REQUEST.allowed(request.status, "COMPLETED"):
        return f"its request is {request.status}"
    return ""


def _completes(chain: ChainInfo, log: ChainLog) -> bool:
    if log.kind == "redeem_requested":
        return not chain.profile.finalizes_redeems
    return log.kind in ("minted", "redeem_finalized")


def _complete(done: Sequence[tuple[UUID, ChainLog]]) -> None:
    ids = [request_id for request_id, _ in done]
    Work.objects.filter(object_id__in=ids).delete()
    transitions.move(
        Request,
        REQUEST,
        [
            Move(
                request_id,
                "COMPLETED",
                {"txHash": log.transaction_hash, "blockNumber": log.block_number},
                {"transaction_hash": log.transaction_hash, "block_number": log.block_number},
            )
            for request_id, log in done
        ],
    )


def _cancel(cancelled: Sequence[tuple[UUID, ChainLog]]) -> None:
    reason = "the contract gave the tokens back"
    ids = [request_id for request_id, _ in cancelled]
    Work.objects.filter(object_id__in=ids).delete()
    ended = transitions.move(
        Request,
        REQUEST,
        [
            Move(
                request_id,
                "FAILED",
                {"kind": "cancelled", "reason": reason, "txHash": log.transaction_hash},
                {"failure_kind": "cancelled", "failure_reason": reason},
            )
            for request_id, log in cancelled
        ],
    )
    Approval.objects.filter(request_id__in=ended).update(state="VOID")
    usage.give_back(ended)
