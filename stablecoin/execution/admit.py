"""Admit: judge what was asked for by the policies, in the order in which it came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from chains import registry as adapters
from chains.errors import ChainError
from chains.evm.ports import Call, Reverted
from fairlane.core import checkpoints, transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move
from stablecoin import registry, usage
from stablecoin.execution import rows, waiting
from stablecoin.execution.rows import RequestRow
from stablecoin.models import AddressRule, Kind, Request, Source
from stablecoin.policies import Admit, Candidate, Decision, NeedsApproval, Used, decide_all
from stablecoin.profiles.base import MalformedLog, decode_flags, kyc_call
from stablecoin.registry import ChainInfo
from stablecoin.stage_names import SIGN
from stablecoin.states import REQUEST
from stablecoin.usage import ALL, Line

logger = structlog.get_logger(__name__)

# A redeem is judged once the chain's own event for it is final; one that was asked for over the
# API waits for that so long. For the bank's reference, where the contract wants one, it waits for
# ever: the holder has asked, and somebody has to pay.
LOCK_PATIENCE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the requests of one chain are judged by."""

    chain: ChainInfo
    requests: Sequence[RequestRow]
    known: Mapping[str, bool]


def work(claim: Claim) -> None:
    """Judge the requests of a claim."""
    requests = rows.requests(claim.ids, "RECEIVED")
    chains = registry.chains()
    served = [r for r in requests if waiting.is_open(chains.get(r.chain_id))]
    ready = [r for r in served if _is_complete(r, chains[r.chain_id])]
    long_ago = timezone.now() - LOCK_PATIENCE
    unlocked = [r for r in served if r.kind == Kind.REDEEM and not r.lock_hash]
    never = [r for r in unlocked if r.created_at < long_ago]
    facts, failed = _look_up(ready, chains)
    checkpoints.reach("stablecoin.admit.before_persist")
    with transaction.atomic():
        claim.finish(set(claim.ids) - {r.id for r in requests})
        waiting.later(claim, {r.id for r in requests} - {r.id for r in [*ready, *never]})
        waiting.after_failure(claim, {r.id: r.tries for r in failed})
        _judge(claim, facts)
        _reject_unlocked(claim, never)
    checkpoints.reach("stablecoin.admit.persisted")


def _is_complete(request: RequestRow, chain: ChainInfo) -> bool:
    """Whether all is there that a request is judged and approved by."""
    if request.kind == Kind.MINT:
        return True
    return bool(request.lock_hash) and (bool(request.reference) or not chain.profile.names_bank)


def _look_up(
    requests: Sequence[RequestRow], chains: Mapping[int, ChainInfo]
) -> tuple[list[Facts], list[RequestRow]]:
    """Who was identified, by each chain's registry; and the requests of chains out of reach."""
    facts, failed = [], []
    for chain_id in sorted({r.chain_id for r in requests}):
        own = [r for r in requests if r.chain_id == chain_id]
        try:
            known = _known(chains[chain_id], sorted({r.wallet for r in own}))
        except (ChainError, MalformedLog) as error:
            logger.warning("admit.registry_unread", chain_id=chain_id, error=str(error))
            failed += own
        else:
            facts.append(Facts(chains[chain_id], own, known))
    return facts, failed


def _known(chain: ChainInfo, accounts: list[str]) -> dict[str, bool]:
    """
    Raises:
        ChainError: the chain is out of reach.
        MalformedLog: the registry's answer is none.
    """
    if not chain.kyc_registry:
        # The contract itself refuses whom it does not know.
        return dict.fromkeys(accounts, True)
    asked = Call(chain.kyc_registry, kyc_call(accounts))
    (answer,) = adapters.run(adapters.evm(chain.chain_id).call([asked]))
    if isinstance(answer, Reverted):
        raise MalformedLog(f"the registry refuses to answer: {answer.message}")
    return dict(zip(accounts, decode_flags(answer), strict=True))


def _judge(claim: Claim, facts: Sequence[Facts]) -> None:
    """Decide under the chains' locks, so that no cap is passed by two at once."""
    day = datetime.now(UTC).date()
    moves: list[Move] = []
    steps: dict[UUID, Step] = {}
    done: set[UUID] = set()
    held = _held(claim, facts)
    usage.lock([f.chain.chain_id for f in facts])
    for part in facts:
        for kind in ("mint", "redeem"):
            requests = [r for r in part.requests if r.kind == kind and r.id in held]
            decisions = _decide(part, kind, requests, day)
            for request, decision in zip(requests, decisions, strict=True):
                moves.append(_move(request, decision, day))
                if isinstance(decision, Admit):
                    steps[request.id] = Step(SIGN)
                else:
                    done.add(request.id)
    claim.hand_over(steps)
    claim.finish(done)
    transitions.move(Request, REQUEST, moves, only_from=["RECEIVED"])


def _held(claim: Claim, facts: Sequence[Facts]) -> set[UUID]:
    """Those that nobody took over meanwhile; their work stays locked until the commit."""
    return claim.hold({r.id for f in facts for r in f.requests})


def _decide(
    facts: Facts, kind: str, requests: Sequence[RequestRow], day: date
) -> Sequence[Decision]:
    if not requests:
        return []
    chain_id = facts.chain.chain_id
    accounts = sorted({r.wallet for r in requests})
    rules = dict(AddressRule.objects.filter(wallet__in=accounts).values_list("wallet", "effect"))
    before = usage.of([Line(chain_id, kind, who) for who in (ALL, *accounts)], day)
    by_account = {who: before.get(Line(chain_id, kind, who), 0) for who in accounts}
    used = Used(before.get(Line(chain_id, kind, ALL), 0), dict(by_account))
    candidates = [
        Candidate(
            kind,
            r.wallet,
            r.amount,
            denied=rules.get(r.wallet) == AddressRule.Effect.DENY,
            allowed=rules.get(r.wallet) == AddressRule.Effect.ALLOW,
            known=facts.known[r.wallet],
            manual=r.source == Source.API and r.kind == Kind.MINT,
        )
        for r in requests
    ]
    decisions = decide_all(candidates, facts.chain.limits, used)
    grown = {Line(chain_id, kind, who): used.by_account[who] - by_account[who] for who in accounts}
    grown[Line(chain_id, kind, ALL)] = used.in_all - before.get(Line(chain_id, kind, ALL), 0)
    usage.add({line: amount for line, amount in grown.items() if amount}, day)
    return decisions


def _move(request: RequestRow, decision: Decision, day: date) -> Move:
    if isinstance(decision, Admit):
        return Move(request.id, "QUEUED", {}, {"rule": "", "admitted_on": day, "tries": 0})
    told = {"rule": decision.rule, "reason": decision.reason}
    waits = isinstance(decision, NeedsApproval)
    columns = {"rule": decision.rule, "admitted_on": day if waits else None, "tries": 0}
    return Move(request.id, "AWAITING_APPROVAL" if waits else "REJECTED", told, columns)


def _reject_unlocked(claim: Claim, requests: Sequence[RequestRow]) -> None:
    reason = "its tokens were never given up on chain"
    told = {"rule": "lock", "reason": reason}
    ended = claim.finish({r.id for r in requests})
    transitions.move(
        Request,
        REQUEST,
        [Move(i, "REJECTED", told, {"rule": "lock"}) for i in sorted(ended)],
        only_from=["RECEIVED"],
    )
