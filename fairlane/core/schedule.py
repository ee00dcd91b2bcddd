"""The periodic tasks, as data; the operator's changes to them in the admin are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from django_celery_beat.models import IntervalSchedule, PeriodicTask


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task that runs every ``every_seconds``; a message that old is worth nothing."""

    name: str
    task: str
    every_seconds: int
    description: str


PERIODIC = (
    Periodic("sweep stages", "core.sweep", 1, "Wake every stage that has due work."),
    Periodic("heartbeat", "core.heartbeat", 5, "Ask every queue's workers for a sign of life."),
    Periodic("purge", "core.purge", 3600, "Delete idempotency records and links that are old."),
)


def sync(periodic: Sequence[Periodic] = PERIODIC) -> list[str]:
    """Create the tasks that are missing, retire those no longer declared; returns their names.

    What an operator changed on a task that exists (interval, enabled) stays as it is.
    """
    for task in periodic:
        # Nothing keeps an operator from making the same interval twice.
        interval = {"every": task.every_seconds, "period": IntervalSchedule.SECONDS}
        schedule = IntervalSchedule.objects.filter(**interval).first()
        schedule = schedule or IntervalSchedule.objects.create(**interval)
        PeriodicTask.objects.get_or_create(
            name=task.name,
            defaults={
                "task": task.task,
                "interval": schedule,
                "queue": "default",
                "expire_seconds": max(task.every_seconds, 2),
                "description": task.description,
            },
        )
    names = [task.name for task in periodic]
    PeriodicTask.objects.filter(task__startswith="core.").exclude(name__in=names).delete()
    return names
