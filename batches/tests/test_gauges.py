"""What health and metrics tell of the clock of slots, plans and vaults."""

import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from uuid_utils.compat import uuid7

from batches import gauges
from batches.models import (
    Account,
    Direction,
    Market,
    SlotReading,
    Transfer,
    VaultBalance,
    VaultCheck,
)
from batches.tests import rows
from fairlane.core import gauges as core_gauges
from fairlane.core import health, metrics, switches

pytestmark = pytest.mark.django_db

MINT = "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN"
LONG_AGO = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def just_started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(core_gauges, "_started_at", time.monotonic())
    health._kept.clear()
    yield
    health._kept.clear()


def market(name: str = "JUP-USDC", ahead: Iterable[int] = range(9), **columns: Any) -> Market:
    """One that has batches planned so many seconds ahead."""
    values: dict[str, Any] = {
        "name": name,
        "address": name,
        "base_symbol": "JUP",
        "base_mint": MINT,
        "base_decimals": 6,
        "quote_symbol": "USDC",
        "quote_mint": "quote",
        "quote_decimals": 6,
        "lot": 10**6,
        "tick": 1_000,
        "fee_bps": 10,
        "reference": 500,
        "coordinator": "coordinator",
        "receipt_key": "receipts",
        "created_at": timezone.now() - LONG_AGO,
    }
    its = Market.objects.create(**values | columns)
    for seconds in ahead:
        rows.batch(its, int(time.time()) + seconds, "PLANNED")
    return its


def reading(**columns: Any) -> SlotReading:
    spread = {"p50": 3.0, "p95": 9.5, "p99": 14.0, "count": 40}
    values: dict[str, Any] = {
        "slot": 1_000,
        "at_ms": time.time() * 1_000,
        "slot_ms": 400.25,
        "degraded": False,
        "errors": {"10": spread},
    }
    return SlotReading.objects.create(**values | columns)


def part() -> dict[str, Any]:
    health._kept.clear()
    found: dict[str, Any] = health.overview()["parts"]["batches"]
    return found


def test_batches_that_are_planned_on_a_running_clock_are_well() -> None:
    reading()
    market()
    market("OLD-USDC", ahead=(), active=False)
    VaultCheck.objects.create(mint=MINT, on_chain=5, in_ledger=5, slot=990)
    found = part()
    assert (found["status"], found["slot"], found["slotMs"]) == ("ok", 1_000, 400.2)
    assert found["markets"] == 1
    assert found["plannedAhead"] in (7, 8)
    assert found["readSecondsAgo"] < 5
    assert found["vaultsComparedSecondsAgo"] < 5
    assert health.overview()["services"]["batches"] == "up"


def test_a_clock_that_is_degraded_or_silent_is_told() -> None:
    only = reading(degraded=True)
    assert part()["reason"] == "the clock of slots is degraded, nothing new is reserved"
    SlotReading.objects.filter(id=only.id).update(updated_at=timezone.now() - LONG_AGO)
    assert part()["reason"] == "nobody has read the clock of slots for 300 s"


def test_a_clock_that_was_never_read_is_given_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = part()
    assert (found["status"], found["slot"], found["plannedAhead"]) == ("ok", None, None)
    monkeypatch.setattr(core_gauges, "_started_at", time.monotonic() - gauges.SILENT_SECONDS - 1)
    assert part()["reason"] == "nobody has read the clock of slots for 31 s"


def test_a_slow_coordinator_is_given_its_own_pace(settings: Settings) -> None:
    settings.BATCH_PLAN_INTERVAL = 60_000
    reading(updated_at=timezone.now() - timedelta(seconds=90))
    assert part()["status"] == "ok"


def test_markets_without_batches_ahead_are_named() -> None:
    reading()
    market("NEW-USDC", ahead=(), created_at=timezone.now())
    assert part()["status"] == "ok"
    for number in range(7):
        # What is planned for a time that is far away helps nobody.
        market(f"M{number}-USDC", ahead=(1_800, 1_801), planned_until=int(time.time()) + 1_801)
    named = ", ".join(f"M{number}-USDC" for number in range(5))
    assert part()["reason"] == f"no batches are planned ahead of {named} and 2 more"


def test_a_vault_that_differs_is_told_with_whatever_else_is_wrong() -> None:
    reading(degraded=True)
    VaultCheck.objects.create(
        mint=MINT, on_chain=4, in_ledger=5, slot=990, differs_since=timezone.now()
    )
    reasons = part()["reason"].split("; ")
    assert len(reasons) == 2
    assert reasons[1] == f"the vault holds less than the ledger says of {MINT}"
    assert gauges.vault_differs() == {(MINT,): 1.0}


def test_metrics_tell_of_slots_plans_transfers_and_vaults() -> None:
    reading()
    its = market()
    switches.set_switch(name=its.switch, on=False, by="test", reason="a look")
    switches.forget()
    VaultBalance.objects.create(market=its, mint=MINT, account=Account.ESCROW, amount=-7)
    VaultCheck.objects.create(mint=MINT, on_chain=8, in_ledger=5, difference=3, slot=990)
    for status in ("DUE", "REVIEW", "REVIEW", "DONE"):
        Transfer.objects.create(
            id=uuid7(),
            direction=Direction.PAY,
            market=its,
            mint=MINT,
            wallet="owner",
            amount=1,
            status=status,
        )
    text = metrics.render().decode()
    for line in (
        "fairlane_slot 1000.0",
        "fairlane_slot_milliseconds 400.25",
        "fairlane_slot_clock_degraded 0.0",
        'fairlane_slot_error_milliseconds{quantile="p95",slots_ahead="10"} 9.5',
        'fairlane_batches_ahead{market="JUP-USDC"}',
        'fairlane_market_paused{market="JUP-USDC"} 1.0',
        'fairlane_transfers_open{direction="PAY",status="REVIEW"} 2.0',
        f'fairlane_vault_balance{{account="escrow",market="JUP-USDC",mint="{MINT}"}} -7.0',
        f'fairlane_vault_differs{{mint="{MINT}"}} 0.0',
        f'fairlane_vault_difference{{mint="{MINT}"}} 3.0',
    ):
        assert line in text
    assert 'status="DONE"' not in text
    assert 'quantile="count"' not in text
