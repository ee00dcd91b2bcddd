"""What can be done with orders, and what must not."""

from collections.abc import Callable
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone

from fairlane.core import claims, transitions
from fairlane.core.errors import Problem
from fairlane.core.models import AuditEntry, Event, Work
from fairlane.core.principals import SCOPES, Principal
from fairlane.core.redis_clients import client
from fairlane.core.transitions import Move
from orders import parsing, registry, selectors, services
from orders.models import Attempt, Order
from orders.stage_names import BUILD, CONFIRM, ROUTE, SUBMIT
from orders.states import ORDER
from orders.tests.driving import history, last_event
from orders.tests.factories import MINTS, TRADERS, WALLET, AttemptFactory, OrderFactory, WorkFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("market")]

STRANGER = Principal("key", "9", "stranger", frozenset(SCOPES), frozenset(TRADERS[1:]))
OPERATOR = Principal("user", "3", "ann", frozenset(SCOPES), frozenset(TRADERS))


def refused(status: int, code: str, do: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(Problem) as problem:
        do(**arguments)
    assert (problem.value.status, problem.value.code) == (status, code)


def terms(amount: int = 7) -> parsing.Terms:
    tokens = registry.tokens().by_symbol
    return parsing.Terms(tokens["USDC"], tokens["BONK"], amount, 10)


def test_an_order_that_waits_is_queued_once_however_often_it_is_asked(trader: Principal) -> None:
    order = OrderFactory.create()
    queued = [services.execute(order_id=order.id, by=trader).queued_at for _ in range(20)]
    assert len(set(queued)) == 1 and queued[0] is not None
    work = Work.objects.get()
    assert (work.object_id, work.stage) == (order.id, ROUTE)


def test_executing_an_order_that_has_gone_on_changes_nothing(trader: Principal) -> None:
    order = OrderFactory.create(confirmed=True, queued_at=timezone.now())
    assert services.execute(order_id=order.id, by=trader).status == "CONFIRMED"
    assert not Work.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_executing_at_once_from_many_connections_queues_once(trader: Principal) -> None:
    order = OrderFactory.create()
    in_threads(8, lambda: services.execute(order_id=order.id, by=trader))
    assert Work.objects.count() == 1
    assert client().llen("orders") == 1


def test_a_cancelled_order_is_not_executed(trader: Principal) -> None:
    order = OrderFactory.create()
    services.cancel(order_id=order.id, by=trader)
    refused(409, "stale_state", services.execute, order_id=order.id, by=trader)
    assert not Work.objects.exists()


@pytest.mark.parametrize(
    ("status", "stage"),
    [("PENDING", None), ("PENDING", ROUTE), ("ROUTING", ROUTE), ("BUILDING", BUILD)],
)
def test_an_order_nobody_has_signed_for_can_be_cancelled(
    status: str, stage: str | None, trader: Principal
) -> None:
    order = OrderFactory.create(status=status, stage=stage)
    attempt = AttemptFactory.create(order=order)
    cancelled = services.cancel(order_id=order.id, by=trader, reason="no longer wanted")
    assert (cancelled.status, cancelled.seq) == ("CANCELLED", 2)
    assert last_event(order).data == {"by": "tests", "reason": "no longer wanted"}
    assert not Work.objects.exists()
    attempt.refresh_from_db()
    assert attempt.state == "DISCARDED"


@pytest.mark.parametrize(
    ("columns", "stage"),
    [
        ({"status": "BUILDING"}, SUBMIT),
        ({"status": "SUBMITTED"}, CONFIRM),
        ({"status": "REVIEW"}, CONFIRM),
        ({"status": "CANCELLED"}, None),
        ({"failed": True}, None),
        ({"confirmed": True}, None),
    ],
)
def test_an_order_that_may_land_or_has_ended_is_not_cancelled(
    columns: dict[str, Any], stage: str | None, trader: Principal
) -> None:
    order = OrderFactory.create(stage=stage, **columns)
    refused(409, "stale_state", services.cancel, order_id=order.id, by=trader)
    order.refresh_from_db()
    assert order.seq == 1 and history(order) == ["PENDING"]
    assert Work.objects.count() == (stage is not None)


def test_cancelling_twice_is_a_409(trader: Principal) -> None:
    order = OrderFactory.create()
    services.cancel(order_id=order.id, by=trader)
    refused(409, "stale_state", services.cancel, order_id=order.id, by=trader)
    assert history(order) == ["PENDING", "CANCELLED"]


def test_a_cancel_takes_the_claim_away_from_its_holder(trader: Principal) -> None:
    order = OrderFactory.create(status="BUILDING", stage=BUILD)
    claim = claims.due(BUILD, size=10, lease_ms=60_000)
    assert claim is not None and claim.ids == [order.id]
    services.cancel(order_id=order.id, by=trader)
    assert claim.hand_over({order.id: claims.Step(SUBMIT)}) == set()
    assert claim.finish([order.id]) == set()


@pytest.mark.django_db(transaction=True)
def test_a_cancel_that_meets_the_begin_of_routing_waits_for_it_and_wins(
    trader: Principal,
) -> None:
    order = OrderFactory.create(stage=ROUTE)
    answers: list[Order] = []
    cancelling = Thread(
        target=closing, args=[lambda: answers.append(services.cancel(order_id=order.id, by=trader))]
    )
    with transaction.atomic():
        transitions.move(Order, ORDER, [Move(order.id, "ROUTING")])
        cancelling.start()
        wait_for_a_lock()
    cancelling.join()
    assert [answer.status for answer in answers] == ["CANCELLED"]
    assert history(order) == ["PENDING", "ROUTING", "CANCELLED"]


def test_a_persons_cancel_is_audited_and_a_keys_is_not(trader: Principal) -> None:
    services.cancel(order_id=OrderFactory.create().id, by=trader)
    assert not AuditEntry.objects.exists()
    order = OrderFactory.create()
    services.cancel(order_id=order.id, by=OPERATOR, reason="asked by phone")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.object, entry.reason) == (
        "user:3 ann",
        "order.cancel",
        f"order:{order.id}",
        "asked by phone",
    )


@pytest.mark.parametrize(
    "act",
    [
        services.execute,
        services.cancel,
        lambda **by: services.replace(terms=terms(), seen=1, **by),
        lambda **by: services.retry(reason="", **by),
        lambda **by: services.fail_review(reason="", **by),
    ],
)
def test_another_callers_order_is_not_there(act: Callable[..., Any]) -> None:
    order = OrderFactory.create()
    refused(404, "not_found", act, order_id=order.id, by=STRANGER)
    refused(404, "not_found", act, order_id=uuid4(), by=OPERATOR)
    order.refresh_from_db()
    assert (order.status, order.seq, order.queued_at) == ("PENDING", 1, None)
    assert not Work.objects.exists()


def test_an_order_that_waits_gets_other_terms_and_keeps_its_history(trader: Principal) -> None:
    order = OrderFactory.create()
    changed = services.replace(order_id=order.id, terms=terms(), seen=1, by=trader)
    assert (changed.input_token_id, changed.output_token_id) == (MINTS["USDC"], MINTS["BONK"])
    assert (changed.input_amount, changed.slippage_bps, changed.seq) == (7, 10, 2)
    event = last_event(order)
    assert (event.seq, event.status, event.wallet) == (2, "PENDING", WALLET)
    assert event.data["inputAmount"] == "0.000007"
    assert history(order) == ["PENDING", "PENDING"]


@pytest.mark.parametrize("columns", [{"stage": ROUTE}, {"status": "CANCELLED"}])
def test_an_order_that_does_not_wait_keeps_its_terms(
    columns: dict[str, Any], trader: Principal
) -> None:
    order = OrderFactory.create(**columns)
    change = {"order_id": order.id, "terms": terms(), "by": trader}
    refused(409, "stale_state", services.replace, seen=1, **change)
    order.refresh_from_db()
    assert order.input_amount == 10**9
    assert Event.objects.count() == 1


def test_terms_made_from_terms_that_have_changed_are_refused(trader: Principal) -> None:
    order = OrderFactory.create()
    services.replace(order_id=order.id, terms=terms(7), seen=1, by=trader)
    change = {"order_id": order.id, "terms": terms(8), "by": trader}
    refused(409, "stale_state", services.replace, seen=1, **change)
    assert Order.objects.get().input_amount == 7


def test_a_failed_order_is_retried_as_a_new_one(trader: Principal) -> None:
    order = OrderFactory.create(failed=True, slippage_bps=77)
    fresh = services.retry(order_id=order.id, by=trader, reason="venue is back")
    assert fresh.id != order.id
    assert (fresh.status, fresh.input_amount, fresh.slippage_bps) == ("PENDING", 10**9, 77)
    assert fresh.created_by == "key:1"
    assert Work.objects.get().object_id == fresh.id
    order.refresh_from_db()
    assert order.status == "FAILED"
    assert AuditEntry.objects.get().after == {"order": str(fresh.id)}


def in_review(**columns: Any) -> Order:
    order = OrderFactory.create(status="REVIEW", **columns)
    WorkFactory.create(object_id=order.id, stage=BUILD, attempts=6, quarantined_at=timezone.now())
    return order


def test_a_review_without_a_signature_goes_back_to_the_venues(trader: Principal) -> None:
    order = in_review()
    asked = AttemptFactory.create(order=order)
    again = services.retry(order_id=order.id, by=trader, reason="fixed")
    assert (again.id, again.status) == (order.id, "PENDING")
    work = Work.objects.get()
    assert (work.stage, work.attempts, work.quarantined_at) == (ROUTE, 0, None)
    asked.refresh_from_db()
    assert asked.state == "DISCARDED"
    assert claims.due(ROUTE, size=1, lease_ms=1_000) is not None


def test_a_review_with_a_signature_is_looked_up_and_not_signed_anew(trader: Principal) -> None:
    order = in_review()
    attempt = AttemptFactory.create(order=order, signed=True)
    assert services.retry(order_id=order.id, by=trader, reason="").status == "SUBMITTED"
    assert Work.objects.get().stage == CONFIRM
    attempt.refresh_from_db()
    assert attempt.state == "SIGNED"


def test_a_review_whose_work_is_gone_gets_it_back(trader: Principal) -> None:
    order = OrderFactory.create(status="REVIEW")
    services.retry(order_id=order.id, by=trader, reason="")
    assert Work.objects.get().stage == ROUTE


@pytest.mark.parametrize("columns", [{}, {"status": "SUBMITTED"}, {"confirmed": True}])
def test_an_order_that_is_well_needs_no_retry(columns: dict[str, Any], trader: Principal) -> None:
    order = OrderFactory.create(**columns)
    refused(409, "stale_state", services.retry, order_id=order.id, by=trader, reason="")
    assert not AuditEntry.objects.exists() and Order.objects.count() == 1


def test_a_review_that_cannot_land_is_failed_by_a_person(trader: Principal) -> None:
    order = in_review()
    AttemptFactory.create(order=order)
    ended = services.fail_review(order_id=order.id, by=OPERATOR, reason="gave up")
    assert (ended.status, ended.failure_kind, ended.failure_reason) == (
        "FAILED",
        "review",
        "gave up",
    )
    assert not Work.objects.exists()
    assert Attempt.objects.get().state == "DISCARDED"
    assert AuditEntry.objects.get().action == "order.fail"


def test_a_review_that_may_land_is_not_failed(trader: Principal) -> None:
    order = in_review()
    AttemptFactory.create(order=order, signed=True)
    refused(409, "may_land", services.fail_review, order_id=order.id, by=trader, reason="x")
    order.refresh_from_db()
    assert order.status == "REVIEW" and Work.objects.exists()
    assert not AuditEntry.objects.exists()


def test_only_a_review_is_failed_by_a_person(trader: Principal) -> None:
    order = OrderFactory.create(stage=ROUTE)
    refused(409, "stale_state", services.fail_review, order_id=order.id, by=trader, reason="x")
    assert Work.objects.exists() and history(order) == ["PENDING"]


def test_open_orders_are_those_with_work_newest_first(trader: Principal) -> None:
    old, new = OrderFactory.create_batch(2, stage=ROUTE)
    OrderFactory.create()
    assert [order.id for order in selectors.open_orders(trader, 5)] == [new.id, old.id]
    assert selectors.open_orders(STRANGER, 5) == []


def test_a_callers_wallets_are_those_in_use(trader: Principal) -> None:
    assert {wallet.address for wallet in selectors.wallets(trader)} == set(TRADERS)
    assert {wallet.address for wallet in selectors.wallets(STRANGER)} == set(TRADERS[1:])


def test_recent_orders_come_with_the_position_to_follow_them_from(trader: Principal) -> None:
    order = OrderFactory.create()
    recent = selectors.recent(trader, 10)
    assert recent["position"] == 0
    assert [shown["orderId"] for shown in recent["orders"]] == [str(order.id)]


def in_threads(count: int, do: Callable[[], Any]) -> None:
    threads = [Thread(target=closing, args=[do]) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def closing(do: Callable[[], Any]) -> None:
    try:
        do()
    finally:
        connections.close_all()


def wait_for_a_lock() -> None:
    """Return when another connection of this database waits for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with connections["default"].cursor() as cursor:
        for _ in range(1_000_000):
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")
