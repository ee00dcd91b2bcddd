"""What the tables tell about the state of the service: for /metrics and /health."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from fairlane.core import claims, health, metrics
from fairlane.core.models import Event, Heartbeat, RelayCursor, Work

# Canaries go out every five seconds; several lost in a row are no accident.
SILENT_SECONDS = 30
# A stage whose oldest row waits longer than this is stuck, not busy.
STUCK_SECONDS = 60

_started_at = time.monotonic()


def age(at: datetime | None) -> float:
    """Seconds since then; what was never seen counts from this process's own start."""
    if at is None:
        return time.monotonic() - _started_at
    return (timezone.now() - at).total_seconds()


@metrics.gauge("fairlane_stage_due", "Rows of a stage that are due", ["stage"])
def stage_due() -> metrics.Samples:
    return {(stage,): float(count) for stage, (count, _) in claims.backlog().items()}


@metrics.gauge("fairlane_stage_oldest_due_seconds", "Wait of a stage's oldest due row", ["stage"])
def stage_oldest_due() -> metrics.Samples:
    return {(stage,): seconds for stage, (_, seconds) in claims.backlog().items()}


@metrics.gauge("fairlane_quarantined", "Rows put aside for a person", ["stage"])
def quarantined() -> metrics.Samples:
    stages = Work.objects.exclude(quarantined_at=None).values_list("stage", flat=True)
    counts: dict[tuple[str, ...], float] = {}
    for stage in stages:
        counts[stage,] = counts.get((stage,), 0) + 1
    return counts


@metrics.gauge("fairlane_heartbeat_age_seconds", "Time since a queue's last canary", ["queue"])
def heartbeat_age() -> metrics.Samples:
    now = timezone.now()
    return {(beat.queue,): (now - beat.at).total_seconds() for beat in Heartbeat.objects.all()}


@metrics.gauge("fairlane_events_unpublished", "Events that the relay has not announced yet")
def unpublished() -> metrics.Samples:
    return {(): float(Event.objects.filter(position=None).count())}


@metrics.gauge("fairlane_events_position", "The last position that the relay has given")
def position() -> metrics.Samples:
    return {(): float(RelayCursor.objects.get().position)}


@health.part("workers")
def workers() -> Mapping[str, Any]:
    """Every queue has workers that take messages."""
    ages = dict.fromkeys(settings.CELERY_TASK_QUEUES, age(None))
    ages |= {queue: age for (queue,), age in heartbeat_age().items()}
    silent = sorted(queue for queue, age in ages.items() if age > SILENT_SECONDS)
    if silent:
        raise health.Failing(f"no sign of life on {', '.join(silent)}")
    return {"lastSeenSeconds": {queue: round(age, 1) for queue, age in ages.items()}}


@health.part("stages")
def stages() -> Mapping[str, Any]:
    """No stage leaves due rows lying."""
    waits = {stage: round(seconds, 1) for stage, (_, seconds) in claims.backlog().items()}
    stuck = sorted(stage for stage, seconds in waits.items() if seconds > STUCK_SECONDS)
    if stuck:
        raise health.Failing(f"due work is not taken in {', '.join(stuck)}")
    return {"oldestDueSeconds": waits}
