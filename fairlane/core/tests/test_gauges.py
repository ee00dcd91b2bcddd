import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from fairlane.core import gauges, health, metrics
from fairlane.core.models import Heartbeat, RelayCursor
from orders.tests.factories import EventFactory, WorkFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unseen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gauges, "_started_at", time.monotonic())
    health._kept.clear()
    yield
    health._kept.clear()


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def test_gauges_tell_what_the_tables_hold() -> None:
    WorkFactory.create_batch(2, stage="a", due_at=ago(20))
    WorkFactory.create(stage="b", due_at=ago(-20))
    WorkFactory.create_batch(2, stage="b", quarantined_at=timezone.now())
    Heartbeat.objects.create(queue="orders", worker="w", at=ago(7))
    EventFactory.create_batch(3)
    EventFactory.create(position=1)
    RelayCursor.objects.update_or_create(id=1, defaults={"position": 41})
    assert gauges.stage_due() == {("a",): 2.0}
    assert gauges.quarantined() == {("b",): 2}
    assert gauges.unpublished() == {(): 3.0}
    assert gauges.position() == {(): 41.0}
    assert 20 <= gauges.stage_oldest_due()["a",] < 25
    assert 7 <= gauges.heartbeat_age()["orders",] < 12
    text = metrics.render().decode()
    assert 'fairlane_stage_due{stage="a"} 2.0' in text
    assert "fairlane_events_position 41.0" in text


def test_well_parts_show_their_figures() -> None:
    Heartbeat.objects.create(queue="orders", worker="w", at=ago(7))
    WorkFactory.create(stage="a", due_at=ago(3))
    parts = health.overview()["parts"]
    assert parts["workers"]["status"] == parts["stages"]["status"] == "ok"
    assert 7 <= parts["workers"]["lastSeenSeconds"]["orders"] < 12
    assert 3 <= parts["stages"]["oldestDueSeconds"]["a"] < 8


def test_silent_workers_and_stuck_stages_are_named() -> None:
    Heartbeat.objects.create(queue="orders", worker="w", at=ago(31))
    Heartbeat.objects.create(queue="default", worker="w", at=ago(1))
    WorkFactory.create(stage="a", due_at=ago(61))
    overview = health.overview()
    assert overview["status"] == "failing"
    assert overview["parts"]["workers"]["reason"] == "no sign of life on orders"
    assert overview["parts"]["stages"]["reason"] == "due work is not taken in a"


def test_a_queue_that_nobody_ever_served_is_silent_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert health.overview()["parts"]["workers"]["status"] == "ok"
    health._kept.clear()
    monkeypatch.setattr(gauges, "_started_at", time.monotonic() - gauges.SILENT_SECONDS - 1)
    Heartbeat.objects.create(queue="orders", worker="w", at=ago(1))
    reason = health.overview()["parts"]["workers"]["reason"]
    silent = sorted(settings.CELERY_TASK_QUEUES.keys() - {"orders"})
    assert reason == f"no sign of life on {', '.join(silent)}"
