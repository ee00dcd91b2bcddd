"""The first page of the back office: how the service does, at bounded cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone

from fairlane.core import claims
from fairlane.core.admin.switches import known_switches
from fairlane.core.gauges import SILENT_SECONDS, STUCK_SECONDS
from fairlane.core.models import Heartbeat, Work
from orders.admin.charts import Chart, Minute, draw
from orders.stages import TASKS

# Many people may look at once, and the page asks again every few seconds.
CACHE_SECONDS = 2
# Figures are kept for so many times the time they took: looking takes a twentieth of a core.
REST = 20
# What is read per window at most, newest first: a second's work, and an hour of 28 orders/s.
MAX_ORDERS = 100_000
HOUR_MINUTES = 60

_RECENT = """
    WITH recent AS MATERIALIZED (
        SELECT status, failure_kind, created_at, queued_at, updated_at FROM orders_order
        WHERE created_at >= %s ORDER BY created_at DESC, id DESC LIMIT %s
    )
"""
# An order that has ended is never written again, so `updated_at` is when it ended.
_HOUR = f"""{_RECENT}
    SELECT 'accepted', date_trunc('minute', created_at), count(*)::float
    FROM recent GROUP BY 2
    UNION ALL
    SELECT lower(status), date_trunc('minute', updated_at), count(*)
    FROM recent WHERE status IN ('CONFIRMED', 'FAILED') GROUP BY 1, 2
    UNION ALL
    SELECT 'p' || share, NULL, extract(epoch FROM took[nth])
    FROM (
        SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY updated_at - queued_at)
        FROM recent WHERE status = 'CONFIRMED'
    ) AS latency(took), (VALUES (50, 1), (95, 2)) AS wanted(share, nth)
"""
_FAILURES = f"""{_RECENT}
    SELECT failure_kind, count(*) FROM recent WHERE status = 'FAILED' GROUP BY 1 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage's open work.

    Attributes:
        open: rows that are not quarantined, due or not.
        oldest_s: how long the longest waiting of the due rows has waited.
    """

    name: str
    open: int
    due: int
    oldest_s: float

    @property
    def stuck(self) -> bool:
        return self.oldest_s > STUCK_SECONDS


@dataclass(frozen=True, slots=True)
class Pulse:
    """A queue's last sign of life."""

    queue: str
    worker: str
    age_s: float

    @property
    def silent(self) -> bool:
        return self.age_s > SILENT_SECONDS


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The figures of one moment.

    Attributes:
        capped: whether the last hour had more orders than were read; the figures then begin where
            the chart does.
        failures: kind and number of the last day's failures, of the newest `MAX_ORDERS` orders.
        p50_s, p95_s: time from queued to confirmed, of orders of the last hour; None if none.
    """

    at: datetime
    chart: Chart
    accepted: int
    confirmed: int
    failed: int
    capped: bool
    p50_s: float | None
    p95_s: float | None
    failures: list[tuple[str, int]]
    stages: list[Stage]
    in_review: int
    pulses: list[Pulse]
    paused: list[str]

    @property
    def worst_failure(self) -> int:
        return max((count for _, count in self.failures), default=0)


def add_to_index(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK."""
    if request.user.has_perm("orders.view_order"):
        context["dashboard"] = _remembered()
    return context


def _remembered() -> Dashboard:
    figures: Dashboard | None = cache.get("admin.dashboard")
    if figures is None:
        started = time.monotonic()
        figures = read()
        took = time.monotonic() - started
        cache.set("admin.dashboard", figures, max(CACHE_SECONDS, REST * took))
    return figures


def review_badge(request: HttpRequest) -> str:
    """How many orders wait for a person, for the navigation."""
    return str(cache.get_or_set("admin.in_review", _in_review, CACHE_SECONDS))


def read() -> Dashboard:
    """The figures of now; seven queries."""
    now = timezone.now()
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)
    counts: dict[tuple[str, datetime | None], float | None] = {
        (what, minute): value for what, minute, value in _rows(_HOUR, hour)
    }
    minutes = _minutes(counts, now)
    accepted = sum(m.accepted for m in minutes)
    return Dashboard(
        at=now,
        chart=draw(_covered(minutes) if accepted >= MAX_ORDERS else minutes),
        accepted=accepted,
        confirmed=sum(m.confirmed for m in minutes),
        failed=sum(m.failed for m in minutes),
        capped=accepted >= MAX_ORDERS,
        p50_s=counts["p50", None],
        p95_s=counts["p95", None],
        failures=_rows(_FAILURES, day),
        stages=_stages(),
        in_review=_in_review(),
        pulses=_pulses(now),
        paused=[switch.name for switch in known_switches() if not switch.on],
    )


def _rows(statement: str, since: datetime) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [since, MAX_ORDERS])
        return list(cursor.fetchall())


def _minutes(
    counts: Mapping[tuple[str, datetime | None], float | None], now: datetime
) -> list[Minute]:
    def count(what: str, minute: datetime) -> int:
        return int(counts.get((what, minute)) or 0)

    last = now.replace(second=0, microsecond=0)
    # One more than an hour has: the window begins within a minute and ends within another.
    times = [last - timedelta(minutes=ago) for ago in range(HOUR_MINUTES, -1, -1)]
    return [
        Minute(f"{at:%H:%M}", count("accepted", at), count("confirmed", at), count("failed", at))
        for at in times
    ]


def _covered(minutes: list[Minute]) -> list[Minute]:
    """Without the oldest minutes, of which orders are missing."""
    first = next(at for at, minute in enumerate(minutes) if minute.accepted)
    return minutes[first:]


def _stages() -> list[Stage]:
    due = claims.backlog()
    counted = Work.objects.values_list("stage").annotate(
        open=Count("object_id", filter=Q(quarantined_at=None))
    )
    open_rows = dict(counted)
    return [
        Stage(name, open_rows.get(name, 0), *due.get(name, (0, 0.0)))
        for name in [*TASKS, *sorted(open_rows.keys() - TASKS.keys())]
    ]


def _in_review() -> int:
    """Orders under review are those whose work is put aside: no need to read the orders."""
    return Work.objects.filter(stage__startswith="orders.").exclude(quarantined_at=None).count()


def _pulses(now: datetime) -> list[Pulse]:
    return [
        Pulse(beat.queue, beat.worker, (now - beat.at).total_seconds())
        for beat in Heartbeat.objects.order_by("queue")
    ]
