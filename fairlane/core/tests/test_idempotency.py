import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from fairlane.core import idempotency
from fairlane.core.errors import Problem
from fairlane.core.idempotency import Answer, Request, claim, fingerprint, key_of, run_once
from fairlane.core.models.access import IdempotencyRecord
from fairlane.core.principals import ALL, Principal

CALLER = Principal("key", "1", "test", frozenset(), ALL)
PRINT = fingerprint("POST", "/api/orders", {"a": 1})


def asked(key: str, *, who: str = "key:1", what: bytes = PRINT, body: str = "first") -> Request:
    return Request(who, key, what, Answer(202, body))


def test_the_same_body_in_another_order_is_the_same_request() -> None:
    one = fingerprint("POST", "/x", {"a": 1, "b": [1, 2]})
    assert one == fingerprint("POST", "/x", {"b": [1, 2], "a": 1})
    others = [
        fingerprint("PUT", "/x", {"a": 1, "b": [1, 2]}),
        fingerprint("POST", "/y", {"a": 1, "b": [1, 2]}),
        fingerprint("POST", "/x", {"a": 1, "b": [2, 1]}),
    ]
    assert one not in others


def test_numbers_of_any_size_have_a_fingerprint() -> None:
    prints = {fingerprint("POST", "/x", {"a": a}) for a in (10**30, 10**30 + 1, Decimal("0.1"))}
    assert len(prints) == 3


@pytest.mark.parametrize("header", ["", "x" * 256, "ä", "a\nb"])
def test_a_key_that_is_not_printable_ascii_is_refused(header: str) -> None:
    with pytest.raises(Problem) as caught:
        key_of(header)
    assert (caught.value.status, caught.value.code) == (400, "invalid_idempotency_key")


def test_no_key_is_no_key() -> None:
    assert key_of(None) is None
    assert key_of("x" * 255) == "x" * 255


@pytest.mark.django_db
def test_a_repeat_gets_the_first_answer() -> None:
    assert claim([asked("k")]) == [Answer(202, "first")]
    assert claim([asked("k", body="second")]) == [Answer(202, "first", replayed=True)]
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.django_db
def test_another_request_under_the_same_key_is_a_conflict() -> None:
    claim([asked("k")])
    (outcome,) = claim([asked("k", what=b"other")])
    assert isinstance(outcome, Problem)
    assert outcome.status == 409


@pytest.mark.django_db
def test_keys_belong_to_their_caller() -> None:
    claim([asked("k")])
    assert claim([asked("k", who="key:2", what=b"other")]) == [Answer(202, "first")]


@pytest.mark.django_db
def test_a_set_is_answered_request_by_request() -> None:
    claim([asked("old", body="stored")])
    outcomes = claim(
        [asked("new"), asked("old"), asked("new", body="again"), asked("new", what=b"other")]
    )
    assert outcomes[:3] == [
        Answer(202, "first"),
        Answer(202, "stored", replayed=True),
        Answer(202, "first", replayed=True),
    ]
    assert isinstance(outcomes[3], Problem)


@pytest.mark.django_db
def test_a_set_costs_two_statements_at_most(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    claim([asked(f"k{i}") for i in range(50)])
    with django_assert_max_num_queries(2):
        claim([asked(f"k{i}") for i in range(100)])


@pytest.mark.django_db
def test_something_is_done_once() -> None:
    done: list[int] = []

    def do() -> tuple[int, str]:
        done.append(1)
        return 201, "made"

    first = run_once(principal=CALLER, key="k", print_=PRINT, do=do)
    again = run_once(principal=CALLER, key="k", print_=PRINT, do=do)
    assert (first, again) == (Answer(201, "made"), Answer(201, "made", replayed=True))
    assert done == [1]


@pytest.mark.django_db
def test_something_else_is_not_done_under_a_used_key() -> None:
    run_once(principal=CALLER, key="k", print_=PRINT, do=lambda: (201, "made"))
    with pytest.raises(Problem) as caught:
        run_once(principal=CALLER, key="k", print_=b"other", do=lambda: (201, "made"))
    assert caught.value.status == 409


@pytest.mark.django_db
def test_without_a_key_everything_is_done() -> None:
    for _ in range(2):
        answer = run_once(principal=CALLER, key=None, print_=PRINT, do=lambda: (201, "made"))
        assert answer == Answer(201, "made")
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
def test_a_refusal_leaves_the_key_free() -> None:
    def refuse() -> tuple[int, str]:
        raise Problem(400, "invalid_request")

    with pytest.raises(Problem):
        run_once(principal=CALLER, key="k", print_=PRINT, do=refuse)
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_repeat_waits_for_the_first_to_commit() -> None:
    outcomes: list[Answer | Problem] = []

    def repeat() -> None:
        try:
            with transaction.atomic():
                outcomes.extend(claim([asked("k", body="second")]))
        finally:
            connection.close()

    with transaction.atomic():
        claim([asked("k")])
        other = threading.Thread(target=repeat)
        other.start()
        other.join(timeout=0.3)
        assert other.is_alive()
    other.join(timeout=10)
    assert outcomes == [Answer(202, "first", replayed=True)]


@pytest.mark.django_db
def test_sets_take_their_keys_in_one_order_so_that_none_waits_for_another() -> None:
    claim([asked(key) for key in ("c", "a", "b")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM core_idempotencyrecord ORDER BY ctid")
        assert [key for (key,) in cursor.fetchall()] == ["a", "b", "c"]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_first() -> None:
    outcomes: list[Answer | Problem] = []
    start = threading.Barrier(6)

    def send(number: int) -> None:
        try:
            start.wait(timeout=10)
            keys = [f"k{i}" for i in range(20)]
            with transaction.atomic():
                outcomes.extend(
                    claim([asked(key) for key in (keys if number % 2 else reversed(keys))])
                )
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    firsts = [outcome for outcome in outcomes if outcome == Answer(202, "first")]
    assert (len(outcomes), len(firsts)) == (120, 20)


@pytest.mark.django_db
def test_only_old_records_are_purged() -> None:
    claim([asked("old"), asked("new")])
    IdempotencyRecord.objects.filter(key="old").update(
        created_at=timezone.now() - idempotency.KEPT - timedelta(seconds=1)
    )
    assert idempotency.purge() == 1
    assert IdempotencyRecord.objects.get().key == "new"
