"""Markets and keys as a process knows them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db.models import Max
from django.db.models.functions import Coalesce

from batches.models import BatchOrder, BookEntry, Market, SlotReading
from batches.records import Order
from chains import registry as adapters
from chains.errors import Definitive
from chains.solana.swap import Token, token_account
from fairlane.core.errors import Problem

COORDINATOR, RECEIPTS = "coordinator", "receipts"
T = TypeVar("T")

# What changes slowly is read so often: a reading of slots is good for minutes, and a book grows by
# a percent.
TTL_S = 1.0


def address_of(label: str) -> str:
    """The wallet of a key that is held under this name.

    Raises:
        Definitive: none is.
    """
    for address, name in adapters.batch_keys().labels().items():
        if name == label:
            return address
    raise Definitive(f"no key {label}.json is held")


def slot_reading() -> SlotReading:
    """Where the clock of slots stood; read anew every second.

    Raises:
        Problem: 503, no process has told yet.
    """
    return _fresh("reading", _read)


def _read() -> SlotReading:
    found = SlotReading.objects.first()
    if found is None:
        raise Problem(503, "unavailable", "The clock of slots is not known yet")
    return found


def cutoff_lead_ms(cadence_ms: int) -> int:
    """Milliseconds between cutoff and slot of a cadence's ticks: the longest of its markets', since
    they share the tick. Read anew every second."""
    return _fresh("leads", _leads).get(cadence_ms, settings.CUTOFF_LEAD_MS)


def _leads() -> dict[int, int]:
    rows = Market.objects.filter(active=True).order_by().values_list("cadence_ms")
    return dict(rows.annotate(lead=Max(Coalesce("cutoff_lead_ms", settings.CUTOFF_LEAD_MS))))


def book_size(market_id: int) -> int:
    """About how many open orders a market has; counted anew every second."""
    its = BookEntry.objects.filter(market_id=market_id)
    return _fresh(f"book {market_id}", its.count)


_kept: dict[str, tuple[float, Any]] = {}


def _fresh(name: str, read: Callable[[], T]) -> T:
    """What `read` returned less than a second ago."""
    at, value = _kept.get(name, (float("-inf"), None))
    if time.monotonic() - at >= TTL_S:
        value = read()
        _kept[name] = time.monotonic(), value
    return cast(T, value)


def forget() -> None:
    """Read anew at the next use (in tests)."""
    _kept.clear()


def token(market: Market, mint: str) -> Token:
    """The market's token of this mint."""
    if mint == market.base_mint:
        return Token(mint, market.base_decimals, market.base_token2022)
    return Token(mint, market.quote_decimals, market.quote_token2022)


def vault(market: Market, mint: str) -> str:
    """The token account that holds what the market owes of this mint."""
    return token_account(market.coordinator, token(market, mint))


def order_of(row: BatchOrder) -> Order:
    """The order that its owner has signed."""
    return Order.parse(bytes(row.record))
