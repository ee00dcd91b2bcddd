from contextlib import ExitStack
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from uuid_utils.compat import uuid7

from fairlane.core.models import Event
from fairlane.core.tests.concurrency import at_the_same_time, scalar, wait_for_a_lock
from fairlane.core.transitions import Move, Transitions, move, note
from orders.models import Attempt, Order
from orders.states import ATTEMPT, ORDER
from orders.tests.factories import AttemptFactory, OrderFactory

LIGHT = Transitions({"RED": ["GREEN"], "GREEN": ["YELLOW", "BROKEN"], "YELLOW": ["RED", "BROKEN"]})


def test_a_table_knows_its_steps_sources_and_ends() -> None:
    assert LIGHT.states == ("RED", "GREEN", "YELLOW", "BROKEN")
    assert LIGHT.terminal == {"BROKEN"}
    assert LIGHT.allowed("RED", "GREEN") and not LIGHT.allowed("RED", "YELLOW")
    assert LIGHT.sources("BROKEN") == ["GREEN", "YELLOW"]


def test_a_table_draws_itself() -> None:
    assert LIGHT.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    RED --> GREEN",
        "    GREEN --> YELLOW",
        "    GREEN --> BROKEN",
        "    YELLOW --> RED",
        "    YELLOW --> BROKEN",
    ]


def test_what_may_land_is_never_cancelled_and_what_ended_stays() -> None:
    assert ORDER.terminal == {"CONFIRMED", "FAILED", "CANCELLED"}
    assert not ORDER.allowed("SUBMITTED", "CANCELLED")
    assert not ORDER.allowed("REVIEW", "CANCELLED")
    assert ATTEMPT.sources("DISCARDED") == ["REQUESTED"]


@pytest.mark.django_db
def test_a_move_changes_the_row_and_tells_of_it_in_one_statement(
    django_assert_num_queries: Any,
) -> None:
    order = OrderFactory.create()
    before = order.updated_at
    data = {"try": 1, "text": 'a "quoted" \\ word'}
    with django_assert_num_queries(1):
        moved = move(Order, ORDER, [Move(order.id, "ROUTING", data, {"tries": 1})])
    assert moved == {order.id}
    order.refresh_from_db()
    assert (order.status, order.seq, order.tries) == ("ROUTING", 2, 1)
    assert order.updated_at > before
    event = Event.objects.get(seq=2)
    assert (event.kind, event.object_id, event.status, event.wallet, event.data) == (
        "order",
        order.id,
        "ROUTING",
        order.wallet,
        data,
    )
    assert (event.created_at, event.position) == (order.updated_at, None)


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["PENDING", "SUBMITTED", "CONFIRMED", "NONSENSE"])
def test_a_step_the_table_does_not_allow_is_not_taken(status: str) -> None:
    order = OrderFactory.create()
    assert move(Order, ORDER, [Move(order.id, status)]) == set()
    order.refresh_from_db()
    assert (order.status, order.seq) == ("PENDING", 1)
    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_a_set_moves_each_row_as_far_as_its_own_status_allows() -> None:
    waiting, routing = OrderFactory.create(), OrderFactory.create(status="ROUTING")
    ended = OrderFactory.create(status="CANCELLED")
    moves = [
        Move(waiting.id, "ROUTING", {"n": 1}, {"venue": "a"}),
        Move(routing.id, "BUILDING", {"n": 2}, {"venue": "b"}),
        Move(ended.id, "ROUTING", {"n": 3}, {"venue": "c"}),
        Move(uuid7(), "ROUTING", {"n": 4}, {"venue": "d"}),
    ]
    assert move(Order, ORDER, moves) == {waiting.id, routing.id}
    found = Order.objects.order_by("id").values_list("status", "venue")
    assert list(found) == [("ROUTING", "a"), ("BUILDING", "b"), ("CANCELLED", "")]
    told = Event.objects.filter(seq=2).values_list("object_id", "data")
    assert dict(told) == {waiting.id: {"n": 1}, routing.id: {"n": 2}}


@pytest.mark.django_db
def test_a_caller_may_narrow_where_rows_move_from() -> None:
    order = OrderFactory.create()
    assert move(Order, ORDER, [Move(order.id, "FAILED")], only_from=["ROUTING"]) == set()
    assert move(Order, ORDER, [], only_from=["ROUTING"]) == set()


@pytest.mark.django_db
def test_columns_of_every_type_move_along() -> None:
    order = OrderFactory.create(status="SUBMITTED")
    columns = {"spent_amount": 10**30, "output_amount": 5, "network_fee": None, "signature": "s"}
    assert move(Order, ORDER, [Move(order.id, "CONFIRMED", {}, columns)])
    order.refresh_from_db()
    assert (order.spent_amount, order.network_fee, order.signature) == (10**30, None, "s")


@pytest.mark.django_db
def test_status_and_event_are_undone_together() -> None:
    order = OrderFactory.create()
    with transaction.atomic():
        move(Order, ORDER, [Move(order.id, "ROUTING")])
        transaction.set_rollback(True)
    order.refresh_from_db()
    assert (order.status, Event.objects.count()) == ("PENDING", 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_moves_at_once_from_one_status_one_wins() -> None:
    order = OrderFactory.create(status="ROUTING")

    def other() -> set[Any]:
        return move(Order, ORDER, [Move(order.id, "BUILDING")])

    with ExitStack() as stack, transaction.atomic():
        assert move(Order, ORDER, [Move(order.id, "CANCELLED")])
        second = stack.enter_context(at_the_same_time(other))
        wait_for_a_lock()
    assert second.result() == set()
    assert list(Event.objects.order_by("seq").values_list("seq", "status")) == [
        (1, "PENDING"),
        (2, "CANCELLED"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_move_that_waited_is_judged_by_the_status_it_finds() -> None:
    order = OrderFactory.create()

    def other() -> set[Any]:
        return move(Order, ORDER, [Move(order.id, "CANCELLED")])

    with ExitStack() as stack, transaction.atomic():
        move(Order, ORDER, [Move(order.id, "ROUTING")])
        second = stack.enter_context(at_the_same_time(other))
        wait_for_a_lock()
    assert second.result() == {order.id}
    assert [e.status for e in Event.objects.order_by("seq")] == ["PENDING", "ROUTING", "CANCELLED"]


@pytest.mark.django_db
def test_a_note_keeps_the_status_and_counts_on() -> None:
    order = OrderFactory.create()
    changes: dict[str, Any] = {
        "status": "PENDING",
        "data": {"a": 1},
        "columns": {"slippage_bps": 9},
        "where": {"queued_at": None},
    }
    assert note(Order, order.id, **changes)
    order.refresh_from_db()
    assert (order.status, order.seq, order.slippage_bps) == ("PENDING", 2, 9)
    event = Event.objects.get(seq=2)
    assert (event.status, event.wallet, event.data) == ("PENDING", order.wallet, {"a": 1})
    assert not note(Order, order.id, **changes | {"status": "ROUTING"})
    assert not note(Order, order.id, **changes | {"where": {"queued_at__isnull": False}})
    assert Event.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Order, {"status": "LOST"}),
        (Order, {"input_amount": 0}),
        (Order, {"status": "CONFIRMED"}),
        (Order, {"status": "FAILED"}),
        (Attempt, {"state": "LOST"}),
        (Attempt, {"state": "SIGNED"}),
    ],
)
def test_the_database_refuses_what_cannot_be(model: Any, change: dict[str, Any]) -> None:
    AttemptFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**change)


@pytest.mark.django_db
def test_an_order_has_one_live_attempt_at_most() -> None:
    attempt = AttemptFactory.create(signed=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        AttemptFactory.create(order=attempt.order, number=2)
    Attempt.objects.update(state="EXPIRED")
    AttemptFactory.create(order=attempt.order, number=2)


# What changes in an order's life; everything else is fixed when it is stored.
CHANGING = {
    "status",
    "seq",
    "tries",
    "venue",
    "quoted_amount",
    "min_output_amount",
    "spent_amount",
    "output_amount",
    "network_fee",
    "signature",
    "failure_kind",
    "failure_reason",
    "queued_at",
    "updated_at",
    "input_token_id",
    "output_token_id",
    "input_amount",
    "slippage_bps",
}


@pytest.mark.django_db
def test_no_index_of_orders_knows_a_column_that_changes() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attname FROM pg_index i JOIN pg_depend d ON d.objid = i.indexrelid"
            " JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
            " WHERE i.indrelid = 'orders_order'::regclass AND d.refobjid = i.indrelid"
            " UNION SELECT a.attname FROM pg_index i JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
            " WHERE i.indrelid = 'orders_order'::regclass"
        )
        indexed = {name for (name,) in cursor.fetchall()}
    assert "created_at" in indexed
    assert indexed & CHANGING == set()
    assert {field.column for field in Order._meta.concrete_fields} >= CHANGING


@pytest.mark.django_db(transaction=True)
def test_status_changes_stay_in_place() -> None:
    orders = OrderFactory.create_batch(5)
    scalar("SELECT 1 FROM pg_stat_reset_single_table_counters('orders_order'::regclass)")
    for status in ("ROUTING", "BUILDING"):
        move(Order, ORDER, [Move(order.id, status) for order in orders])
    scalar("SELECT pg_stat_force_next_flush()")
    hot, updated = "pg_stat_get_tuples_hot_updated", "pg_stat_get_tuples_updated"
    scalar("SELECT pg_stat_clear_snapshot()")
    table = "'orders_order'::regclass"
    assert scalar(f"SELECT {hot}({table})") == scalar(f"SELECT {updated}({table})") == 10
