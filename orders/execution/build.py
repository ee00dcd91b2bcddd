"""Build: the transaction of each order's chosen quote, signed by the venue, then by the wallet.

The wallet signs last and nothing is sent here: what this stage stores is the first moment at which
anything can land, and until then a refusal is final and an order may be cancelled.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from chains import registry as adapters
from chains.errors import ChainError
from chains.ports import Cosigned, CosignPending, CosignRefused, CosignRequest
from chains.solana import swap
from fairlane.core import bulk, checkpoints
from fairlane.core.claims import Claim, Step
from orders import registry
from orders.execution import retries, rows
from orders.execution.drafting import Draft, asked_before, draft
from orders.execution.retries import Setback
from orders.execution.rows import OrderRow
from orders.models import Attempt
from orders.stage_names import BUILD, SUBMIT

Answer = Cosigned | CosignPending | CosignRefused


def work(claim: Claim) -> None:
    """Build and sign for the orders of a claim."""
    orders = rows.orders(claim.ids, "BUILDING")
    requested = rows.requested([o.id for o in orders])
    asked = [asked_before(o, requested[o.id]) for o in orders if o.id in requested]
    waiting, late = _still_in_time(asked)
    fresh, setbacks = _draft([o for o in orders if o.id not in requested])
    drafts, setbacks = waiting + fresh, late + setbacks
    checkpoints.reach("orders.build.before_cosign")
    answers = adapters.run(_cosign(drafts))
    checkpoints.reach("orders.build.before_persist")
    with transaction.atomic():
        claim.finish(rows.ended(set(claim.ids) - {order.id for order in orders}))
        _record_signed(claim, drafts, answers)
        _record_pending(claim, drafts, answers)
        setbacks += [
            _refused(d.order, answer)
            for d in drafts
            if isinstance(answer := answers[d.order.id], CosignRefused)
        ]
        retries.record(claim, setbacks)
    checkpoints.reach("orders.build.persisted")


def _still_in_time(asked: list[Draft]) -> tuple[list[Draft], list[Setback]]:
    """What is worth asking the venues again, and what they took too long for."""
    if not asked:
        return [], []
    try:
        height = adapters.run(adapters.solana().block_height("finalized"))
    except ChainError:
        return asked, []
    late = [d for d in asked if height > d.last_valid_block_height]
    in_time = [d for d in asked if height <= d.last_valid_block_height]
    return in_time, [_setback(d.order, "venue", f"{d.venue} took too long to sign") for d in late]


def _draft(orders: Sequence[OrderRow]) -> tuple[list[Draft], list[Setback]]:
    keys = adapters.wallet_keys()
    signable = [o for o in orders if keys.has(o.wallet)]
    keyless = [
        Setback(o.id, o.tries, "wallet", "the wallet's key is not held here", temporary=False)
        for o in orders
        if not keys.has(o.wallet)
    ]
    quotes = rows.chosen_quotes([o.id for o in signable])
    tokens, node = registry.tokens(), adapters.solana()
    try:
        drafts, setbacks = adapters.run(draft(signable, quotes, tokens=tokens, node=node))
    except ChainError as error:
        return [], [*keyless, *(_setback(o, "network", f"Solana node: {error}") for o in signable)]
    return drafts, keyless + setbacks


def _setback(order: OrderRow, kind: str, reason: str) -> Setback:
    return Setback(order.id, order.tries, kind, reason, temporary=True)


async def _cosign(drafts: Sequence[Draft]) -> dict[UUID, Answer]:
    """What each draft's venue says, by order; a venue out of reach refuses for now."""

    async def ask(name: str, own: Sequence[Draft]) -> dict[UUID, Answer]:
        requests = [
            CosignRequest(d.reference, d.maker, d.message, d.order.min_output_amount or 0)
            for d in own
        ]
        try:
            answers: Sequence[Answer] = await by_name[name].cosign(requests)
        except (ChainError, KeyError) as error:
            answers = [CosignRefused(d.reference, "unavailable", f"{name}: {error}") for d in own]
        return {d.order.id: answer for d, answer in zip(own, answers, strict=True)}

    by_name = {venue.name: venue for venue in adapters.venues()}
    names = sorted({draft.venue for draft in drafts})
    found = await asyncio.gather(
        *(ask(name, [d for d in drafts if d.venue == name]) for name in names)
    )
    return {order_id: answer for part in found for order_id, answer in part.items()}


def _record_signed(claim: Claim, drafts: Sequence[Draft], answers: Mapping[UUID, Answer]) -> None:
    signed = {
        d.order.id: (d, answer)
        for d in drafts
        if isinstance(answer := answers[d.order.id], Cosigned)
    }
    held = claim.hand_over({order_id: Step(SUBMIT) for order_id in signed})
    keys = adapters.wallet_keys()
    new: list[tuple[Draft, dict[str, Any]]] = []
    stored: list[dict[str, Any]] = []
    for order_id in sorted(held):
        draft, answer = signed[order_id]
        taker = keys.sign(draft.order.wallet, draft.message)
        columns = {
            "state": "SIGNED",
            "signature": swap.transaction_signature(taker),
            "transaction": swap.assemble(
                draft.message, taker_signature=taker, maker_signature=answer.signature
            ),
        }
        if draft.attempt_id is None:
            new.append((draft, columns))
        else:
            stored.append({"id": draft.attempt_id, **columns})
    _insert(new)
    bulk.update(Attempt, stored, key="id")


def _record_pending(claim: Claim, drafts: Sequence[Draft], answers: Mapping[UUID, Answer]) -> None:
    steps = {
        d.order.id: Step(BUILD, answer.retry_after_ms)
        for d in drafts
        if isinstance(answer := answers[d.order.id], CosignPending)
    }
    held = claim.hand_over(steps)
    nothing = {"state": "REQUESTED", "signature": None, "transaction": None}
    _insert([(d, nothing) for d in drafts if d.order.id in held and d.attempt_id is None])


def _insert(new: Sequence[tuple[Draft, Mapping[str, Any]]]) -> None:
    """Store attempts; a try of an order has one at most, so they share its number."""
    bulk.insert(
        Attempt,
        [
            {
                "order_id": draft.order.id,
                "number": draft.order.tries,
                "venue": draft.venue,
                "reference": draft.reference,
                "maker": draft.maker,
                "output_amount": draft.output_amount,
                "message": draft.message,
                "first_slot": draft.first_slot,
                "last_valid_block_height": draft.last_valid_block_height,
                "error": "",
                **columns,
            }
            for draft, columns in new
        ],
    )


def _refused(order: OrderRow, refusal: CosignRefused) -> Setback:
    kinds = {"slippage": "slippage", "unavailable": "network"}
    kind = kinds.get(refusal.code, "venue")
    return _setback(order, kind, refusal.message or refusal.code)
