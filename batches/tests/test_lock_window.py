"""The lock window of a market: who is in the book so near to a cutoff stays in."""

from typing import Any

import pytest

from batches import acceptance, coordinator, offers, registry
from batches.calendar import MIN_LEAD_SLOTS
from batches.models import Batch, BatchOrder, Market, SlotReading, Tick
from batches.records import OrderType, Side, TimeInForce
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import Chain
from batches.tests.test_orders import cancelled, offer, opened, still
from fairlane.core import switches
from fairlane.core.errors import Problem


def test_in_the_lock_window_only_improvements_are_taken(chain: Chain) -> None:
    market = chain.open_market(lock_ms=60_000)
    order = place(market, limit=400)
    driving.escrowed(order)
    with pytest.raises(Problem) as problem:
        driving.run_until(lambda: cancelled(order))
    assert problem.value.code == "locked"


@pytest.fixture
def locked(chain: Chain) -> BatchOrder:
    """A sell in the book whose next cutoff is near, by a clock that stands still."""
    market = chain.open_market(lock_ms=60_000)
    expiry, fee = 10**8, market.fee_bps + 1
    order = opened(place(market, side=Side.SELL, expiry_slot=expiry, max_fee_bps=fee, from_slot=1))
    coordinator.plan()
    market.refresh_from_db()
    still(market)
    BatchOrder.objects.update(batch_no=0)
    SlotReading.objects.update(slot_ms=10_000)
    registry.forget()
    return BatchOrder.objects.select_related("market").get(id=order.id)


def better(order: BatchOrder, **changes: Any) -> offers.Offer:
    """A sell like the fixture's, for a tick less."""
    same = {"expiry_slot": 10**8, "max_fee_bps": order.market.fee_bps + 1, "from_slot": 1}
    values = {"side": Side.SELL, "limit": 499, **same, **changes}
    return offer(order.market, **values)


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": 501},
        {"quantity": 9},
        {"quantity": 11},  # for which escrow would have to be pulled
        {"from_slot": 10**8},
        {"expiry_slot": 10**8 - 1},
        {"max_fee_bps": 10},
        {"time_in_force": TimeInForce.ONE_BATCH},
        {"type": OrderType.MARKET},
    ],
    ids=str,
)
def test_what_would_leave_the_batch_or_ask_for_less_in_it_is_no_improvement(
    locked: BatchOrder, changes: dict[str, Any]
) -> None:
    with pytest.raises(Problem) as problem:
        acceptance.replace(locked.id, better(locked, **changes), by="key:1")
    assert (problem.value.status, problem.value.code) == (409, "locked")
    assert read(locked).status == "OPEN"


def test_an_improvement_stays_in_the_batch(locked: BatchOrder) -> None:
    (first, *_) = Batch.objects.filter(status="PLANNED").order_by("number")
    id_ = acceptance.replace(locked.id, better(locked), by="key:1")
    new = BatchOrder.objects.get(id=id_)
    assert (new.status, new.batch_no) == ("OPEN", first.number)


def test_who_is_in_a_batch_that_is_past_its_cutoff_and_not_closed_stays_in(
    locked: BatchOrder,
) -> None:
    first = Tick.objects.filter(status="PLANNED").order_by("number")[0]
    Tick.objects.filter(id=first.id).update(target_slot=1_000 + MIN_LEAD_SLOTS)
    Market.objects.update(lock_ms=1)
    with pytest.raises(Problem, match="near to the cutoff"):
        acceptance.cancel(locked.id, reason="a last look")
    with pytest.raises(Problem, match="near to the cutoff"):
        acceptance.replace(locked.id, better(locked), by="key:1")
    assert read(locked).status == "OPEN"


def test_where_nothing_is_planned_nothing_is_locked(locked: BatchOrder) -> None:
    Batch.objects.filter(status="PLANNED").delete()
    acceptance.cancel(locked.id, reason="asked for")
    assert read(locked).status == "CANCELLED"


def test_a_tick_that_waits_for_a_person_locks_nobody_in(locked: BatchOrder) -> None:
    first = Tick.objects.filter(status="PLANNED").order_by("number")[0]
    Tick.objects.filter(id=first.id).update(target_slot=500, status="REVIEW")
    Market.objects.update(lock_ms=1)
    acceptance.cancel(locked.id, reason="asked for")
    assert read(locked).status == "CANCELLED"


def test_in_a_paused_market_nothing_is_locked(locked: BatchOrder) -> None:
    switches.set_switch(name=locked.market.switch, on=False, by="tests", reason="a look")
    acceptance.cancel(locked.id, reason="asked for")
    assert read(locked).status == "CANCELLED"
