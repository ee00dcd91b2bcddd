"""What the tables tell about the clock of slots, plans and vaults: for /metrics and /health."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet

from batches import registry
from batches.calendar import ESCROW_SLOTS, MIN_LEAD_SLOTS, SLOWEST_MS
from batches.models import Batch, Market, SlotReading, Transfer, VaultBalance, VaultCheck
from batches.states import OPEN_TRANSFER
from fairlane.core import health, metrics, switches
from fairlane.core.gauges import age

# The coordinator reads the clock in every pass, by default once a second.
SILENT_SECONDS = 30
QUANTILES = ("p50", "p95", "p99")
# Names that a reason of the overview holds, before it says how many more there are.
MAX_NAMES = 5


@metrics.gauge("fairlane_slot", "The slot that was running at the last reading")
def slot() -> metrics.Samples:
    return _of_reading(lambda reading: float(reading.slot))


@metrics.gauge("fairlane_slot_age_seconds", "Time since the clock of slots was read")
def slot_age() -> metrics.Samples:
    return _of_reading(lambda reading: age(reading.updated_at))


@metrics.gauge("fairlane_slot_milliseconds", "Milliseconds per slot")
def slot_milliseconds() -> metrics.Samples:
    return _of_reading(lambda reading: reading.slot_ms)


@metrics.gauge("fairlane_slot_clock_degraded", "Whether nothing is reserved and nothing expires")
def slot_clock_degraded() -> metrics.Samples:
    return _of_reading(lambda reading: float(reading.degraded))


@metrics.gauge(
    "fairlane_slot_error_milliseconds",
    "How wrong predictions of slots were, by slots ahead",
    ["slots_ahead", "quantile"],
)
def slot_errors() -> metrics.Samples:
    return {
        (horizon, quantile): float(spread[quantile])
        for reading in SlotReading.objects.all()
        for horizon, spread in reading.errors.items()
        for quantile in QUANTILES
    }


@metrics.gauge("fairlane_batches_ahead", "Batches that are planned and still to come", ["market"])
def batches_ahead() -> metrics.Samples:
    return {(market.name,): float(_ahead(market)) for market in _active()}


@metrics.gauge("fairlane_market_paused", "Whether an operator or a check paused it", ["market"])
def market_paused() -> metrics.Samples:
    return {(market.name,): float(not switches.is_on(market.switch)) for market in _active()}


@metrics.gauge(
    "fairlane_transfers_open", "Transfers without an outcome yet", ["direction", "status"]
)
def transfers_open() -> metrics.Samples:
    found = Transfer.objects.filter(status__in=OPEN_TRANSFER).order_by()
    counted = found.values_list("direction", "status").annotate(Count("id"))
    return {(direction, status): float(count) for direction, status, count in counted}


@metrics.gauge(
    "fairlane_vault_balance", "Atoms of an account of the ledger", ["market", "mint", "account"]
)
def vault_balances() -> metrics.Samples:
    rows = VaultBalance.objects.select_related("market")
    return {(row.market.name, row.mint, row.account): float(row.amount) for row in rows}


@metrics.gauge(
    "fairlane_vault_difference",
    "Atoms in the vault beyond the ledger, negative where it lacks them",
    ["mint"],
)
def vault_difference() -> metrics.Samples:
    return {(check.mint,): float(check.difference) for check in VaultCheck.objects.all()}


@metrics.gauge("fairlane_vault_differs", "Whether the vault lacks what the ledger says", ["mint"])
def vault_differs() -> metrics.Samples:
    rows = VaultCheck.objects.all()
    return {(check.mint,): float(check.differs_since is not None) for check in rows}


@metrics.gauge("fairlane_vault_check_age_seconds", "Time since they were compared", ["mint"])
def vault_check_age() -> metrics.Samples:
    return {(check.mint,): age(check.at) for check in VaultCheck.objects.all()}


def register_parts() -> None:
    """Let the health overview tell of the batches."""
    health.part("batches")(_batches)


def _batches() -> Mapping[str, Any]:
    """Slots are known, batches are planned ahead, and the vaults hold what the ledger says."""
    reading = SlotReading.objects.first()
    markets = list(_active())
    checks = list(VaultCheck.objects.all())
    wrong = [*_wrong_with_clock(reading), *_wrong_with_plans(markets), *_wrong_with_vaults(checks)]
    if wrong:
        raise health.Failing("; ".join(wrong))
    return {
        "slot": reading.slot if reading else None,
        "slotMs": round(reading.slot_ms, 1) if reading else None,
        "readSecondsAgo": round(age(reading.updated_at if reading else None), 1),
        "markets": len(markets),
        "plannedAhead": min(map(_ahead, markets), default=None),
        "vaultsComparedSecondsAgo": max((round(age(c.at), 1) for c in checks), default=None),
    }


def _wrong_with_clock(reading: SlotReading | None) -> Iterator[str]:
    seconds = age(reading.updated_at if reading else None)
    if seconds > _patience():
        yield f"nobody has read the clock of slots for {seconds:.0f} s"
    elif reading is not None and reading.degraded:
        yield "the clock of slots is degraded, nothing new is reserved"


def _wrong_with_plans(markets: list[Market]) -> Iterator[str]:
    # A market that was opened just now is planned for in the next pass.
    late = [m.name for m in markets if not _ahead(m) and age(m.created_at) > _patience()]
    if late:
        yield f"no batches are planned ahead of {_listed(late)}"


def _wrong_with_vaults(checks: list[VaultCheck]) -> Iterator[str]:
    differing = [check.mint for check in checks if check.differs_since is not None]
    if differing:
        yield f"the vault holds less than the ledger says of {_listed(differing)}"


def _of_reading(figure: Callable[[SlotReading], float]) -> metrics.Samples:
    reading = SlotReading.objects.first()
    return {} if reading is None else {(): figure(reading)}


def _patience() -> float:
    """Seconds without a pass after which something is wrong."""
    return max(SILENT_SECONDS, 3 * settings.BATCH_PLAN_INTERVAL / 1_000)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _active() -> QuerySet[Market]:
    return Market.objects.filter(active=True).order_by("name")


def _ahead(market: Market) -> int:
    """Batches planned after the one whose time is running; one that is further ahead than planning
    looks is of no use to who places an order now."""
    running = int(time.time() * 1_000) // market.cadence_ms
    lead_ms = max(registry.cutoff_lead_ms(market.cadence_ms), MIN_LEAD_SLOTS * SLOWEST_MS)
    slack = (lead_ms + ESCROW_SLOTS * SLOWEST_MS) // market.cadence_ms + 1
    last = running + slack + (market.look_ahead or settings.BATCH_LOOK_AHEAD)
    planned = Batch.objects.filter(market=market, status="PLANNED")
    return planned.filter(number__gt=running, number__lte=last).count()
