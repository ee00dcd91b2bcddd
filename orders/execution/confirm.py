"""Confirm: look up what was sent until it has landed, failed, or can land no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from chains import registry as adapters
from chains.errors import ChainError
from chains.ports import LandedTransaction
from chains.solana import balances, landing, swap
from chains.solana.failures import explain
from fairlane.core import bulk, checkpoints, transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move
from orders import registry
from orders.amounts import price_text, to_text
from orders.execution import retries, rows
from orders.execution.retries import Setback
from orders.execution.rows import OrderRow, SignedRow
from orders.models import Attempt, Order
from orders.stage_names import CONFIRM
from orders.states import ORDER

# Once per slot, about: an earlier look finds nothing new.
NEXT_LOOK_MS = 400
# The node does not answer: nothing is known, so nothing is decided.
OUTAGE_LOOK_MS = 1_000
# A transaction has landed or expired within two minutes of being sent. What is undecided so long
# after is what the node cannot tell: a person has to look.
UNDECIDED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Case:
    """An order with its live attempt, what is to be done with it, and how it landed if it did."""

    order: OrderRow
    attempt: SignedRow
    decision: landing.Decision
    landed: LandedTransaction | None = None


def work(claim: Claim) -> None:
    """Look up the attempts of a claim and record what is proven."""
    orders = {order.id: order for order in rows.orders(claim.ids, "SUBMITTED")}
    attempts = rows.signed(list(orders))
    try:
        decisions = _look(attempts)
        landed = _landed(attempts, decisions)
    except ChainError:
        claim.hand_over({a.order_id: Step(CONFIRM, OUTAGE_LOOK_MS) for a in attempts})
        return
    cases = [
        Case(orders[a.order_id], a, decision, landed.get(a.signature))
        for a, decision in zip(attempts, decisions, strict=True)
    ]
    resent_at = _resend(cases)
    checkpoints.reach("orders.confirm.before_persist")
    with transaction.atomic():
        claim.finish(rows.ended(set(claim.ids) - set(orders)))
        _record_ended(claim, [c for c in cases if _ended(c)])
        expired = [c for c in cases if isinstance(c.decision, landing.Expired)]
        _record_expired(claim, expired)
        undecided = [c for c in cases if _undecided(c, resent_at)]
        if undecided:
            _record_undecided(claim, undecided)
        rest = {
            c.order.id: Step(CONFIRM, NEXT_LOOK_MS)
            for c in cases
            if not _ended(c) and c not in expired and c not in undecided
        }
        held = claim.hand_over(rest)
        bulk.update(
            Attempt,
            [
                {"id": c.attempt.id, "sent_at": resent_at}
                for c in cases
                if c.order.id in held and isinstance(c.decision, landing.Resend)
            ],
            key="id",
        )
    checkpoints.reach("orders.confirm.persisted")


def _look(attempts: Sequence[SignedRow]) -> list[landing.Decision]:
    seen = adapters.run(adapters.solana().observe([a.signature for a in attempts]))
    now = datetime.now(UTC)
    return [
        landing.decide(
            status=status,
            finalized_height=seen.finalized_height,
            first_available=seen.first_available,
            first_slot=attempt.first_slot,
            last_valid_block_height=attempt.last_valid_block_height,
            last_sent_at=attempt.sent_at,
            now=now,
        )
        for attempt, status in zip(attempts, seen.statuses, strict=True)
    ]


def _landed(
    attempts: Sequence[SignedRow], decisions: Sequence[landing.Decision]
) -> dict[str, LandedTransaction]:
    """The landed transactions themselves, whose balances say what was really swapped."""
    signatures = [
        a.signature
        for a, decision in zip(attempts, decisions, strict=True)
        if isinstance(decision, landing.Confirmed | landing.Failed)
    ]
    found = adapters.run(adapters.solana().transactions(signatures)) if signatures else []
    return {t.signature: t for t in found if t is not None}


def _resend(cases: Sequence[Case]) -> datetime:
    again = [c.attempt.transaction for c in cases if isinstance(c.decision, landing.Resend)]
    if again:
        adapters.run(adapters.solana().send(again))
    return datetime.now(UTC)


def _ended(case: Case) -> bool:
    """Whether a case is decided, and what there is to record about it is at hand."""
    return case.landed is not None


def _undecided(case: Case, now: datetime) -> bool:
    """Whether a transaction that is not sent again has been without an outcome for too long."""
    open_ended = landing.Confirmed | landing.Failed | landing.Wait
    sent_at = case.attempt.sent_at
    return (
        not _ended(case)
        and isinstance(case.decision, open_ended)
        and sent_at is not None
        and now - sent_at >= UNDECIDED
    )


def _record_undecided(claim: Claim, cases: Sequence[Case]) -> None:
    """Bring orders to a person; their attempts may have landed, so nothing else becomes of them."""
    questions = {case.order.id: _open_question(case) for case in cases}
    held = claim.quarantine(questions)
    transitions.move(
        Order,
        ORDER,
        [
            Move(order_id, "REVIEW", {"stage": claim.stage, "reason": questions[order_id]})
            for order_id in sorted(held)
        ],
        only_from=["SUBMITTED"],
    )


def _open_question(case: Case) -> str:
    signature = case.attempt.signature
    if isinstance(case.decision, landing.Confirmed | landing.Failed):
        return f"{signature} landed in slot {case.decision.slot}, but the node does not show it"
    return f"the node cannot tell whether {signature} landed"


def _record_ended(claim: Claim, cases: Sequence[Case]) -> None:
    held = claim.finish([case.order.id for case in cases])
    cases = [case for case in cases if case.order.id in held]
    outcomes = {case.order.id: _outcome(case) for case in cases}
    for status in ("CONFIRMED", "FAILED"):
        moves = [move for move in outcomes.values() if move.to == status]
        transitions.move(Order, ORDER, moves, only_from=["SUBMITTED"])
    bulk.update(
        Attempt,
        [
            {
                "id": case.attempt.id,
                "state": outcomes[case.order.id].to,
                "slot": case.landed.slot,
                "error": outcomes[case.order.id].data.get("reason", ""),
            }
            for case in cases
            if case.landed
        ],
        key="id",
    )


def _outcome(case: Case) -> Move:
    transaction = case.landed
    assert transaction is not None
    if transaction.err is not None:
        programs = swap.instruction_programs(case.attempt.message)
        reason = explain(transaction.err, programs)
        return Move(
            case.order.id,
            "FAILED",
            {
                "kind": "chain",
                "reason": reason,
                "txHash": transaction.signature,
                "slot": transaction.slot,
                "networkFeeLamports": str(transaction.fee),
            },
            {
                "failure_kind": "chain",
                "failure_reason": reason,
                "network_fee": transaction.fee,
                "signature": transaction.signature,
            },
        )
    return _confirmed(case, transaction)


def _confirmed(case: Case, transaction: LandedTransaction) -> Move:
    order = case.order
    tokens = registry.tokens().by_mint
    sold, bought = tokens[order.input_token_id], tokens[order.output_token_id]
    spent, output = balances.swapped(
        transaction, owner=order.wallet, input_mint=sold.mint, output_mint=bought.mint
    )
    data: Mapping[str, Any] = {
        "txHash": transaction.signature,
        "slot": transaction.slot,
        "spentAmount": to_text(spent, sold.decimals),
        "outputAmount": to_text(output, bought.decimals),
        "executedPrice": price_text(output, bought.decimals, spent, sold.decimals),
        "networkFeeLamports": str(transaction.fee),
    }
    columns = {
        "spent_amount": spent,
        "output_amount": output,
        "network_fee": transaction.fee,
        "signature": transaction.signature,
    }
    return Move(order.id, "CONFIRMED", data, columns)


def _record_expired(claim: Claim, cases: Sequence[Case]) -> None:
    setbacks = [
        Setback(
            case.order.id,
            case.order.tries,
            "expired",
            f"the transaction expired at block height {case.attempt.last_valid_block_height}",
            temporary=True,
        )
        for case in cases
    ]
    held: set[UUID] = retries.record(claim, setbacks)
    bulk.update(
        Attempt,
        [{"id": c.attempt.id, "state": "EXPIRED"} for c in cases if c.order.id in held],
        key="id",
    )
