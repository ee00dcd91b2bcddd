"""What the rows of reservations tell, whatever the venue says of them."""

from contextlib import ExitStack

import pytest
from django.db.transaction import atomic
from uuid_utils.compat import uuid7

from batches import reservations
from batches.models import Lane, Packet, Reservation, Tick
from batches.moving import lanes
from chains.blockspace import Receipt
from fairlane.core.tests.concurrency import at_the_same_time, wait_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True)


def test_reservations_are_locked_in_one_order(db: None) -> None:
    ticks = [
        Tick.objects.create(id=uuid7(), cadence_ms=600, number=number, status="PLANNED")
        for number in range(2)
    ]
    first, second = (
        Reservation.objects.create(
            id=uuid7(), tick=tick, slot=1, units=1, price=1, state="BIDDING", venue_id=str(tick.id)
        )
        for tick in ticks
    )
    told = [
        Receipt(seq, row.venue_id, str(row.id), "outbid", None, "", 0)
        for seq, row in enumerate((second, first), start=1)
    ]
    with ExitStack() as both, atomic():
        Reservation.objects.select_for_update().get(id=first.id)
        both.enter_context(at_the_same_time(lambda: reservations.take(told)))
        wait_for_a_lock()
        # Who waits for the first has no other.
        Reservation.objects.select_for_update(nowait=True).get(id=second.id)
    assert set(Reservation.objects.values_list("state", flat=True)) == {"OUTBID"}


@pytest.mark.parametrize(
    ("lane", "state", "slots", "shown"),
    [
        (Lane.AOT, "INCLUDED", [100], Lane.AOT),
        (Lane.AOT, "SUBMITTED", [100, 100], Lane.AOT),
        (Lane.AOT, "SUBMITTED", [101], Lane.NORMAL),
        (Lane.AOT, "SUBMITTED", [100, 101], Lane.NORMAL),
        (Lane.AOT, "FAILED", [100], Lane.NORMAL),
        (Lane.JIT, "PRECONFIRMED", [100, 103], Lane.JIT),
        (Lane.JIT, "PRECONFIRMED", [104], Lane.NORMAL),
        (Lane.AOT, "WON", [], Lane.AOT),
    ],
)
def test_reserved_is_what_landed_where_it_was_reserved(
    db: None, lane: Lane, state: str, slots: list[int], shown: Lane
) -> None:
    tick = Tick.objects.create(id=uuid7(), cadence_ms=600, number=1, status="CLEARED", lane=lane)
    Reservation.objects.create(id=uuid7(), tick=tick, slot=100, units=1, price=1, state=state)
    for slot in slots:
        Packet.objects.create(
            id=uuid7(),
            direction="PAY",
            tick=tick,
            status="CONFIRMED",
            signature=str(uuid7()),
            transaction=b"",
            first_slot=90,
            last_valid_block_height=200,
            slot=slot,
        )
    lanes.decide([tick.id])
    tick.refresh_from_db()
    assert tick.lane == shown
