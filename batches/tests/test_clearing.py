"""Records come to records: value is kept, limits hold, and only what is committed counts."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batches.clearing import Batch, Result, clear_tick
from batches.pool import Pool
from batches.records import BPS, Header, Leaf, Malformed, OrderType, Side
from batches.tests.making import MARKET, order

TICKS = 9


def header(**changes: Any) -> Header:
    values: dict[str, Any] = {
        "market": MARKET,
        "batch_no": 7,
        "target_slot": 120,
        "cutoff_slot": 116,
        "count": 0,
        "last_seq": 0,
        "ticks": TICKS,
        "first_tick": 1_000,
        "tick": 3,
        "lot": 50,
        "reference": 1_004,
        "collar_bps": 500,
        "follows": 0,
        "fee_bps": 25,
        "pool_fee_bps": 0,
        "pool_base": 0,
        "pool_quote": 0,
        "previous": bytes(32),
        "root": bytes(32),
    }
    return Header(**{**values, **changes})


def batch(header: Header, *leaves: Leaf) -> Batch:
    return Batch(header, sorted(leaves, key=lambda leaf: leaf.order.hash))


def unsigned(nonce: int, side: Side, limit: int, lots: int, **changes: Any) -> Leaf:
    made = order(nonce % 4, nonce=nonce, side=side, limit=limit, quantity=lots, **changes)
    return Leaf(made, bytes(64), lots, 0, nonce)


def alone(one: Batch, *, use_pools: bool = True) -> Result:
    return clear_tick([one], use_pools=use_pools)[0]


books = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.sampled_from(OrderType),
        st.integers(997, 1_011),
        st.integers(1, 40),
        st.integers(0, 2),
    ),
    max_size=9,
).map(
    lambda rows: [
        Leaf(order(i % 4, nonce=i, side=s, type=t, limit=p, quantity=q), bytes(64), q, age, i)
        for i, (s, t, p, q, age) in enumerate(rows)
    ]
)
headers = st.one_of(
    st.builds(header, fee_bps=st.integers(0, 300)),
    st.builds(
        header,
        fee_bps=st.integers(0, 300),
        pool_fee_bps=st.integers(0, 100),
        pool_base=st.integers(1_000, 10**7),
        # Around the band: a lot of 50 base atoms is worth some 3,000 quote atoms.
        pool_quote=st.integers(50_000, 10**9),
    ),
)


@given(headers, books)
def test_base_and_quote_are_conserved_over_owners_pool_and_treasury(
    header: Header, leaves: list[Leaf]
) -> None:
    result = alone(batch(header, *leaves))
    side = {leaf.order.hash: leaf.order.side for leaf in leaves}
    bought = [fill for fill in result.fills if side[fill.order_hash] is Side.BUY]
    sold = [fill for fill in result.fills if side[fill.order_hash] is Side.SELL]
    assert sum(f.lots for f in bought) == sum(f.lots for f in sold) + result.pool_lots
    paid = sum(f.quote + f.fee - f.surplus for f in bought)
    got = sum(f.quote - f.fee + f.surplus for f in sold)
    treasury = sum(f.fee for f in result.fills)
    pool = result.pool_quote if result.pool_lots > 0 else -result.pool_quote
    assert paid == got + treasury + pool


@given(headers, books)
def test_everybody_trades_at_one_price_within_what_was_signed(
    header: Header, leaves: list[Leaf]
) -> None:
    result = alone(batch(header, *leaves))
    by_hash = {leaf.order.hash: leaf for leaf in leaves}
    for fill in result.fills:
        leaf = by_hash[fill.order_hash]
        assert fill.quote == fill.lots * result.price * header.tick
        assert fill.fee == -(-fill.quote * header.fee_bps // BPS)
        assert 0 < fill.lots <= leaf.remaining
        limit = leaf.order.limit
        buys = leaf.order.side is Side.BUY
        assert limit >= result.price if buys else limit <= result.price


@given(headers, books, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_result(
    header: Header, leaves: list[Leaf], random: Any
) -> None:
    before = alone(batch(header, *leaves))
    random.shuffle(leaves)
    assert alone(batch(header, *leaves)) == before


@given(st.lists(st.tuples(headers, books), max_size=3))
def test_batches_of_one_tick_do_not_touch_each_other(
    several: list[tuple[Header, list[Leaf]]],
) -> None:
    batches = [batch(header, *leaves) for header, leaves in several]
    assert clear_tick(batches) == [alone(one) for one in batches]


@given(headers, books)
def test_what_the_pool_takes_is_never_dearer_than_the_price(
    header: Header, leaves: list[Leaf]
) -> None:
    result = alone(batch(header, *leaves))
    worth = result.pool_lots * result.price * header.tick
    pool = Pool(header.pool_base, header.pool_quote, header.pool_fee_bps)
    if result.pool_lots > 0:
        assert result.pool_quote == pool.cost(result.pool_lots * header.lot)
        assert sum(fill.surplus for fill in result.fills) == worth - result.pool_quote >= 0
    elif result.pool_lots < 0:
        assert result.pool_quote == pool.proceeds(-result.pool_lots * header.lot)
        assert sum(fill.surplus for fill in result.fills) == result.pool_quote + worth >= 0
    else:
        assert not any(fill.surplus for fill in result.fills)


@given(headers, books)
def test_the_product_of_a_pools_reserves_never_falls(header: Header, leaves: list[Leaf]) -> None:
    result = alone(batch(header, *leaves))
    base = header.pool_base - result.pool_lots * header.lot
    sign = 1 if result.pool_lots > 0 else -1
    quote = header.pool_quote + sign * result.pool_quote
    assert base * quote >= header.pool_base * header.pool_quote
    assert (base > 0 and quote > 0) or not header.pool_base


@given(st.builds(Pool, st.integers(1, 10**7), st.integers(1, 10**9), st.integers(0, 9_999)))
def test_a_pools_curve_never_falls(pool: Pool) -> None:
    curve = pool.curve(lot=50, first_price=3_000, step=3, ticks=TICKS).tolist()
    assert curve == sorted(curve)


RESERVES = st.one_of(st.integers(1, 10**7), st.integers(1, 2**63 - 1))


@given(
    st.builds(Pool, RESERVES, RESERVES, st.integers(0, 9_999)),
    st.one_of(st.integers(1, 100), st.integers(1, 10**12)),
    st.one_of(st.integers(1, 10**4), st.integers(1, 2**50)),
    st.integers(1, 2**40),
)
@example(Pool(10**6, 10**6, 0), 1, 1, 1)
@example(Pool(2**62, 2**62, 30), 1, 2**50, 7)
def test_a_curve_is_exact_at_each_price(pool: Pool, lot: int, first: int, step: int) -> None:
    curve = pool.curve(lot=lot, first_price=first, step=step, ticks=TICKS)
    assert curve.tolist() == [pool.lots(lot=lot, price=first + step * n) for n in range(TICKS)]


def test_a_usual_pool_is_asked_one_by_one_at_next_to_no_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or its curve would cost each batch some milliseconds."""
    asked: list[int] = []
    exact = Pool.lots

    def lots(self: Pool, *, lot: int, price: int) -> int:
        asked.append(price)
        return exact(self, lot=lot, price=price)

    monkeypatch.setattr(Pool, "lots", lots)
    pool = Pool(10**12, 160 * 10**9, 30)
    curve = pool.curve(lot=10**6, first_price=150_000, step=10, ticks=4_096)
    assert len(set(curve.tolist())) > 1_000
    assert len(asked) < 40


@given(st.integers(2, 10**9), st.integers(1, 10**9), st.integers(0, 9_999), st.data())
def test_the_cost_is_the_least_that_buys_by_the_pools_own_formula(
    base: int, quote: int, fee_bps: int, draw: st.DataObject
) -> None:
    wanted = draw.draw(st.integers(1, base - 1))
    cost = Pool(base, quote, fee_bps).cost(wanted)
    assert cost is not None

    def bought(paid: int) -> int:
        after_fee = paid - -(-paid * fee_bps // BPS)
        return base * after_fee // (quote + after_fee)

    assert bought(cost) >= wanted
    assert bought(cost - 1) < wanted


def test_a_pool_never_sells_all_that_it_has() -> None:
    assert Pool(10, 10, 0).cost(10) is None


def test_a_market_order_beyond_whose_collar_the_band_reaches_is_a_limit() -> None:
    seller = unsigned(1, Side.SELL, 1_000, 5)
    inside = unsigned(2, Side.BUY, 1_003, 5, type=OrderType.MARKET)
    better = unsigned(3, Side.BUY, 1_004, 5)
    assert [f.order_hash for f in alone(batch(header(), seller, inside, better)).fills] == sorted(
        [seller.order.hash, better.order.hash]
    )
    whole = unsigned(2, Side.BUY, 1_008, 5, type=OrderType.MARKET)
    assert [f.order_hash for f in alone(batch(header(), seller, whole, better)).fills] == sorted(
        [seller.order.hash, whole.order.hash]
    )


def test_result_b_leaves_the_pool_out() -> None:
    deep = header(pool_base=10**7, pool_quote=6 * 10**8)
    buyer = unsigned(1, Side.BUY, 1_008, 5)
    assert alone(batch(deep, buyer)).pool_lots == 5
    assert alone(batch(deep, buyer), use_pools=False) == Result(0, 0, 0, ())


def test_leaves_out_of_their_order_are_refused() -> None:
    leaves = sorted((unsigned(n, Side.BUY, 1_000, 1) for n in range(3)), key=lambda x: x.order.hash)
    for wrong in (leaves[::-1], [leaves[0], leaves[0]]):
        with pytest.raises(Malformed):
            Batch(header(), wrong)
