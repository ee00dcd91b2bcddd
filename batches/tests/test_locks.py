"""Planning, accepting and clearing go on beside each other."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from batches import coordinator
from batches.models import BatchOrder, Market
from batches.records import Side
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import OWNERS, Chain

pytestmark = pytest.mark.django_db(transaction=True)


def test_everything_at_once_waits_for_nothing_for_ever(chain: Chain) -> None:
    markets = [chain.open_market(f"M{n}") for n in range(3)]
    orders = [
        place(market, owner, side=side, limit=500, quantity=3)
        for market in markets
        for owner, side in ((OWNERS[0], Side.BUY), (OWNERS[1], Side.SELL))
    ]
    stop, failures = threading.Event(), []

    def repeat(step: Callable[[], object]) -> None:
        try:
            while not stop.is_set():
                step()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    def accept() -> None:
        for market in markets[::-1]:
            driving.accept(market, driving.signed(market, OWNERS[2], limit=300))

    threads = [
        threading.Thread(target=repeat, args=[step])
        for step in (coordinator.plan, coordinator.plan, accept)
    ]
    for thread in threads:
        thread.start()
    try:
        driving.run_until(lambda: all(read(order).status == "FILLED" for order in orders))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    for market in Market.objects.all():
        receipts = BatchOrder.objects.filter(market=market).order_by("receipt_seq")
        numbers = list(receipts.values_list("receipt_seq", flat=True))
        assert numbers == list(range(1, market.receipt_seq + 1))
