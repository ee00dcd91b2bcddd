"""The figures on the first page of the back office."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from fairlane.core import switches
from fairlane.core.models import Heartbeat, Work
from orders.admin import dashboard
from orders.admin.charts import HEIGHT, WIDTH, Minute, draw
from orders.models import Order

INDEX = reverse("admin:index")


@pytest.fixture(autouse=True)
def fresh(db: None) -> None:
    cache.clear()


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def ended(status: str, created_at: datetime, took: timedelta, **columns: Any) -> Order:
    """An order that was accepted then and ended that much later."""
    values: dict[str, Any] = {
        "created_by": "key:1",
        "wallet": "w",
        "input_token_id": "a",
        "output_token_id": "b",
        "input_amount": 1,
        "slippage_bps": 50,
        "created_at": created_at,
        "queued_at": created_at,
        "updated_at": created_at + took,
        "status": status,
    }
    if status == "CONFIRMED":
        values |= {"spent_amount": 1, "output_amount": 1, "signature": "s"}
    if status == "FAILED":
        values |= {"failure_kind": "routing"}
    return Order.objects.create(id=uuid7(), **values | columns)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def second(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_throughput_counts_the_last_hour() -> None:
    ended("CONFIRMED", ago(minutes=10), second(1))
    ended("CONFIRMED", ago(minutes=10), second(1))
    ended("FAILED", ago(minutes=20), second(1))
    ended("CANCELLED", ago(minutes=30), second(1))
    ended("CONFIRMED", ago(minutes=61), second(1))
    figures = dashboard.read()
    assert (figures.accepted, figures.confirmed, figures.failed) == (4, 2, 1)
    assert not figures.capped


def test_an_order_counts_in_the_minute_in_which_it_ended() -> None:
    created_at = ago(minutes=10).replace(second=30)
    ended("CONFIRMED", created_at, second(60))
    bars = {bar.minute.label: bar.minute for bar in dashboard.read().chart.bars}
    assert bars[f"{created_at:%H:%M}"] == Minute(f"{created_at:%H:%M}", accepted=1)
    later = f"{created_at + second(60):%H:%M}"
    assert bars[later] == Minute(later, confirmed=1)


def test_latency_is_from_queued_to_confirmed() -> None:
    for took in range(1, 101):
        order = ended("CONFIRMED", ago(minutes=10), second(took))
        Order.objects.filter(id=order.id).update(created_at=ago(minutes=50))
    ended("FAILED", ago(minutes=10), second(500))
    figures = dashboard.read()
    assert figures.p50_s == pytest.approx(50.5)
    assert figures.p95_s == pytest.approx(95.05)


def test_failures_of_the_last_day_are_counted_by_kind() -> None:
    for kind, age in (("slippage", 2), ("routing", 3), ("slippage", 23), ("network", 25)):
        ended("FAILED", ago(hours=age), second(1), failure_kind=kind)
    assert dashboard.read().failures == [("slippage", 2), ("routing", 1)]


def test_no_more_orders_are_read_than_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "MAX_ORDERS", 3)
    times = [ago(minutes=minutes) for minutes in range(1, 6)]
    for created_at in times:
        ended("FAILED", created_at, second(0))
    figures = dashboard.read()
    assert figures.chart.bars[0].minute.label == f"{times[2]:%H:%M}"
    assert (figures.accepted, figures.capped, figures.failures) == (3, True, [("routing", 3)])


def test_stages_tell_their_backlog_and_reviews_are_counted_apart() -> None:
    later = timezone.now() + timedelta(hours=1)
    Work.objects.create(object_id=uuid7(), stage="orders.build", due_at=ago(seconds=90))
    Work.objects.create(object_id=uuid7(), stage="orders.build", due_at=later)
    Work.objects.create(object_id=uuid7(), stage="orders.build", quarantined_at=timezone.now())
    figures = dashboard.read()
    build = next(stage for stage in figures.stages if stage.name == "orders.build")
    assert (build.open, build.due, build.stuck) == (2, 1, True)
    assert build.oldest_s == pytest.approx(90, abs=5)
    idle = next(stage for stage in figures.stages if stage.name == "orders.route")
    assert (idle.open, idle.due, idle.stuck) == (0, 0, False)
    assert figures.in_review == 1


def test_what_is_paused_and_who_is_silent_is_on_the_page(operator: Client) -> None:
    Heartbeat.objects.create(queue="orders", worker="orders@host", at=ago(minutes=5))
    switches.set_switch(name="venue.raydium", on=False, by="test", reason="test")
    ended("FAILED", ago(minutes=5), second(1))
    text = str(operator.get(INDEX).content, "utf-8")
    assert "Paused: venue.raydium" in text
    assert "300 s ago" in text
    assert "<svg" in text
    assert f'href="{reverse("admin:orders_order_changelist")}?failure=routing"' in text


def test_a_capped_page_says_since_when(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "MAX_ORDERS", 1)
    order = ended("FAILED", ago(minutes=2), second(0))
    assert f"accepted since {order.created_at:%H:%M}" in str(operator.get(INDEX).content, "utf-8")


def test_the_page_costs_few_queries_and_none_right_after(operator: Client) -> None:
    with CaptureQueriesContext(connection) as first:
        operator.get(INDEX)
    with CaptureQueriesContext(connection) as second_look:
        operator.get(INDEX)
    # Session and user come on top of the figures and the badge.
    assert len(first) <= 12
    assert len(second_look) <= 2


def test_the_figures_are_for_those_who_may_see_orders(client: Client) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_token"))
    client.force_login(clerk)
    text = str(client.get(INDEX).content, "utf-8")
    assert "Orders per minute" not in text
    assert reverse("admin:orders_token_changelist") in text
    assert reverse("admin:orders_order_changelist") not in text


def test_the_chart_fills_its_height_and_stays_within() -> None:
    chart = draw([Minute("00:00", 4, 1, 1), Minute("00:01"), Minute("00:02", 0, 2, 6)])
    assert chart.top == 8
    tallest = chart.bars[2]
    assert (tallest.failed_y, tallest.failed_height) == (0, HEIGHT * 6 / 8)
    assert tallest.failed_y + tallest.failed_height == tallest.confirmed_y
    assert tallest.x + tallest.width <= WIDTH
    assert chart.line.split()[0] == f"{WIDTH / 6},{HEIGHT / 2}"


def test_a_quiet_hour_draws_a_flat_line() -> None:
    chart = draw([Minute("00:00"), Minute("00:01")])
    assert chart.line == f"{WIDTH / 4},{float(HEIGHT)} {WIDTH * 3 / 4},{float(HEIGHT)}"
