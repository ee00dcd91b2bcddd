"""The coordinator's command: what it prints, and that it does what beat's tasks do."""

import io
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings
from uuid_utils.compat import uuid7

from batches import coordinator, expiring, periodic, planning, timekeeping
from batches.management.commands import coordinator as command
from batches.models import (
    Batch,
    BatchOrder,
    BookEntry,
    Market,
    Reservation,
    Tick,
    VaultCheck,
)
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import COORDINATOR, Chain
from batches.tests.waiting import until
from fairlane.core import claims

pytestmark = pytest.mark.django_db(transaction=True)


def coordinate(until_so: Callable[[str], object]) -> str:
    """Run the command until something is so of what it has told; returns all of it."""
    out = io.StringIO()

    def stop() -> None:
        try:
            until(lambda: until_so(out.getvalue()))
        finally:
            connection.close()
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        call_command("coordinator", stdout=out)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
        stopping.join()
    return out.getvalue()


def test_it_tells_what_it_coordinates_and_plans_until_it_is_told_to_stop(
    chain: Chain, market: Market
) -> None:
    coordinator.plan()
    nearest = Batch.objects.order_by("number")[0].number
    told = coordinate(lambda told: f"planned {market.name} batch" in told)
    following = re.findall(rf"next       {market.name} batch (\d+): slot \d+, in [\d.-]+ s", told)
    assert len(following) == 5 and int(following[0]) - nearest in range(20)
    assert ":***@" in told and "postgresql://" in told
    assert str(COORDINATOR.pubkey()) in told
    assert "100 batches per minute, fee 0.1 %" in told
    assert "none are reserved: RAIKU_URL is not set" in told
    assert told.rstrip().endswith("stopped after the pass")
    assert Batch.objects.filter(status="PLANNED").count() >= 10


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (coordinator, "plan"),
        (coordinator, "reserve"),
        (coordinator, "reconcile"),
        (claims, "backlog"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_it_outlives_a_database_that_hangs_up(
    chain: Chain, market: Market, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    order = place(market, limit=400)
    monkeypatch.setattr(periodic, "RECONCILE_S", 0.1)
    does, failed = getattr(module, name), threading.Event()

    def hangs_up_once(*args: Any) -> Any:
        if not failed.is_set():
            failed.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        again.append(name)
        return does(*args)

    again: list[str] = []
    monkeypatch.setattr(module, name, hangs_up_once)
    told = coordinate(
        lambda told: again and VaultCheck.objects.exists() and read(order).status == "OPEN"
    )
    assert failed.is_set()
    assert told.rstrip().endswith("stopped after the pass")


def test_owners_get_their_money_back_whatever_becomes_of_the_schedule(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place(market, limit=400)
    driving.escrowed(order)
    driving.run_until(lambda: read(order).batch_id is None and read(order).status == "OPEN")
    BookEntry.objects.update(expiry_slot=1)
    monkeypatch.setattr(planning, "plan", lambda moment: 1 // 0)

    def is_expired() -> bool:
        with pytest.raises(ExceptionGroup, match="parts of the pass"):
            coordinator.plan()
        return read(order).status == "EXPIRED"

    until(is_expired)


def in_the_book(market: Market) -> BatchOrder:
    """An order in no batch, after the chain was listened to for a while."""
    order = place(market, limit=400)
    driving.escrowed(order)
    driving.run_until(lambda: read(order).batch_id is None and read(order).status == "OPEN")
    until(lambda: not timekeeping.now().degraded)
    return order


def test_no_order_expires_by_a_clock_that_may_be_ahead_of_the_chain(market: Market) -> None:
    order = in_the_book(market)
    BookEntry.objects.update(expiry_slot=1)
    moment = timekeeping.now()
    assert expiring.expire(replace(moment, degraded=True)) == 0
    assert read(order).status == "OPEN"
    assert expiring.expire(replace(moment, degraded=False)) == 1
    assert read(order).status == "EXPIRED"


def test_cancelled_orders_end_by_any_clock(market: Market) -> None:
    order = in_the_book(market)
    BatchOrder.objects.filter(id=order.id).update(cancelling=True)
    BookEntry.objects.update(expiry_slot=0)
    assert expiring.expire(replace(timekeeping.now(), degraded=True)) == 1
    assert read(order).status == "CANCELLED"


@pytest.mark.parametrize("wrong_ms", [-1_800_000, 1_800_000])
def test_a_host_whose_clock_is_wrong_plans_and_closes_as_the_others_would(
    market: Market, monkeypatch: pytest.MonkeyPatch, wrong_ms: int
) -> None:
    moment = timekeeping.now()
    own = timekeeping.now
    monkeypatch.setattr(
        timekeeping, "now", lambda: replace(own(), unix_ms=time.time() * 1_000 + wrong_ms)
    )
    assert coordinator.plan().planned >= 10
    ahead = [number * market.cadence_ms / 1_000 - time.time() for number in numbers()]
    assert -60 < min(ahead) < max(ahead) < 60
    tick = Tick.objects.filter(status="PLANNED").order_by("number")[0]
    assert tick.target_slot == pytest.approx(moment.slot_at(tick.executes_at_ms), abs=5)

    def is_closed() -> bool:
        coordinator.advance()
        return not Tick.objects.filter(id=tick.id, status="PLANNED").exists()

    until(is_closed)


def numbers() -> list[int]:
    return list(Batch.objects.values_list("number", flat=True))


def test_what_was_planned_by_a_wrong_clock_keeps_nothing_nearer_from_being_planned(
    market: Market,
) -> None:
    far = int(time.time() + 1_800) * 1_000 // market.cadence_ms
    Market.objects.update(planned_until=far)
    assert coordinator.plan().planned >= 10
    assert Market.objects.get().planned_until == far
    assert coordinator.plan().planned <= 2


def test_a_pass_over_many_batches_is_told_in_few_lines_and_queries(
    market: Market, settings: Settings, django_assert_max_num_queries: Any
) -> None:
    settings.BATCH_LOOK_AHEAD = 50
    done = coordinator.plan()
    assert done.moment is not None
    nearest = Batch.objects.order_by("number")[0]
    bid = Reservation.objects.create(id=uuid7(), tick=nearest.tick, slot=1, units=1, price=1)
    out = io.StringIO()
    with django_assert_max_num_queries(3):
        command.Command(stdout=out)._tell_planned(done.planned, done.moment)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith(f"planned {market.name} batch {nearest.number}: slot ")
    assert lines[0].endswith(f"reservation {bid.id}")
    assert lines[1].endswith("no reservation")
    assert lines[command.MAX_LINES :] == [f"  and {done.planned - command.MAX_LINES} more"]


def test_no_more_is_counted_than_takes_a_moment(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator.plan()
    assert command._count(Batch.objects.all()) == str(Batch.objects.count())
    monkeypatch.setattr(command, "MAX_COUNTED", 3)
    assert command._count(Batch.objects.all()) == "more than 3"


def test_without_keys_there_is_nothing_to_coordinate(settings: Settings) -> None:
    settings.BATCHES_KEYS_DIR = None
    with pytest.raises(CommandError, match="BATCHES_KEYS_DIR"):
        call_command("coordinator")
