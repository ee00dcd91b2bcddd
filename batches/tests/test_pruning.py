"""Empty ticks go when they are old; what is part of the books stays."""

from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from django.utils import timezone

from batches import pruning
from batches.models import Reservation, ReservationReceipt, Tick
from batches.tests import rows

pytestmark = pytest.mark.django_db
OLD = pruning.KEPT + timedelta(minutes=1)
_numbers = count(1)


def tick(status: str = "EMPTY", *, age: timedelta = OLD) -> Tick:
    return Tick.objects.create(
        id=uuid4(),
        cadence_ms=1_000,
        number=next(_numbers),
        status=status,
        created_at=timezone.now() - age,
    )


def bid(for_: Tick, state: str = "CANCELLED", *, charged: int = 0) -> Reservation:
    made = Reservation.objects.create(
        id=uuid4(), tick=for_, slot=1, units=1, price=1, state=state, charged=charged
    )
    Reservation.objects.filter(id=made.id).update(venue_id=f"r{for_.number}")
    ReservationReceipt.objects.create(seq=for_.number, venue_id=f"r{for_.number}", kind="outbid")
    return made


def left() -> set[Tick]:
    pruning.prune()
    return set(Tick.objects.all())


def test_an_old_one_goes_with_its_bids_and_their_receipts() -> None:
    bid(tick())
    other = bid(tick("SETTLED"))
    assert left() == {other.tick}
    assert list(Reservation.objects.all()) == [other]
    assert [receipt.seq for receipt in ReservationReceipt.objects.all()] == [other.tick.number]


def test_a_young_one_stays() -> None:
    young = tick(age=pruning.KEPT - timedelta(minutes=1))
    assert left() == {young}


@pytest.mark.parametrize("status", ["PLANNED", "CLOSED", "SETTLED", "FAILED", "REVIEW"])
def test_only_empty_ones_go(status: str) -> None:
    kept = tick(status)
    assert left() == {kept}


def test_what_was_paid_for_stays() -> None:
    paid = bid(tick(), "EXPIRED_UNUSED", charged=5).tick
    assert left() == {paid}


def test_a_bid_that_may_still_win_stays() -> None:
    bidding = bid(tick(), "BIDDING").tick
    assert left() == {bidding}


def test_a_batch_that_is_shown_keeps_its_tick() -> None:
    its = tick()
    rows.batch(rows.market(), its.number, "VOIDED")
    assert left() == {its}
