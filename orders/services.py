"""What can be done with orders."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from fairlane.core import arrays, audit, checkpoints, claims, switches, transitions, wakeups
from fairlane.core.errors import FieldError, Problem, invalid
from fairlane.core.models import Work
from fairlane.core.principals import Principal
from orders import registry, representation, selectors
from orders.amounts import to_text
from orders.models import Attempt, Order
from orders.parsing import NewOrder, Terms, parse_terms
from orders.stage_names import BUILD, CONFIRM, ROUTE
from orders.states import ORDER

# Orders, their first events and, where they are to be executed, their work: one statement.
_INSERT = """
    WITH input AS (
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
                             %s::text[], %s::numeric[], %s::int[], %s::boolean[],
                             %s::timestamptz[], %s::jsonb[])
        AS i(id, created_by, wallet, type, input, output, amount, slippage, queued, at, data)
    ), stored AS (
        INSERT INTO orders_order (id, created_by, wallet, type, input_token_id, output_token_id,
            input_amount, slippage_bps, created_at, updated_at, queued_at,
            status, seq, tries, venue, signature, failure_kind, failure_reason)
        SELECT id, created_by, wallet, type, input, output, amount, slippage, at, at,
            CASE WHEN queued THEN at END, 'PENDING', 1, 0, '', '', '', ''
        FROM input
    ), told AS (
        INSERT INTO core_event (kind, object_id, seq, status, wallet, data, created_at)
        SELECT 'order', id, 1, 'PENDING', wallet, data, at FROM input
    )
    INSERT INTO core_work (object_id, stage) SELECT id, %s FROM input WHERE queued
"""


def create(orders: Sequence[tuple[NewOrder, str, bool]]) -> None:
    """Store new orders with their first events; those to be executed get their work.

    Args:
        orders: each with the ``ref`` of the principal that sent it, and whether to execute it.
    """
    if not orders:
        return
    terms = [order.terms for order, _, _ in orders]
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                arrays.literal(order.id for order, _, _ in orders),
                arrays.literal(by for _, by, _ in orders),
                arrays.literal(order.wallet for order, _, _ in orders),
                arrays.literal(order.type for order, _, _ in orders),
                arrays.literal(t.input_token.mint for t in terms),
                arrays.literal(t.output_token.mint for t in terms),
                arrays.literal(t.input_amount for t in terms),
                arrays.literal(t.slippage_bps for t in terms),
                arrays.literal(queued for _, _, queued in orders),
                arrays.literal(order.created_at for order, _, _ in orders),
                arrays.literal(
                    representation.terms_data(order.wallet, order.type, order.terms)
                    for order, _, _ in orders
                ),
                ROUTE,
            ],
        )
    if any(queued for _, _, queued in orders):
        wakeups.wake(ROUTE)


def execute(*, order_id: UUID, by: Principal) -> Order:
    """Queue an order that waits, once however often this is called.

    Raises:
        Problem: 404, no such order for this principal; 409, it was cancelled.
    """
    with transaction.atomic():
        queued = Order.objects.filter(id=order_id, status="PENDING", queued_at=None)
        visible = selectors.visible(by)
        if (queued & visible).update(queued_at=timezone.now()):
            claims.open_work([order_id], ROUTE)
            wakeups.wake(ROUTE)
        order = selectors.get(order_id, by)
    if order.status == "CANCELLED":
        raise Problem(409, "stale_state", "The order was cancelled")
    return order


def cancel(*, order_id: UUID, by: Principal, reason: str = "") -> Order:
    """Cancel an order that cannot land any more, because nobody has signed for it yet.

    Raises:
        Problem: 404, no such order for this principal; 409, it may land, or it has ended.
    """
    with transaction.atomic():
        selectors.get(order_id, by)
        checkpoints.reach("orders.cancel.begun")
        # Work first: whoever held it records nothing from now on, so nothing will be signed.
        withdrawn = claims.withdraw(order_id, stages=[ROUTE, BUILD])
        moved = transitions.move(
            Order,
            ORDER,
            [transitions.Move(order_id, "CANCELLED", {"by": by.name, "reason": reason})],
            only_from=["PENDING", "ROUTING", "BUILDING"] if withdrawn else ["PENDING"],
        )
        order = selectors.get(order_id, by)
        if not moved:
            raise Problem(
                409, "stale_state", f"An order that is {order.status} cannot be cancelled"
            )
        Attempt.objects.filter(order=order, state="REQUESTED").update(state="DISCARDED")
        if by.kind == "user":
            audit.record(
                actor=by.actor, action="order.cancel", object=f"order:{order_id}", reason=reason
            )
        checkpoints.reach("orders.cancel.before_commit")
    return order


def replace(*, order_id: UUID, terms: Terms, seen: int, by: Principal) -> Order:
    """Give an order that waits to be executed other terms.

    Args:
        seen: the order's ``seq`` when the new terms were made from the old ones.

    Raises:
        Problem: 404, no such order for this principal; 409, it waits no more, or was changed
            since it was seen.
    """
    with transaction.atomic():
        order = selectors.get(order_id, by)
        moved = transitions.note(
            Order,
            order_id,
            status="PENDING",
            data=representation.terms_data(order.wallet, order.type, terms),
            columns={
                "input_token": terms.input_token.mint,
                "output_token": terms.output_token.mint,
                "input_amount": terms.input_amount,
                "slippage_bps": terms.slippage_bps,
            },
            where={"queued_at": None, "seq": seen},
        )
        if not moved:
            raise Problem(
                409, "stale_state", "Only an order that waits, and that nobody changes, can change"
            )
        return selectors.get(order_id, by)


def retry(*, order_id: UUID, by: Principal, reason: str) -> Order:
    """Let an order go on: one under review as it stands, a failed one as a new order.

    Returns:
        The order that goes on.

    Raises:
        Problem: 404, no such order for this principal; 409, there is nothing to retry, or it was
            retried before; 400 or 503, its terms cannot be ordered any more.
    """
    with transaction.atomic():
        order = _locked(order_id, by)
        if order.status == "REVIEW":
            _resume(order)
        elif order.status == "FAILED":
            order = _again(order, by)
        else:
            raise Problem(409, "stale_state", f"An order that is {order.status} needs no retry")
        audit.record(
            actor=by.actor,
            action="order.retry",
            object=f"order:{order_id}",
            after={"order": str(order.id)},
            reason=reason,
        )
        return order


def fail_review(*, order_id: UUID, by: Principal, reason: str) -> Order:
    """End an order under review as failed, where no transaction of it can land any more.

    Raises:
        Problem: 404, no such order for this principal; 409, it is not under review, or a signed
            transaction of it may still land.
    """
    with transaction.atomic():
        order = _locked(order_id, by)
        if Attempt.objects.filter(order=order, state="SIGNED").exists():
            raise Problem(
                409, "may_land", "A signed transaction may still land: let the order go on"
            )
        moved = transitions.move(
            Order,
            ORDER,
            [
                transitions.Move(
                    order_id,
                    "FAILED",
                    {"kind": "review", "reason": reason},
                    {"failure_kind": "review", "failure_reason": reason},
                )
            ],
            only_from=["REVIEW"],
        )
        if not moved:
            raise Problem(409, "stale_state", f"An order that is {order.status} is not in review")
        Attempt.objects.filter(order=order, state="REQUESTED").update(state="DISCARDED")
        Work.objects.filter(object_id=order_id).delete()
        audit.record(actor=by.actor, action="order.fail", object=f"order:{order_id}", reason=reason)
        return selectors.get(order_id, by)


def _locked(order_id: UUID, by: Principal) -> Order:
    """The order, its work and itself locked against everybody else, in this order."""
    Work.objects.filter(object_id=order_id).select_for_update().first()
    selectors.get(order_id, by)
    return Order.objects.select_for_update().get(id=order_id)


def _resume(order: Order) -> None:
    """Back to the stage where its attempts stand: a signed one is looked up, never signed anew."""
    signed = Attempt.objects.filter(order=order, state="SIGNED").exists()
    stage, status = (CONFIRM, "SUBMITTED") if signed else (ROUTE, "PENDING")
    Attempt.objects.filter(order=order, state="REQUESTED").update(state="DISCARDED")
    Work.objects.update_or_create(
        object_id=order.id,
        defaults={
            "stage": stage,
            "due_at": timezone.now(),
            "attempts": 0,
            "claim_id": None,
            "quarantined_at": None,
        },
    )
    transitions.move(Order, ORDER, [transitions.Move(order.id, status)], only_from=["REVIEW"])
    order.refresh_from_db()
    wakeups.wake(stage)


def _again(order: Order, by: Principal) -> Order:
    """A failed order as a new one: its terms are checked as if they were sent now."""
    switches.require_on("orders.intake")
    if Order.objects.filter(retry_of=order.id).exists():
        raise Problem(409, "stale_state", "The order was retried before")
    known = registry.current()
    errors: list[FieldError] = []
    if order.wallet not in known.wallets:
        errors.append(FieldError("userWallet", "unknown_wallet", "The wallet is not active."))
    sold = known.tokens.by_mint[order.input_token_id]
    terms = parse_terms(
        order.input_token_id,
        order.output_token_id,
        Decimal(to_text(order.input_amount, sold.decimals)),
        order.slippage_bps,
        known.tokens,
        errors,
    )
    if errors or terms is None:
        raise invalid(*errors)
    fresh = NewOrder(uuid7(), order.wallet, order.type, terms, timezone.now())
    create([(fresh, by.ref, True)])
    Order.objects.filter(id=fresh.id).update(retry_of=order.id)
    return Order.objects.get(id=fresh.id)
