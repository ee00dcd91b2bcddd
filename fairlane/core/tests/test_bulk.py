from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from fairlane.core import arrays, bulk
from fairlane.core.models import Event
from fairlane.core.tests.concurrency import scalar
from orders.models import Attempt, Order
from orders.tests.factories import AttemptFactory, EventFactory, OrderFactory

pytestmark = pytest.mark.django_db

NASTY = ['a "quoted" \\ {word}, NULL', "", "NULL", "näive ✓", "{}", "\\x00", "a\nb\tc"]


def event(seq: int, **columns: Any) -> dict[str, Any]:
    return {
        "kind": "order",
        "object_id": "0192f0c1-0000-7000-8000-000000000000",
        "seq": seq,
        "status": "PENDING",
        "wallet": "w",
        "data": {"seq": seq},
    } | columns


def test_rows_are_inserted_in_one_statement(django_assert_num_queries: Any) -> None:
    rows = [event(seq, data={"text": text}) for seq, text in enumerate(NASTY, start=1)]
    with django_assert_num_queries(1):
        bulk.insert(Event, rows)
    assert [e.data["text"] for e in Event.objects.order_by("seq")] == NASTY


def test_nothing_to_do_costs_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        bulk.insert(Event, [])
        bulk.update(Event, [], key="id")


def test_a_double_is_an_error_unless_it_is_to_be_ignored() -> None:
    bulk.insert(Event, [event(1, status="PENDING")])
    bulk.insert(Event, [event(1, status="ROUTING"), event(2)], ignore_conflicts=True)
    assert list(Event.objects.order_by("seq").values_list("status", flat=True)) == ["PENDING"] * 2
    with pytest.raises(IntegrityError):
        bulk.insert(Event, [event(2)])


def test_rows_are_updated_by_their_key_and_others_are_left_alone() -> None:
    one, two, other = OrderFactory.create_batch(3)
    now = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    rows = [
        {"id": one.id, "venue": NASTY[0], "quoted_amount": 10**70, "queued_at": now},
        {"id": two.id, "venue": "", "quoted_amount": None, "queued_at": None},
    ]
    bulk.update(Order, rows, key="id")
    columns = ("venue", "quoted_amount", "queued_at")
    assert Order.objects.values_list(*columns).get(id=one.id) == (NASTY[0], 10**70, now)
    assert Order.objects.values_list(*columns).get(id=two.id) == ("", None, None)
    other.refresh_from_db()
    assert other.quoted_amount is None


def test_bytes_and_serial_keys_are_updated() -> None:
    attempts = AttemptFactory.create_batch(2, signed=True)
    raw = bytes(range(256))
    bulk.update(
        Attempt, [{"id": a.id, "transaction": raw, "slot": a.id} for a in attempts], key="id"
    )
    for attempt in attempts:
        attempt.refresh_from_db()
        assert (bytes(attempt.transaction or b""), attempt.slot) == (raw, attempt.id)


def test_a_column_that_does_not_exist_is_named() -> None:
    with pytest.raises(LookupError, match="Event has no column colour"):
        bulk.insert(Event, [{"colour": "red"}])


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(st.lists(st.one_of(st.none(), texts)))
def test_texts_survive_the_way_into_an_array(values: list[str | None]) -> None:
    assert scalar("SELECT %s::text[]", arrays.literal(values)) == values


@given(st.lists(st.binary()))
def test_bytes_survive_the_way_into_an_array(values: list[bytes]) -> None:
    assert [bytes(v) for v in scalar("SELECT %s::bytea[]", arrays.literal(values))] == values


@given(st.lists(st.one_of(st.none(), st.dictionaries(texts, texts | st.booleans()))))
def test_mappings_survive_the_way_into_an_array(values: list[Any]) -> None:
    found = scalar("SELECT array_to_json(%s::jsonb[])", arrays.literal(values))
    assert (found or []) == values


def test_an_event_is_unique_by_object_and_seq() -> None:
    first = EventFactory.create()
    with pytest.raises(IntegrityError):
        EventFactory.create(object_id=first.object_id)
