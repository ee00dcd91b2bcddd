"""Claims: a worker takes a set of due rows for a while and records their outcome once.

The holder does its I/O outside any transaction and then, in one transaction, *releases* the rows
it has an outcome for (``hand_over``, ``finish``) and writes that outcome for the rows
these calls return. A row missing from the answer has been taken over: its outcome is dropped.
Lock order is always work first, then the object's own row.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from django.db import connection

from fairlane.core import arrays, wakeups
from fairlane.core.models import Work

# Claims without an outcome before a row is put aside. More than the few a rolling restart costs,
# few enough that a poisonous row stops hurting within minutes.
MAX_CLAIMS = 5

# Rows this often claimed in vain are claimed one by one: if one of them kills its worker, the
# others must not be counted out with it.
SUSPECT_CLAIMS = 2

_TABLE = Work._meta.db_table


@dataclass(frozen=True, slots=True)
class Step:
    """Where a row goes next: a stage, due after ``delay_ms``."""

    stage: str
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """The rows of one stage that one worker holds until the lease ends.

    Attributes:
        ids: rows to work on.
        poisoned: rows that were claimed ``MAX_CLAIMS`` times without an outcome: to be put aside.
    """

    id: UUID
    stage: str
    ids: list[UUID]
    poisoned: list[UUID]

    def part(self, ids: Collection[UUID]) -> "Claim":
        """The same claim, on some of its rows only."""
        return replace(self, ids=list(ids), poisoned=[])

    def hand_over(self, steps: Mapping[UUID, Step]) -> set[UUID]:
        """Give rows to their next stage (or the same, later), which is woken after the commit.

        Returns:
            The rows that were still held.
        """
        if not steps:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {_TABLE} w SET stage = s.stage, attempts = 0, claim_id = NULL,"
                " last_error = '',"
                " due_at = clock_timestamp() + s.delay * interval '1 millisecond'"
                " FROM unnest(%s::uuid[], %s::text[], %s::int[]) AS s(id, stage, delay)"
                " WHERE w.object_id = s.id AND w.claim_id = %s RETURNING w.object_id",
                [
                    arrays.literal(steps),
                    arrays.literal(step.stage for step in steps.values()),
                    arrays.literal(step.delay_ms for step in steps.values()),
                    self.id,
                ],
            )
            held = {row[0] for row in cursor.fetchall()}
        for stage in {step.stage for step in steps.values()} - {self.stage}:
            wakeups.wake(
                stage, delay_ms=min(s.delay_ms for s in steps.values() if s.stage == stage)
            )
        return held

    def hold(self, ids: Collection[UUID]) -> set[UUID]:
        """Those of the rows that are still held, which nobody takes over before the transaction
        has ended: for outcomes that depend on each other."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT object_id FROM {_TABLE} WHERE object_id = ANY(%s::uuid[])"
                " AND claim_id = %s ORDER BY object_id FOR UPDATE",
                [arrays.literal(ids), self.id],
            )
            return {row[0] for row in cursor.fetchall()}

    def fail(self, error: str) -> None:
        """Record that working on the rows went wrong; the count of claims goes on."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {_TABLE} SET claim_id = NULL, last_error = %s,"
                " due_at = clock_timestamp() + (interval '1 second' * 2 ^ attempts)"
                " WHERE object_id = ANY(%s) AND claim_id = %s",
                [error[:2000], self.ids, self.id],
            )

    def quarantine(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Put rows aside until a person lets them go on; returns the last error of each."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {_TABLE} SET quarantined_at = clock_timestamp(), claim_id = NULL"
                " WHERE object_id = ANY(%s::uuid[]) AND claim_id = %s"
                " RETURNING object_id, last_error",
                [arrays.literal(ids), self.id],
            )
            return dict(cursor.fetchall())

    def finish(self, ids: Collection[UUID]) -> set[UUID]:
        """Nothing is left to do for these rows; returns those that were still held."""
        if not ids:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {_TABLE} WHERE object_id = ANY(%s::uuid[]) AND claim_id = %s"
                " RETURNING object_id",
                [arrays.literal(ids), self.id],
            )
            return {row[0] for row in cursor.fetchall()}


def due(stage: str, *, size: int, lease_ms: int) -> Claim | None:
    """Claim up to ``size`` rows of ``stage`` that are due, the longest waiting first.

    Rows that another transaction has locked are passed over, so any number of workers may call
    this at once. Cost depends on ``size``, not on how many rows are open. Rows that were claimed
    in vain before are left to ``suspect``.
    """
    return _claim(stage, f"attempts < {SUSPECT_CLAIMS}", size, lease_ms)


def suspect(stage: str, *, lease_ms: int) -> Claim | None:
    """Claim one due row of ``stage`` that was claimed in vain before, alone."""
    return _claim(stage, f"attempts >= {SUSPECT_CLAIMS}", 1, lease_ms)


def _claim(stage: str, condition: str, size: int, lease_ms: int) -> Claim | None:
    claim_id = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            # Materialized: a nested loop would run it again for every row, and claim them all.
            f"WITH due AS MATERIALIZED (SELECT object_id FROM {_TABLE}"
            f" WHERE stage = %s AND {condition}"
            " AND due_at <= clock_timestamp() AND quarantined_at IS NULL"
            " ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)"
            f" UPDATE {_TABLE} w SET claim_id = %s, attempts = w.attempts + 1,"
            " due_at = clock_timestamp() + %s * interval '1 millisecond'"
            " FROM due WHERE w.object_id = due.object_id"
            " RETURNING w.object_id, w.attempts",
            [stage, size, claim_id, lease_ms],
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    return Claim(
        id=claim_id,
        stage=stage,
        ids=sorted(object_id for object_id, attempts in rows if attempts <= MAX_CLAIMS),
        poisoned=sorted(object_id for object_id, attempts in rows if attempts > MAX_CLAIMS),
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


def postpone(ids: Collection[UUID], *, delay_ms: int) -> None:
    """Let work that nobody holds be due later."""
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_TABLE} SET due_at = clock_timestamp() + %s * interval '1 millisecond'"
            " WHERE object_id = ANY(%s::uuid[]) AND claim_id IS NULL",
            [delay_ms, arrays.literal(ids)],
        )


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
