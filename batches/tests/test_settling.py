"""What a settled batch names of the transactions that paid it, and an order of its fills."""

from uuid import uuid4

from django.db import transaction

from batches import selectors
from batches.coordination import settling
from batches.coordination.settling import NAMED_SETTLEMENTS
from batches.models import Batch, BatchFill, Market, Packet, Transfer
from batches.selectors import SHOWN_FILLS
from batches.tests import making, rows
from batches.tests.history import analyze, rows_read
from fairlane.core.models import Event

MANY = NAMED_SETTLEMENTS + 5


def paid(market: Market, batch: Batch, number: int, status: str) -> None:
    """Two payouts of a batch, in a transaction of their own."""
    packet = Packet.objects.create(
        id=uuid4(),
        direction="PAY",
        tick=batch.tick,
        signature=f"signature {number:02}",
        transaction=b"",
        first_slot=1,
        last_valid_block_height=2,
    )
    for half in range(2):
        Transfer.objects.create(
            id=uuid4(),
            direction="PAY",
            market=market,
            mint=rows.QUOTE,
            wallet=f"owner {number} {half}",
            amount=5,
            batch=batch,
            status=status,
            packet=packet,
            position=half,
        )


def test_some_of_the_transactions_that_paid_are_named_and_all_are_counted(db: None) -> None:
    market = rows.market()
    batch = rows.batch(market, 7, "CLEARED")
    for number in range(MANY):
        paid(market, batch, number, "DONE")
    paid(market, batch, MANY, "DROPPED")
    with transaction.atomic():
        settling.settle([batch.id])
    named = [f"signature {number:02}" for number in range(NAMED_SETTLEMENTS)]
    (shown,) = selectors.shown(selectors.batches(market))
    assert (shown["settlementSignatures"], shown["settlementCount"]) == (named, MANY)
    told = Event.objects.get(object_id=batch.id, status="SETTLED").data
    assert (told["settlements"], told["settlementCount"]) == (named, MANY)


def test_an_order_shows_its_newest_fills_and_reads_no_others(db: None) -> None:
    market = rows.market()
    order = rows.order(market, record=bytes(making.order()))
    first = rows.batch(market, 1)
    batches = [
        Batch(id=f"{n:016x}{market.id:016x}", market=market, tick=first.tick, number=n)
        for n in range(2, 40 * SHOWN_FILLS + 1)
    ]
    Batch.objects.bulk_create(batches)
    BatchFill.objects.bulk_create(
        BatchFill(batch=batch, order=order, lots=1, quote=1, fee=0) for batch in batches
    )
    analyze()
    shown = selectors.order_detail(order)["fills"]
    newest = [batch.number for batch in batches[-SHOWN_FILLS:]]
    assert [fill["batchNo"] for fill in shown] == newest
    assert rows_read(lambda: selectors.order_detail(order)) < 3 * SHOWN_FILLS
