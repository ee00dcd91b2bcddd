from uuid import UUID

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError
from pytest_django import Settings

from fairlane.core import claims, wakeups
from fairlane.core.claims import MAX_CLAIMS, Claim
from fairlane.core.models import Work
from fairlane.core.stages import Stage
from orders.tests.factories import WorkFactory

pytestmark = pytest.mark.django_db

NAME = "test.stage"


class Worker:
    """Finishes what it can; stumbles over some rows."""

    def __init__(self, *poisonous: UUID, error: Exception | None = None) -> None:
        self.calls: list[list[UUID]] = []
        self.aside: list[UUID] = []
        self.poisonous = set(poisonous)
        self.error = error or ValueError("poison")

    def work(self, claim: Claim) -> None:
        self.calls.append(claim.ids)
        if self.poisonous & set(claim.ids):
            raise self.error
        claim.finish(claim.ids)

    def set_aside(self, claim: Claim) -> None:
        self.aside += claim.quarantine(claim.poisoned)

    def stage(self, *, size: int = 8) -> Stage:
        return Stage(NAME, size=size, lease_ms=60_000, work=self.work, set_aside=self.set_aside)


@pytest.fixture
def ids() -> list[UUID]:
    return sorted(row.object_id for row in WorkFactory.create_batch(8, stage=NAME))


def test_a_run_goes_on_until_nothing_is_due(ids: list[UUID]) -> None:
    worker = Worker()
    assert worker.stage(size=3).run() == 8
    assert [len(call) for call in worker.calls] == [3, 3, 2]
    assert not Work.objects.exists()


def test_a_run_without_work_does_nothing() -> None:
    worker = Worker()
    assert worker.stage().run() == 0
    assert worker.calls == []


def test_a_run_ends_when_its_time_is_spent(ids: list[UUID], settings: Settings) -> None:
    settings.CELERY_TASK_SOFT_TIME_LIMIT = 0
    assert Worker().stage().run() == 0
    assert Work.objects.count() == 8


def test_one_poisonous_row_is_found_and_the_others_go_on(ids: list[UUID]) -> None:
    worker = Worker(ids[5])
    worker.stage().run()
    left = Work.objects.get()
    assert (left.object_id, left.attempts, left.claim_id) == (ids[5], 1, None)
    assert left.last_error == "ValueError: poison"
    assert [len(call) for call in worker.calls] == [8, 4, 4, 2, 1, 1, 2]


def test_two_poisonous_rows_are_both_found(ids: list[UUID]) -> None:
    Worker(ids[0], ids[7]).stage().run()
    assert set(Work.objects.values_list("object_id", flat=True)) == {ids[0], ids[7]}


def test_a_row_that_stays_poisonous_is_put_aside(ids: list[UUID]) -> None:
    worker = Worker(ids[3])
    for _ in range(MAX_CLAIMS + 1):
        Work.objects.update(due_at="2020-01-01T00:00Z")
        worker.stage().run()
    assert worker.aside == [ids[3]]
    assert len([call for call in worker.calls if call == [ids[3]]]) == MAX_CLAIMS
    assert Work.objects.get().quarantined_at is not None


@pytest.mark.parametrize("error", [SoftTimeLimitExceeded(), OperationalError("gone")])
def test_trouble_of_no_rows_doing_is_not_searched_for_in_the_rows(
    error: Exception, ids: list[UUID]
) -> None:
    worker = Worker(ids[0], error=error)
    with pytest.raises(type(error)):
        worker.stage().run()
    assert len(worker.calls) == 1
    assert Work.objects.filter(claim_id=None).count() == 0
    assert claims.due(NAME, size=8, lease_ms=1) is None


def test_what_is_due_later_is_woken_for(ids: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[tuple[str, int]] = []
    monkeypatch.setattr(wakeups, "wake", lambda stage, *, delay_ms: woken.append((stage, delay_ms)))
    Worker(ids[2]).stage().run()
    ((stage, delay_ms),) = woken
    assert stage == NAME and 1_000 < delay_ms <= 2_000
