"""The coordinator's command: what it prints, and that it does what beat's tasks do."""

import io
import signal
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from batches import coordinator, periodic, planning
from batches.models import Batch, BookEntry, Market, VaultCheck
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
    told = coordinate(lambda told: f"planned {market.name} batch" in told)
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
    with pytest.raises(ExceptionGroup, match="parts of the pass"):
        coordinator.plan()
    assert read(order).status == "EXPIRED"


def test_without_keys_there_is_nothing_to_coordinate(settings: Settings) -> None:
    settings.BATCHES_KEYS_DIR = None
    with pytest.raises(CommandError, match="BATCHES_KEYS_DIR"):
        call_command("coordinator")
