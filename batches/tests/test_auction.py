"""The clearing agrees with a brute force, and nobody can envy anybody."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches import auction
from batches.auction import Band, Clearing, Orders, clear, fees, ration
from batches.records import BPS, MAX_LOTS
from batches.tests import brute_force
from batches.tests.brute_force import One

TICKS = 7

# Few values, so that ties of every kind are common.
ones = st.builds(
    One,
    buys=st.booleans(),
    at_market=st.integers(0, 5).map(lambda draw: draw == 0),
    limit=st.integers(-2, TICKS + 1),
    lots=st.integers(1, 6),
    age=st.integers(0, 2),
)
curves = st.lists(st.integers(-8, 8), min_size=TICKS, max_size=TICKS).map(sorted)


@dataclass(frozen=True)
class Case:
    """A market; `reference` is an index, which may lie outside the band."""

    orders: list[One]
    reference: int
    pool: list[int] | None


cases = st.builds(
    Case,
    st.lists(ones, max_size=9),
    st.integers(-1, TICKS),
    st.one_of(st.none(), curves),
)


def columns(markets: Sequence[Sequence[One]]) -> Orders:
    every = [one for market in markets for one in market]
    return Orders(
        counts=np.array([len(market) for market in markets], np.int64),
        buys=np.array([one.buys for one in every], np.bool_),
        market_orders=np.array([one.at_market for one in every], np.bool_),
        limits=np.array([one.limit for one in every], np.int64),
        lots=np.array([one.lots for one in every], np.int64),
        ages=np.array([one.age for one in every], np.int64),
    )


def band(case: Case) -> Band:
    pool = None if case.pool is None else np.array(case.pool, np.int64)
    return Band(100, 3, 100 + case.reference, pool)


def cleared(*markets: Case) -> Clearing:
    return clear(columns([m.orders for m in markets]), [band(m) for m in markets], TICKS)


def one(side: str, limit: int, lots: int, age: int = 0) -> One:
    return One(side == "buy", False, limit, lots, age)


@given(st.lists(cases, min_size=1, max_size=4))
def test_all_markets_at_once_come_to_what_each_comes_to_by_the_definition(
    markets: list[Case],
) -> None:
    result, done = cleared(*markets), 0
    for index, case in enumerate(markets):
        expected = brute_force.clear(case.orders, TICKS, case.reference, case.pool)
        price = int(result.prices[index])
        assert (price if price >= 0 else None) == expected.price
        assert result.pools[index] == expected.pool
        assert result.fills[done : done + len(case.orders)].tolist() == expected.fills
        done += len(case.orders)


def test_markets_that_do_not_fit_into_one_step_clear_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    markets = [
        Case([one("buy", 5, n + 1), one("sell", 2, 3), one("sell", 3, n)], n % TICKS, None)
        for n in range(1, 8)
    ]
    together = cleared(*markets)
    monkeypatch.setattr(auction, "_CELLS", 4 * TICKS)
    apart = cleared(*markets)
    assert together.prices.tolist() == apart.prices.tolist()
    assert together.fills.tolist() == apart.fills.tolist()


@given(cases)
def test_what_is_bought_is_sold(case: Case) -> None:
    result = cleared(case)
    bought = sum(f for o, f in zip(case.orders, result.fills, strict=True) if o.buys)
    sold = sum(f for o, f in zip(case.orders, result.fills, strict=True) if not o.buys)
    assert bought == sold + result.pools[0]


@given(cases)
def test_no_order_gets_more_than_it_asks_for_or_a_price_beyond_its_limit(case: Case) -> None:
    result = cleared(case)
    price = int(result.prices[0])
    for order, fill in zip(case.orders, result.fills.tolist(), strict=True):
        assert 0 <= fill <= order.lots
        if fill and not order.at_market:
            assert order.limit >= price if order.buys else order.limit <= price


@given(cases)
def test_better_prices_then_older_orders_are_full_before_others_get_anything(case: Case) -> None:
    fills = cleared(case).fills.tolist()

    def rank(order: One) -> tuple[int, int] | None:
        limit = order.rank(TICKS)
        return None if limit is None else (-limit if order.buys else limit, -order.age)

    for mine, fill in zip(case.orders, fills, strict=True):
        for other, given_to_other in zip(case.orders, fills, strict=True):
            a, b = rank(mine), rank(other)
            if mine.buys != other.buys or a is None or b is None:
                continue
            if a < b and given_to_other:
                assert fill == mine.lots
            if a == b and mine.lots == other.lots:
                assert abs(fill - given_to_other) <= 1


@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_price_and_no_fill_by_more_than_a_lot(
    case: Case, random: Random
) -> None:
    places = list(range(len(case.orders)))
    random.shuffle(places)
    shuffled = Case([case.orders[place] for place in places], case.reference, case.pool)
    before, after = cleared(case), cleared(shuffled)
    assert before.prices.tolist() == after.prices.tolist()
    assert before.pools.tolist() == after.pools.tolist()
    for place, fill in zip(places, after.fills.tolist(), strict=True):
        assert abs(int(before.fills[place]) - fill) <= 1


@given(cases, st.integers(1, 5))
def test_an_owner_who_trades_with_himself_inside_the_margin_does_not_move_the_price(
    case: Case, lots: int
) -> None:
    before = cleared(case)
    price = int(before.prices[0])
    if price < 0:
        return
    pair = [One(True, True, 0, lots, 0), One(False, True, 0, lots, 0)]
    after = cleared(Case([*case.orders, *pair], case.reference, case.pool))
    assert after.prices[0] == price


# At 3 one lot too many is wanted, at 4 one too many is offered.
EITHER = [one("buy", 6, 3), one("buy", 3, 1), one("sell", 0, 3), one("sell", 4, 1)]


@pytest.mark.parametrize(
    ("orders", "reference", "price"),
    [
        pytest.param(
            [one("buy", 5, 4), one("sell", 2, 4)], 4, 4, id="a choice takes the reference"
        ),
        pytest.param([one("buy", 5, 4), one("sell", 2, 4)], 0, 2, id="or the nearest below"),
        pytest.param([one("buy", 5, 4), one("sell", 2, 4)], 6, 5, id="or the nearest above"),
        pytest.param([one("buy", 5, 9), one("sell", 2, 4)], 0, 5, id="buyers compete upward"),
        pytest.param([one("buy", 5, 4), one("sell", 2, 9)], 6, 2, id="sellers compete downward"),
        pytest.param(EITHER, 0, 3, id="of two with as much excess the lower is nearer"),
        pytest.param(EITHER, 6, 4, id="or the higher"),
        pytest.param([one("buy", 2, 4), one("sell", 3, 4)], 2, -1, id="no one agrees"),
        pytest.param([], 2, -1, id="no orders"),
    ],
)
def test_the_price(orders: list[One], reference: int, price: int) -> None:
    assert cleared(Case(orders, reference, None)).prices.tolist() == [price]


def test_a_pool_takes_only_the_residue() -> None:
    orders = [one("buy", 4, 10), one("sell", 2, 4)]
    alone = cleared(Case(orders, 3, None))
    with_pool = cleared(Case(orders, 3, [0, 0, 0, 1, 3, 5, 8]))
    assert (alone.fills.tolist(), with_pool.fills.tolist()) == ([4, 4], [7, 4])
    assert with_pool.pools.tolist() == [3]


def test_ages_too_large_for_a_histogram_still_come_first() -> None:
    ages = [3, 2**31, 2**31, 7]
    orders = [One(True, False, 4, 4, age) for age in ages]
    result = cleared(Case([*orders, one("sell", 0, 9)], 3, None))
    assert result.fills.tolist() == [0, 4, 4, 1, 9]


@given(st.lists(st.integers(1, 2**52), min_size=1, max_size=8), st.data())
def test_shares_add_up_and_are_within_a_lot_of_their_proportion(
    lots: list[int], draw: st.DataObject
) -> None:
    total = sum(lots)
    available = draw.draw(st.integers(0, total))
    size = len(lots)
    shares = ration(
        np.array(lots, np.int64),
        np.full(size, total),
        np.full(size, available),
        np.zeros(1, np.int64),
    ).tolist()
    assert sum(shares) == available
    for share, asked in zip(shares, lots, strict=True):
        assert share <= asked
        assert abs(share * total - asked * available) < total


@given(st.integers(0, 2**63 - 1), st.integers(0, BPS))
def test_a_fee_is_rounded_up_and_exact_for_any_quote(quote: int, bps: int) -> None:
    assert fees(np.array([quote], np.int64), bps).tolist() == [-(-quote * bps // BPS)]


@pytest.mark.parametrize(
    "orders",
    [
        [one("buy", 1, 0)],
        [one("buy", 1, 1, age=-1)],
        [one("buy", 1, MAX_LOTS), one("buy", 2, 1)],
    ],
)
def test_what_cannot_be_counted_exactly_is_refused(orders: list[One]) -> None:
    with pytest.raises(ValueError, match="lots"):
        cleared(Case(orders, 3, None))


def test_a_worth_beyond_64_bits_is_refused() -> None:
    lots = 2**40
    book = columns([[one("buy", 1, lots), one("sell", 1, lots)]])
    worth = 2**63 // lots
    clear(book, [Band(worth - 2, 1, 0)], TICKS)
    with pytest.raises(ValueError, match="worth"):
        clear(book, [Band(worth - 1, 1, 0)], TICKS)


def test_prices_beyond_64_bits_are_refused() -> None:
    book = columns([[one("buy", -1, 1), one("sell", 1, 1)]])
    with pytest.raises(ValueError, match="prices"):
        clear(book, [Band(2**63 - TICKS, 1, 0)], TICKS)


@pytest.mark.parametrize("huge", [one("buy", 0, MAX_LOTS), one("buy", -1, MAX_LOTS)])
def test_a_cheap_order_that_trades_nothing_keeps_nobody_from_trading(huge: One) -> None:
    trades = [one("buy", 3, 5), one("sell", 2, 5)]
    book = columns([[*trades, replace(huge, lots=MAX_LOTS - 5)]])
    assert clear(book, [Band(10**9, 1_000, 10**9)], TICKS).fills.tolist() == [5, 5, 0]


def test_columns_that_do_not_fit_together_are_refused() -> None:
    book = columns([[one("buy", 1, 1)]])
    with pytest.raises(ValueError, match="band"):
        clear(book, [], TICKS)
    with pytest.raises(ValueError, match="curve"):
        clear(book, [Band(1, 1, 1, np.zeros(TICKS + 1, np.int64))], TICKS)
    with pytest.raises(ValueError, match="fit together"):
        clear(replace(book, counts=book.counts + 1), [Band(1, 1, 1)], TICKS)
