"""How much the stages have done, whichever process did it: for people and dashboards.

A statistic: a process that dies takes what it had not added yet with it.
"""

from dataclasses import dataclass

from django.db import connection

from fairlane.core import wakeups
from fairlane.core.models import StageTally


@dataclass(slots=True)
class Queue:
    """The stages of one queue together.

    Attributes:
        waiting: rows of work that nobody has in hand; those put aside for people are not among
            them.
        active: rows that are claimed.
        completed, failed: rows that a stage was done with, and those it raised an error for, since
            the first day.
    """

    waiting: int = 0
    active: int = 0
    completed: int = 0
    failed: int = 0


_COUNT = """
    SELECT stage, count(*) FILTER (WHERE claim_id IS NULL OR due_at <= clock_timestamp()),
        count(*) FILTER (WHERE claim_id IS NOT NULL AND due_at > clock_timestamp())
    FROM core_work WHERE quarantined_at IS NULL GROUP BY stage
"""


def add(stage: str, *, done: int, failed: int) -> None:
    """Count rows of a stage."""
    if not done and not failed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_stagetally AS t (stage, done, failed) VALUES (%s, %s, %s)"
            " ON CONFLICT (stage) DO UPDATE"
            " SET done = t.done + excluded.done, failed = t.failed + excluded.failed",
            [stage, done, failed],
        )


def queues(names: list[str]) -> dict[str, Queue]:
    """Every queue, also those that have never had work."""
    found = {name: Queue() for name in names}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT)
        for stage, waiting, active in cursor.fetchall():
            if queue := _of(stage, found):
                queue.waiting += waiting
                queue.active += active
    for tally in StageTally.objects.all():
        if queue := _of(tally.stage, found):
            queue.completed += tally.done
            queue.failed += tally.failed
    return found


def _of(stage: str, queues: dict[str, Queue]) -> Queue | None:
    name = wakeups.queue_of(stage)
    return queues.get(name) if name else None
