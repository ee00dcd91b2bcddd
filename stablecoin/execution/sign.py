"""Sign: have the key service approve what the policies let through.

The approval, with its nonce and deadline, is stored before the service is asked, so a crash leaves
a digest that is signed again and never a second one beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from chains import registry as adapters
from chains.errors import ChainError, Definitive
from fairlane.core import bulk, checkpoints, transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move
from stablecoin import registry
from stablecoin.domains import domain
from stablecoin.execution import numbering, rows, waiting
from stablecoin.execution.approvals import digest
from stablecoin.execution.rows import RequestRow
from stablecoin.models import Approval, Request
from stablecoin.registry import ChainInfo
from stablecoin.stage_names import send
from stablecoin.states import REQUEST
from stablecoin.typed_data import Domain

logger = structlog.get_logger(__name__)

# An approval that is left from a crash is used if it is good for at least so long.
USEFUL_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Draft:
    """An approval to be signed. `approval_id` is None while it is not stored."""

    request: RequestRow
    number: int
    nonce: int
    deadline: int
    digest: bytes
    approval_id: int | None = None


def work(claim: Claim) -> None:
    """Store and sign approvals for the requests of a claim."""
    requests = rows.requests(claim.ids, "QUEUED", "SIGNING")
    chains = registry.chains()
    served = [r for r in requests if waiting.is_open(chains.get(r.chain_id))]
    with transaction.atomic():
        claim.finish(set(claim.ids) - {r.id for r in requests})
        waiting.later(claim, {r.id for r in requests} - {r.id for r in served})
    known, failed = _domains(served, chains)
    ready = [r for r in served if r.chain_id in known]
    drafts, waits = _drafts(ready, chains, known)
    with transaction.atomic():
        waiting.after_failure(claim, {r.id: r.tries for r in failed})
        waiting.later(claim, waits)
        drafts = _store(claim, drafts)
    checkpoints.reach("stablecoin.sign.stored")
    answers = adapters.approval_signer().sign([d.digest for d in drafts])
    checkpoints.reach("stablecoin.sign.signed")
    with transaction.atomic():
        _record(claim, drafts, answers)
    checkpoints.reach("stablecoin.sign.recorded")


def _domains(
    requests: Sequence[RequestRow], chains: Mapping[int, ChainInfo]
) -> tuple[dict[int, Domain], list[RequestRow]]:
    """The domain of each chain; and the requests of chains that cannot be asked, or differ."""
    known: dict[int, Domain] = {}
    for chain_id in sorted({r.chain_id for r in requests}):
        try:
            known[chain_id] = domain(chains[chain_id])
        except ChainError as error:
            logger.warning("sign.domain_unknown", chain_id=chain_id, error=str(error))
    return known, [r for r in requests if r.chain_id not in known]


def _drafts(
    requests: Sequence[RequestRow],
    chains: Mapping[int, ChainInfo],
    domains: Mapping[int, Domain],
) -> tuple[list[Draft], set[UUID]]:
    """What to have signed, and who has to wait for the account's mint before."""
    left = _left_from_a_crash(requests)
    fresh = [r for r in requests if r.id not in left]
    numbers, waits = numbering.number(fresh, chains)
    deadline = int(datetime.now(UTC).timestamp()) + settings.STABLECOIN_APPROVAL_HOURS * 3_600
    drafts = list(left.values())
    for request in fresh:
        if request.id in numbers:
            number, nonce = numbers[request.id]
            chain = chains[request.chain_id]
            words = digest(chain, domains[chain.chain_id], request, nonce, deadline)
            drafts.append(Draft(request, number, nonce, deadline, words))
    return drafts, waits


def _left_from_a_crash(requests: Sequence[RequestRow]) -> dict[UUID, Draft]:
    """Approvals that were stored and not recorded as signed; those nearly past are void."""
    by_id = {r.id: r for r in requests}
    useful = int(datetime.now(UTC).timestamp()) + USEFUL_SECONDS
    stored = Approval.objects.filter(request_id__in=by_id, state="REQUESTED")
    stored.filter(deadline__lt=useful).update(state="VOID")
    return {
        a.request_id: Draft(
            by_id[a.request_id], a.number, int(a.nonce), a.deadline, bytes(a.digest), a.pk
        )
        for a in stored.filter(deadline__gte=useful)
    }


def _store(claim: Claim, drafts: Sequence[Draft]) -> list[Draft]:
    """Store the new approvals of the requests that are still held; returns what to sign."""
    held = claim.hold({d.request.id for d in drafts})
    new = [d for d in drafts if d.request.id in held and d.approval_id is None]
    transitions.move(
        Request,
        REQUEST,
        [Move(d.request.id, "SIGNING", {"approval": d.number}) for d in new],
        only_from=["QUEUED"],
    )
    bulk.insert(
        Approval,
        [
            {
                "request_id": d.request.id,
                "number": d.number,
                "state": "REQUESTED",
                "nonce": d.nonce,
                "deadline": d.deadline,
                "digest": d.digest,
            }
            for d in new
        ],
    )
    return [d for d in drafts if d.request.id in held]


def _record(claim: Claim, drafts: Sequence[Draft], answers: Sequence[bytes | ChainError]) -> None:
    signed = {
        d.request.id: (d, answer)
        for d, answer in zip(drafts, answers, strict=True)
        if isinstance(answer, bytes)
    }
    held = claim.hand_over(
        {request_id: Step(send(d.request.chain_id)) for request_id, (d, _) in signed.items()}
    )
    bulk.update(
        Approval,
        [
            {"request_id": request_id, "state": "SIGNED", "signature": signed[request_id][1]}
            for request_id in sorted(held)
        ],
        key="request_id",
        where="state = 'REQUESTED'",
    )
    transitions.move(
        Request,
        REQUEST,
        [Move(request_id, "SIGNED", {}, {"tries": 0}) for request_id in sorted(held)],
        only_from=["SIGNING"],
    )
    refused = [(d, a) for d, a in zip(drafts, answers, strict=True) if isinstance(a, ChainError)]
    for _, error in refused[:1]:
        level = logger.error if isinstance(error, Definitive) else logger.warning
        level("sign.failed", count=len(refused), first=str(error))
    waiting.after_failure(claim, {d.request.id: d.request.tries for d, _ in refused})
