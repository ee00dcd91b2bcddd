import time
from collections.abc import Iterator

import pytest
from celery import current_app
from django.db import transaction
from kombu.utils.json import loads
from pytest_django import Settings

from fairlane.core import redis_clients, tasks, wakeups
from fairlane.core.models import Heartbeat
from fairlane.core.redis_clients import client
from orders.tests.factories import WorkFactory

pytestmark = pytest.mark.django_db(transaction=True)

STAGE = "test.stage"


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    wakeups.register(STAGE, task="test.task", queue="default")
    yield
    wakeups._targets.pop(STAGE)


def messages(queue: str = "default") -> list[str]:
    return [loads(raw)["headers"]["task"] for raw in client().lrange(queue, 0, -1)]


def test_many_wakes_are_one_message() -> None:
    for _ in range(100):
        wakeups.wake(STAGE)
    assert messages() == ["test.task"]


def test_once_a_task_looks_for_work_a_new_wake_is_news() -> None:
    wakeups.wake(STAGE)
    wakeups.started(STAGE)
    wakeups.wake(STAGE)
    assert messages() == ["test.task"] * 2


def test_nobody_is_woken_before_the_commit_or_after_a_rollback() -> None:
    with transaction.atomic():
        wakeups.wake(STAGE)
        assert messages() == []
    assert messages() == ["test.task"]
    wakeups.started(STAGE)
    with transaction.atomic():
        wakeups.wake(STAGE)
        transaction.set_rollback(True)
    assert messages() == ["test.task"]


def test_delayed_wakes_for_about_one_moment_share_a_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000)
    for delay_ms in (400, 410, 449):
        wakeups.wake(STAGE, delay_ms=delay_ms)
    assert messages() == ["test.task"]
    wakeups.wake(STAGE, delay_ms=450)
    assert len(messages()) == 2


def test_a_delayed_wake_does_not_hold_back_one_for_now() -> None:
    wakeups.wake(STAGE, delay_ms=400)
    wakeups.wake(STAGE)
    assert len(messages()) == 2


def test_a_far_delay_is_left_to_the_sweeper() -> None:
    wakeups.wake(STAGE, delay_ms=wakeups.MAX_DELAY_MS + 1)
    assert messages() == []
    wakeups.wake(STAGE, delay_ms=wakeups.MAX_DELAY_MS)
    assert len(messages()) == 1


def test_a_message_that_waits_for_long_expires() -> None:
    wakeups.wake(STAGE)
    assert loads(client().lindex("default", 0) or "")["headers"]["expires"] is not None


def test_without_redis_a_wake_is_lost_and_nothing_else(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis_clients.client.cache_clear()
    try:
        wakeups.wake(STAGE)
        wakeups.started(STAGE)
    finally:
        redis_clients.client.cache_clear()


def test_the_sweeper_wakes_every_stage_that_has_due_rows() -> None:
    WorkFactory.create_batch(3, stage=STAGE)
    WorkFactory.create(stage="orders.route")
    tasks.sweep()
    assert messages() == ["test.task"]
    assert messages("orders") == ["orders.route"]


def test_a_canary_goes_through_every_queue(settings: Settings) -> None:
    tasks.heartbeat()
    for queue in settings.CELERY_TASK_QUEUES:
        assert messages(queue) == ["core.canary"]


def test_a_canary_that_arrives_is_written_down() -> None:
    for _ in range(2):
        current_app.tasks["core.canary"].apply(args=("orders",))
    beat = Heartbeat.objects.get()
    assert beat.queue == "orders" and beat.worker
