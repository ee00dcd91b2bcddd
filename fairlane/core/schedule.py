"""The periodic tasks, as data; the operator's changes to them in the admin are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q
from django_celery_beat.models import IntervalSchedule, PeriodicTask


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task that runs every ``every_seconds``; a message that old is worth nothing."""

    name: str
    task: str
    every_seconds: int
    description: str
    queue: str = "default"


PERIODIC = [
    Periodic("sweep stages", "core.sweep", 1, "Wake every stage that has due work."),
    Periodic("heartbeat", "core.heartbeat", 5, "Ask every queue's workers for a sign of life."),
    Periodic("purge", "core.purge", 3600, "Delete idempotency records and links that are old."),
]


_prefixes = {"core."}


def own(prefix: str) -> None:
    """Tasks with this prefix are ours: those that are not declared (any more) are retired."""
    _prefixes.add(prefix)


def declare(*periodic: Periodic) -> None:
    """Add an app's tasks to the schedule."""
    PERIODIC.extend(task for task in periodic if task not in PERIODIC)


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
                "queue": task.queue,
                "expire_seconds": max(task.every_seconds, 2),
                "description": task.description,
            },
        )
    names = [task.name for task in periodic]
    ours = reduce(or_, (Q(task__startswith=prefix) for prefix in sorted(_prefixes)))
    PeriodicTask.objects.filter(ours).exclude(name__in=names).delete()
    return names
