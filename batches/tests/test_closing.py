"""What a cutoff fixes, what it leaves behind, and who has to wait meanwhile."""

from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from pytest_django import Settings
from solders.compute_budget import set_compute_unit_price
from solders.transaction import Transaction
from uuid_utils.compat import uuid7

from batches import acceptance, coordinator, services, stages, timekeeping
from batches.calendar import ESCROW_SLOTS
from batches.coordination import closing
from batches.models import Batch, BatchOrder, Cadence, Market, Reservation, Tick
from batches.stage_names import CLOSE
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.lagging import Balancer, served, through
from batches.tests.outside import Chain
from batches.tests.waiting import until
from fairlane.core.models import Work
from fairlane.core.tests.concurrency import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


def planned(which: str = "number") -> Tick:
    """The tick that is closed next, or the last one by `-number`."""
    coordinator.plan()
    return Tick.objects.filter(status="PLANNED").order_by(which)[0]


def close(tick: Tick) -> None:
    def is_closed() -> bool:
        stages.stage(CLOSE).run()
        return not Tick.objects.filter(id=tick.id, status="PLANNED").exists()

    until(is_closed)


@pytest.mark.parametrize("state", ["NEW", "BIDDING", "WON", "OUTBID", "CANCELLED"])
def test_an_empty_tick_that_was_bid_for_is_kept(market: Market, state: str) -> None:
    tick = planned()
    Reservation.objects.create(id=uuid7(), tick=tick, slot=1, units=1, price=1, state=state)
    close(tick)
    assert Tick.objects.get(id=tick.id).status == "EMPTY"
    assert Reservation.objects.filter(tick=tick).exists()
    assert not Batch.objects.filter(tick=tick).exists()
    assert not Work.objects.filter(object_id=tick.id).exists()


def test_a_tick_whose_batch_was_called_off_while_it_was_planned_is_kept(market: Market) -> None:
    tick = planned()
    batch = Batch.objects.get(tick=tick)
    services.void(batch.id, by="user:ada", reason="a look at it")
    close(tick)
    assert Tick.objects.get(id=tick.id).status == "EMPTY"
    assert Batch.objects.get(id=batch.id).status == "VOIDED"
    assert not Work.objects.filter(object_id=tick.id).exists()


@pytest.mark.parametrize("status", ["CLOSED", "EMPTY", "SETTLED"])
def test_no_batch_is_planned_beneath_a_tick_that_takes_none(
    chain: Chain, market: Market, status: str
) -> None:
    tick = planned("-number")
    Tick.objects.filter(id=tick.id).update(status=status)
    other = chain.open_market("JUP-USDC-2")
    coordinator.plan()
    beneath = Batch.objects.filter(tick=tick).values_list("market_id", flat=True)
    assert list(beneath) == [market.id]
    assert Batch.objects.filter(market=other).count() >= 5


def test_no_batch_is_planned_beneath_a_tick_that_is_being_closed(
    chain: Chain, market: Market
) -> None:
    tick = planned("-number")
    other = chain.open_market("JUP-USDC-2")
    with transaction.atomic():
        Tick.objects.select_for_update().get(id=tick.id)
        elsewhere(coordinator.plan)
    assert not Batch.objects.filter(tick=tick, market=other).exists()
    assert Batch.objects.filter(market=other).count() >= 5


@pytest.mark.parametrize("cadence_ms", [100, 600])
def test_batches_are_planned_whose_cutoff_is_ahead_and_some_that_escrow_can_be_seen_for(
    chain: Chain, cadence_ms: int
) -> None:
    market = chain.open_market(cutoff_lead_ms=5_000, look_ahead=1, cadence_ms=cadence_ms)
    moment = timekeeping.now()
    coordinator.plan()
    numbers = list(Batch.objects.order_by("number").values_list("number", flat=True))
    cutoffs = [(number + 1) * cadence_ms - 5_000 - moment.unix_ms for number in numbers]
    assert min(cutoffs) > 0
    assert max(cutoffs) > ESCROW_SLOTS * moment.pace.slot_ms
    assert acceptance.slate(market, ESCROW_SLOTS).batch_no in numbers


def test_a_tick_waits_for_the_orders_of_the_one_before_while_it_has_time(chain: Chain) -> None:
    market = chain.open_market(cutoff_lead_ms=5_000)
    tick = planned()
    before = Tick.objects.create(
        id=uuid7(), cadence_ms=market.cadence_ms, number=tick.number - 1, status="CLOSED"
    )
    Cadence.objects.create(cadence_ms=market.cadence_ms, tick=before.number)

    def is_due() -> bool:
        stages.stage(CLOSE).run()
        moment = timekeeping.shared()
        return moment.slot >= closing.timing(tick, moment).cutoff_slot

    until(is_due)
    stages.stage(CLOSE).run()
    assert Tick.objects.get(id=tick.id).status == "PLANNED"
    Tick.objects.filter(id=before.id).update(status="CLEARED")
    close(tick)


def test_a_tick_that_has_to_be_anchored_now_waits_for_nothing(chain: Chain, market: Market) -> None:
    tick = planned()
    Cadence.objects.create(cadence_ms=market.cadence_ms, tick=tick.number - 1)
    Tick.objects.create(
        id=uuid7(), cadence_ms=market.cadence_ms, number=tick.number - 1, status="COMMITTED"
    )
    close(tick)


def test_nobody_accepts_orders_in_a_market_while_its_batch_is_fixed(
    chain: Chain, market: Market
) -> None:
    """Or its receipts would reach beyond the last one that the header names."""
    order = place(market, limit=400)
    driving.escrowed(order)
    refused = []

    def lock_market() -> None:
        with transaction.atomic():
            Market.objects.select_for_update(no_key=True, nowait=True).get(id=market.id)

    def try_it(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "SET batch_id = b.id" in sql:
            with pytest.raises(OperationalError):
                elsewhere(lock_market)
            refused.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(try_it):
        driving.run_until(lambda: refused)
    assert BatchOrder.objects.count() == 1 and read(order).status == "OPEN"


def test_an_anchor_pays_what_others_pay(chain: Chain, market: Market, settings: Settings) -> None:
    order = place(market, limit=400)
    driving.escrowed(order)
    balancer = Balancer(chain)
    balancer.fees = [7_000]
    with served(balancer) as url:
        through(settings, url, chain)
        closed = Tick.objects.filter(anchor_transaction__isnull=False)
        before = set(closed.values_list("id", flat=True))
        driving.run_until(lambda: closed.exclude(id__in=before).exists())
        tick = closed.exclude(id__in=before)[0]
    message = Transaction.from_bytes(bytes(tick.anchor_transaction or b"")).message
    data = [bytes(instruction.data) for instruction in message.instructions]
    assert bytes(set_compute_unit_price(7_000).data) in data
