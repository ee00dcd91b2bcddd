"""The band follows the price over any gap, and goes nowhere far for one order."""

from dataclasses import replace
from math import ceil, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches import band, merkle
from batches.clearing import Batch, clear_tick
from batches.leaves import Leaves
from batches.records import BPS, NO_HEADER, Header, Leaf, Side
from batches.tests.making import MARKET, leaf

COLLAR_BPS = 500
# What a lot may cost at most, and the lots of an order, so that sums can be counted.
LIMITS, LOTS = st.integers(1, 2**40), st.integers(1, 1_000)
REFERENCES = st.integers(1, 2**40)


def header(reference: int, leaves: list[Leaf]) -> Header:
    return Header(
        market=MARKET,
        batch_no=7,
        target_slot=120,
        cutoff_slot=116,
        count=len(leaves),
        last_seq=3,
        ticks=band.TICKS,
        first_tick=band.first_tick(reference),
        tick=3,
        lot=50,
        reference=reference,
        collar_bps=COLLAR_BPS,
        follows=0,
        fee_bps=25,
        pool_fee_bps=0,
        pool_base=0,
        pool_quote=0,
        previous=NO_HEADER,
        root=merkle.build(map(bytes, leaves)).root,
    )


def meet(reference: int, *orders: Leaf, collar_bps: int = COLLAR_BPS) -> tuple[int, int]:
    """The price of a batch of these orders, and the reference after it."""
    leaves = sorted(orders, key=lambda one: one.order.hash)
    its = replace(header(reference, leaves), collar_bps=collar_bps)
    price = clear_tick([Batch(its, leaves)])[0].price
    data = Leaves.of(leaves)
    return price, band.following(its, price=price, leaves=data)


def pair(buy: int, sell: int, lots: int = 1) -> tuple[Leaf, Leaf]:
    return (
        leaf(0, limit=buy, quantity=lots),
        leaf(1, side=Side.SELL, limit=sell, quantity=lots),
    )


@given(REFERENCES, LIMITS, LIMITS, LOTS)
def test_orders_that_meet_trade_however_far_off_within_as_many_batches_as_the_gap_has_collars(
    reference: int, one: int, another: int, lots: int
) -> None:
    orders = pair(max(one, another), min(one, another), lots)
    times = max(reference, one, another) / min(reference, one, another)
    # Where a collar is less than a tick it is one, so that the lowest prices take some more.
    for _ in range(ceil(log(times) / log(1 + COLLAR_BPS / BPS)) + BPS // COLLAR_BPS):
        price, reference = meet(reference, *orders)
        if price:
            break
    assert price


@given(REFERENCES, LIMITS, st.integers(0, BPS))
def test_a_pair_with_oneself_moves_the_band_by_a_collar_at_most_whether_it_trades_or_not(
    reference: int, limit: int, collar_bps: int
) -> None:
    _, after = meet(reference, *pair(limit, limit), collar_bps=collar_bps)
    assert abs(after - reference) <= max(1, reference * collar_bps // BPS)


@given(REFERENCES, LIMITS, LIMITS)
def test_orders_that_would_trade_at_no_price_leave_the_band_where_it_is(
    reference: int, one: int, another: int
) -> None:
    buy, sell = min(one, another), max(one, another) + 1
    assert meet(reference, *pair(buy, sell)) == (0, reference)
    assert meet(reference, leaf(0, limit=buy)) == (0, reference)


@pytest.mark.parametrize(
    ("reference", "buy", "sell", "expected"),
    [
        # The price is within the collar, and beyond it.
        (10_000, 10_100, 10_100, 10_100),
        (10_000, 12_000, 12_000, 10_500),
        (10_000, 8_000, 8_000, 9_500),
        # A collar of less than a tick is one.
        (5, 9, 9, 6),
        # Above the band, and below it: towards where they meet first.
        (10_000, 15_000, 14_000, 10_500),
        (10_000, 6_000, 5_500, 9_500),
        (50_000, 54_000, 52_100, 52_100),
        (50_000, 47_900, 47_000, 47_900),
    ],
)
def test_where_the_next_band_stands(reference: int, buy: int, sell: int, expected: int) -> None:
    assert meet(reference, *pair(buy, sell))[1] == expected


def test_the_band_stays_where_its_prices_can_be_counted() -> None:
    highest = (2**63 - 1) // 3
    its = header(highest - 3_000, [])
    data = Leaves.of(pair(2**62, 2**62))
    after = band.following(its, price=0, leaves=data)
    assert after == highest - band.TICKS // 2
    assert (band.first_tick(after) + band.TICKS) * its.tick < 2**63
    capped = replace(its, reference=after)
    assert band.following(capped, price=after + 9, leaves=Leaves(b"")) == after
