"""Demand and supply as they are drawn: what buys or sells at each price."""

from batches.curves import curves
from batches.leaves import Leaves
from batches.records import Leaf, OrderType, Side
from batches.tests import publishing
from batches.tests.publishing import leaf


def drawn(*some: Leaf) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    found = curves(HEADER, Leaves.of(some))
    return list(found.demand), list(found.supply)


HEADER = publishing.published([]).header
LOW, HIGH = HEADER.first_tick, HEADER.first_tick + HEADER.ticks - 1


def test_nobody_wants_anything() -> None:
    assert drawn() == ([], [])


def test_who_buys_at_a_price_buys_at_a_lower_one() -> None:
    bids = [leaf(nonce=n, limit=at, quantity=n) for n, at in ((1, 900), (2, 950), (3, 900))]
    assert drawn(*bids) == ([(900, 6), (950, 2)], [])


def test_who_sells_at_a_price_sells_at_a_higher_one() -> None:
    sells = [(1, 900), (2, 950), (3, 900)]
    assert drawn(*(leaf(nonce=n, side=Side.SELL, limit=at, quantity=n) for n, at in sells)) == (
        [],
        [(900, 4), (950, 6)],
    )


def test_only_what_remains_counts() -> None:
    assert drawn(leaf(limit=900, quantity=10, remaining=4)) == ([(900, 4)], [])


def test_limits_beyond_the_band_count_at_its_ends_or_not_at_all() -> None:
    assert drawn(
        leaf(limit=HIGH + 9, quantity=1),
        leaf(limit=LOW - 1, quantity=2),
        leaf(limit=LOW - 9, quantity=3, side=Side.SELL),
        leaf(limit=HIGH + 1, quantity=4, side=Side.SELL),
    ) == ([(HIGH, 1)], [(LOW, 3)])


def test_a_market_order_counts_up_to_the_price_that_it_names() -> None:
    order = leaf(limit=1_020, quantity=5, type=OrderType.MARKET)
    assert drawn(order) == ([(1_020, 5)], [])
