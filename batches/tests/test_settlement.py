"""Each owner gets one payout, and together they are what the fills bring."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from batches.bundle import Payout
from batches.records import Side
from batches.settlement import net, proceeds
from batches.tests.making import OWNERS, leaf
from batches.tests.publishing import published

owners = st.sampled_from([bytes(owner.pubkey()) for owner in OWNERS])
payouts = st.lists(st.builds(Payout, owners, st.integers(0, 3), st.integers(0, 3)), max_size=12)


@given(payouts)
def test_netting_keeps_every_owners_sums_and_pays_nobody_twice_or_nothing(
    every: list[Payout],
) -> None:
    owners = [payout.owner for payout in every]
    columns = ([getattr(p, name) for p in every] for name in ("base", "quote"))
    netted = net(owners, *(np.array(column, object) for column in columns))
    assert [p.owner for p in netted] == sorted({p.owner for p in netted})
    assert all(p.base or p.quote for p in netted)
    for owner in {p.owner for p in every}:
        mine = [p for p in every if p.owner == owner]
        got = [p for p in netted if p.owner == owner]
        assert sum(p.base for p in mine) == sum(p.base for p in got)
        assert sum(p.quote for p in mine) == sum(p.quote for p in got)


def test_buyers_get_base_and_sellers_quote_less_the_fee() -> None:
    bundle = published(
        [
            leaf(0, nonce=1, limit=1_010, quantity=10),
            leaf(1, nonce=2, side=Side.SELL, limit=1_005, quantity=4),
            leaf(1, nonce=3, side=Side.SELL, limit=1_005, quantity=3),
        ]
    )
    # Buyers compete upward: 7 lots of 50 atoms at 1,010 ticks of 3 atoms, and a fee of 0.25 %.
    buyer, seller = (bytes(OWNERS[number].pubkey()) for number in (0, 1))
    fees = -(-4 * 3_030 * 25 // 10_000) + -(-3 * 3_030 * 25 // 10_000)
    expected = [Payout(buyer, 350, 0), Payout(seller, 0, 7 * 3_030 - fees)]
    found = proceeds(bundle.header, bundle.leaves, bundle.result.fills)
    assert found == sorted(expected, key=lambda payout: payout.owner)


def test_a_pools_surplus_goes_to_the_side_that_used_it() -> None:
    bundle = published(
        [leaf(0, nonce=1, limit=1_010, quantity=10)], pool_base=10**7, pool_quote=6 * 10**8
    )
    (fill,) = bundle.result.fills
    (payout,) = proceeds(bundle.header, bundle.leaves, bundle.result.fills)
    assert fill.surplus == fill.quote - bundle.result.pool_quote > 0
    assert (payout.base, payout.quote) == (500, fill.surplus)
