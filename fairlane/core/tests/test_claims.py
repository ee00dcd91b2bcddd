import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from fairlane.core import claims
from fairlane.core.claims import MAX_CLAIMS, SUSPECT_CLAIMS, Claim, Step
from fairlane.core.models import Work
from fairlane.core.tests.concurrency import elsewhere
from orders.tests.factories import WorkFactory

pytestmark = pytest.mark.django_db

STAGE = "test.stage"
LEASE_MS = 60_000


def work(count: int = 1, **columns: Any) -> list[UUID]:
    rows = WorkFactory.create_batch(count, **{"stage": STAGE} | columns)
    return [row.object_id for row in rows]


def due(size: int = 10, *, stage: str = STAGE, lease_ms: int = LEASE_MS) -> Claim | None:
    return claims.due(stage, size=size, lease_ms=lease_ms) or claims.suspect(
        stage, lease_ms=lease_ms
    )


def claimed(**options: Any) -> Claim:
    claim = due(**options)
    assert claim is not None
    return claim


def row(object_id: UUID) -> Work:
    return Work.objects.get(object_id=object_id)


def let_leases_end() -> None:
    Work.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_claim_takes_what_is_due_the_longest_waiting_first() -> None:
    ids = work(3)
    for age, object_id in enumerate(ids):
        Work.objects.filter(object_id=object_id).update(
            due_at=timezone.now() - timedelta(seconds=1 + age)
        )
    work(due_at=timezone.now() + timedelta(seconds=60))
    work(stage="test.other")
    work(quarantined_at=timezone.now())
    assert claimed(size=2).ids == sorted(ids[1:])
    assert claimed(size=2).ids == [ids[0]]
    assert due() is None


def test_a_claim_is_as_large_as_asked_for_however_the_database_joins() -> None:
    ids = work(8)
    with connection.cursor() as cursor:
        # What a vacuum of the empty table leaves: a loop whose inner side is the choice of rows.
        cursor.execute(
            "UPDATE pg_class SET relpages = 1, reltuples = 0 WHERE relname = %s",
            [Work._meta.db_table],
        )
        for off in ("hashjoin", "mergejoin", "material", "indexscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{off} = off")
    assert [len(claimed(size=3).ids) for _ in range(3)] == [3, 3, len(ids) - 6]


def test_a_claimed_row_is_not_claimed_again_before_its_lease_ends() -> None:
    (object_id,) = work()
    claim = claimed()
    assert due() is None
    held = row(object_id)
    assert (held.claim_id, held.attempts) == (claim.id, 1)
    assert timedelta(seconds=50) < held.due_at - timezone.now() <= timedelta(seconds=60)
    let_leases_end()
    again = claimed()
    assert again.ids == [object_id] and again.id != claim.id
    assert row(object_id).attempts == 2


@pytest.mark.django_db(transaction=True)
def test_rows_another_worker_is_claiming_are_passed_over() -> None:
    ids = work(6)
    with transaction.atomic():
        mine = claimed(size=4)
        theirs = elsewhere(lambda: claimed(size=4))
        assert not elsewhere(due)
    assert len(mine.ids) == 4 and sorted(mine.ids + theirs.ids) == sorted(ids)


def test_a_holder_that_came_too_late_records_nothing() -> None:
    (object_id,) = work()
    late = claimed()
    let_leases_end()
    holder = claimed()
    assert late.hand_over({object_id: Step("test.next")}) == set()
    assert late.finish([object_id]) == set()
    late.fail("too late")
    still = row(object_id)
    assert (still.stage, still.claim_id, still.last_error) == (STAGE, holder.id, "")
    assert holder.finish([object_id]) == {object_id}
    assert not Work.objects.exists()


def test_a_row_is_handed_over_to_its_next_stage(
    django_capture_on_commit_callbacks: Any,
) -> None:
    one, two = work(2)
    claim = claimed()
    assert claim.hand_over({one: Step("test.next"), two: Step(STAGE, 5_000)}) == {one, two}
    moved, later = row(one), row(two)
    assert (moved.stage, moved.attempts, moved.claim_id) == ("test.next", 0, None)
    assert moved.due_at <= timezone.now()
    assert later.stage == STAGE
    assert timedelta(seconds=4) < later.due_at - timezone.now() <= timedelta(seconds=5)
    assert claim.hand_over({one: Step(STAGE)}) == set()
    assert claim.hand_over({}) == claim.finish([]) == set()


def test_only_claims_without_an_outcome_are_counted() -> None:
    (object_id,) = work()
    for _ in range(3 * MAX_CLAIMS):
        claim = claimed()
        assert not claim.poisoned
        claim.hand_over({object_id: Step(STAGE)})


def test_a_failure_is_recorded_and_tried_again_after_a_while() -> None:
    (object_id,) = work()
    for attempts, seconds in ((1, 2), (2, 4), (3, 8)):
        claimed().fail(f"error {attempts}" + "x" * 5_000)
        failed = row(object_id)
        assert (failed.attempts, failed.claim_id) == (attempts, None)
        assert failed.last_error.startswith(f"error {attempts}x")
        assert len(failed.last_error) == 2_000
        wait = failed.due_at - timezone.now()
        assert timedelta(seconds=seconds - 1) < wait <= timedelta(seconds=seconds)
        let_leases_end()


def test_a_suspect_is_claimed_alone_and_after_the_others() -> None:
    suspects = work(2, attempts=SUSPECT_CLAIMS)
    fresh = work(3, attempts=SUSPECT_CLAIMS - 1)
    assert claimed().ids == sorted(fresh)
    first, second = claimed(), claimed()
    assert sorted(first.ids + second.ids) == sorted(suspects)
    assert len(first.ids) == 1
    assert due() is None


def test_a_row_claimed_too_often_is_put_aside_with_its_last_error() -> None:
    (poison,) = work(attempts=MAX_CLAIMS, last_error="it hurts")
    claim = claimed()
    assert (claim.ids, claim.poisoned) == ([], [poison])
    assert claim.quarantine(claim.poisoned) == {poison: "it hurts"}
    assert row(poison).quarantined_at is not None
    let_leases_end()
    assert due() is None
    assert claims.next_due_ms(STAGE) is None
    assert claims.backlog() == {}


def test_one_claim_more_is_not_too_often() -> None:
    (object_id,) = work(attempts=MAX_CLAIMS - 1)
    assert claimed().ids == [object_id]


def test_a_part_of_a_claim_holds_its_own_rows() -> None:
    one, two = work(2)
    part = claimed().part([one])
    part.fail("only this one")
    assert row(one).last_error and not row(two).last_error
    assert row(two).claim_id == part.id


def test_work_is_opened_once() -> None:
    one, two = uuid7(), uuid7()
    assert claims.open_work([one], STAGE) == {one}
    claimed()
    assert claims.open_work([one, two], STAGE) == {two}
    assert row(one).attempts == 1
    assert claimed().ids == [two]


def test_work_is_withdrawn_from_whoever_holds_it() -> None:
    (object_id,) = work()
    claim = claimed()
    assert not claims.withdraw(object_id, stages=["test.other"])
    assert claims.withdraw(object_id, stages=["test.other", STAGE])
    assert not claims.withdraw(object_id, stages=[STAGE])
    assert claim.hand_over({object_id: Step("test.next")}) == set()
    assert not Work.objects.exists()


def test_the_next_due_moment_and_the_backlog_are_known() -> None:
    assert claims.next_due_ms(STAGE) is None
    work(due_at=timezone.now() + timedelta(seconds=30))
    next_due = claims.next_due_ms(STAGE)
    assert next_due is not None and 29_000 < next_due <= 30_000
    work(2, due_at=timezone.now() - timedelta(seconds=10))
    assert claims.next_due_ms(STAGE) == 0
    ((stage, (count, age)),) = claims.backlog().items()
    assert (stage, count) == (STAGE, 2) and 10 <= age < 15


def test_a_claim_costs_the_same_however_much_is_open(django_assert_num_queries: Any) -> None:
    Work.objects.bulk_create(
        Work(
            object_id=uuid7(), stage=STAGE if n % 100 == 0 else "test.other", due_at=timezone.now()
        )
        for n in range(5_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_work")
    statements: list[tuple[str, Any]] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        claimed(size=10)
    ((sql, params),) = statements
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = json.dumps(cursor.fetchone()[0])
    assert "work_due" in plan
    assert "Seq Scan" not in plan
