"""What was decided long ago is not read again: a pass costs what is open, not what there was."""

import pytest

from batches import acceptance, coordinator, expiring, planning, selectors, stages, timekeeping
from batches.models import Batch, BatchOrder, BookEntry, Market, Tick
from batches.stage_names import CLOSE
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.history import analyze, repeat, rows_read
from batches.tests.outside import Chain
from batches.tests.publishing import published
from batches.tests.waiting import until

# So few rows may be read by any step, whatever is over. Some tens are open.
FEW = 1_500


@pytest.fixture
def order(chain: Chain) -> BatchOrder:
    """An open order in a market that has a history, of the same owner as well."""
    market = chain.open_market(owner_cap=10**15)
    order = place(market, limit=400)
    driving.escrowed(order)
    tick = "uuid(md5('tick ' || n))"
    header = f"decode('{bytes(published().header).hex()}', 'hex')"
    repeat(Batch, number="n", tick_id=tick, status="'SETTLED'", header=header)
    repeat(Tick, number="n", id=tick, status="'SETTLED'", anchor_signature="NULL")
    over = {"status": "'FILLED'", "batch_id": "NULL", "remaining": "0"}
    repeat(BatchOrder, hash="sha256(n::text::bytea)", receipt_seq="1000000 + n", **over)
    analyze()
    return order


def test_planning_reads_no_history(order: BatchOrder) -> None:
    Market.objects.update(planned_until=0)
    assert rows_read(lambda: planning.plan(timekeeping.now())) < FEW
    assert rows_read(coordinator.plan) < FEW


def test_expiring_reads_no_history(order: BatchOrder) -> None:
    BatchOrder.objects.filter(id=order.id).update(batch=None)
    BookEntry.objects.update(expiry_slot=1)
    assert rows_read(lambda: expiring.expire(timekeeping.now())) < FEW
    assert read(order).status == "EXPIRED"


def test_accepting_reads_no_history(order: BatchOrder) -> None:
    coordinator.plan()
    body = driving.signed(order.market, limit=300)
    assert rows_read(lambda: driving.accept(order.market, body)) < FEW
    assert rows_read(lambda: acceptance.slate(order.market)) < FEW


def test_what_is_coming_is_found_without_the_history(order: BatchOrder) -> None:
    assert rows_read(lambda: selectors.coming(order.market, 10)) < FEW
    assert len(selectors.coming(order.market, 10)) == 10


def test_prices_are_found_among_batches_that_came_to_no_trade(order: BatchOrder) -> None:
    Batch.objects.filter(number=7).update(price=500, volume=3)
    (found,) = selectors.prices(order.market, 100)
    assert found["batchNo"] == 7
    assert rows_read(lambda: selectors.prices(order.market, 100)) < FEW


@pytest.mark.parametrize("empty", [True, False])
def test_closing_reads_no_history(order: BatchOrder, empty: bool) -> None:
    coordinator.plan()
    BatchOrder.objects.filter(id=order.id).update(batch=None, cancelling=empty)
    first = Tick.objects.filter(status="PLANNED").order_by("number")[0]
    read_by = []

    def is_closed() -> bool:
        read_by.append(rows_read(stages.stage(CLOSE).run))
        return not Tick.objects.filter(id=first.id, status="PLANNED").exists()

    until(is_closed)
    assert max(read_by) < FEW
    assert Tick.objects.filter(id=first.id, status="CLOSED").exists() is not empty
