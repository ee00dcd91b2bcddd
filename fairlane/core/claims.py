"""Claims: a worker takes a set of due rows for a while and records their outcome once.

The holder does its I/O outside any transaction and then, in one transaction, *releases* the rows
it has an outcome for (``advance``, ``later``, ``finish``) and writes that outcome for the rows
these calls return. A row missing from the answer has been taken over: its outcome is dropped.
Lock order is always work first, then the object's own row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from fairlane.core.models import Work

# Claims without an outcome before a row is put aside. More than the few a rolling restart costs,
# few enough that a poisonous row stops hurting within minutes.
MAX_CLAIMS = 5

_TABLE = Work._meta.db_table


@dataclass(frozen=True, slots=True)
class Claim:
    """The rows of one stage that one worker holds until the lease ends.

    Attributes:
        ids: rows to work on.
        poisoned: rows that were claimed ``MAX_CLAIMS`` times without an outcome: to be put aside.
        errors: what the last recorded error of a row says, where there was one.
    """

    id: UUID
    stage: str
    ids: list[UUID]
    poisoned: list[UUID]
    errors: dict[UUID, str] = field(default_factory=dict)

    def advance(self, ids: Collection[UUID], stage: str, *, delay_ms: int = 0) -> set[UUID]:
        """Hand rows to another stage, due after ``delay_ms``; returns those still held."""
        return self._update(
            "stage = %s, due_at = clock_timestamp() + %s, attempts = 0, claim_id = NULL,"
            " last_error = ''",
            [stage, timedelta(milliseconds=delay_ms)],
            ids,
        )

    def later(self, delays_ms: dict[UUID, int]) -> set[UUID]:
        """Look again after each row's own delay, in the same stage; returns those still held."""
        if not delays_ms:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {_TABLE} w SET attempts = 0, claim_id = NULL, last_error = '',"
                " due_at = clock_timestamp() + d.delay * interval '1 millisecond'"
                " FROM unnest(%s::uuid[], %s::int[]) AS d(id, delay)"
                " WHERE w.object_id = d.id AND w.claim_id = %s RETURNING w.object_id",
                [list(delays_ms), list(delays_ms.values()), self.id],
            )
            return {row[0] for row in cursor.fetchall()}

    def fail(self, ids: Collection[UUID], error: str, *, delay_ms: int) -> set[UUID]:
        """Record that the work itself went wrong and look again; the count goes on."""
        return self._update(
            "due_at = clock_timestamp() + %s, claim_id = NULL, last_error = %s",
            [timedelta(milliseconds=delay_ms), error[:2000]],
            ids,
        )

    def quarantine(self, ids: Collection[UUID]) -> set[UUID]:
        """Put rows aside: no stage claims them until a person lets them go on."""
        return self._update("quarantined_at = clock_timestamp(), claim_id = NULL", [], ids)

    def finish(self, ids: Collection[UUID]) -> set[UUID]:
        """Nothing is left to do for these rows; returns those still held."""
        if not ids:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {_TABLE} WHERE object_id = ANY(%s) AND claim_id = %s"
                " RETURNING object_id",
                [list(ids), self.id],
            )
            return {row[0] for row in cursor.fetchall()}

    def _update(self, changes: str, values: list[Any], ids: Collection[UUID]) -> set[UUID]:
        if not ids:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {_TABLE} SET {changes} WHERE object_id = ANY(%s) AND claim_id = %s"
                " RETURNING object_id",
                [*values, list(ids), self.id],
            )
            return {row[0] for row in cursor.fetchall()}


def due(stage: str, *, size: int, lease_ms: int) -> Claim:
    """Claim up to ``size`` rows of ``stage`` that are due, the longest waiting first.

    Rows that another transaction has locked are passed over, so any number of workers may call
    this at once. Cost depends on ``size``, not on how many rows are open.
    """
    claim_id = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_TABLE} w SET claim_id = %s, attempts = w.attempts + 1,"
            " due_at = clock_timestamp() + %s"
            f" FROM (SELECT object_id FROM {_TABLE} WHERE stage = %s"
            " AND due_at <= clock_timestamp() AND quarantined_at IS NULL"
            " ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) d"
            " WHERE w.object_id = d.object_id"
            " RETURNING w.object_id, w.attempts, w.last_error",
            [claim_id, timedelta(milliseconds=lease_ms), stage, size],
        )
        rows = cursor.fetchall()
    return Claim(
        id=claim_id,
        stage=stage,
        ids=sorted(row[0] for row in rows if row[1] <= MAX_CLAIMS),
        poisoned=sorted(row[0] for row in rows if row[1] > MAX_CLAIMS),
        errors={row[0]: row[2] for row in rows if row[2]},
    )


def open_work(ids: Sequence[UUID], stage: str) -> set[UUID]:
    """Let objects have work in ``stage``, due now, where they have none; returns those it gave."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_TABLE} (object_id, stage) SELECT unnest(%s::uuid[]), %s"
            " ON CONFLICT (object_id) DO NOTHING RETURNING object_id",
            [list(ids), stage],
        )
        return {row[0] for row in cursor.fetchall()}


def withdraw(object_id: UUID, *, stages: Sequence[str]) -> bool:
    """Take an object's work away, whoever holds it, if it is in one of ``stages``."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {_TABLE} WHERE object_id = %s AND stage = ANY(%s)",
            [object_id, list(stages)],
        )
        return bool(cursor.rowcount)


def next_due_ms(stage: str) -> int | None:
    """Milliseconds until the earliest row of ``stage`` is due (0 if overdue); None if none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ceil(extract(epoch FROM due_at - clock_timestamp()) * 1000)::bigint"
            f" FROM {_TABLE} WHERE stage = %s AND quarantined_at IS NULL"
            " ORDER BY due_at LIMIT 1",
            [stage],
        )
        row = cursor.fetchone()
    return None if row is None else max(0, row[0])


def backlog() -> dict[str, tuple[int, float]]:
    """Per stage: rows that are due, and how many seconds the longest waiting has waited."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stage, count(*), extract(epoch FROM clock_timestamp() - min(due_at))::float"
            f" FROM {_TABLE} WHERE due_at <= clock_timestamp() AND quarantined_at IS NULL"
            " GROUP BY stage"
        )
        return {stage: (count, age) for stage, count, age in cursor.fetchall()}
