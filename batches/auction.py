"""Clearing: one uniform price per market, the most volume, nothing to gain from being first.

All markets of a tick clear in one pass over arrays. Prices are indices into a market's band; the
orders of a market stand in the order of their leaves, which is the order of their hashes. No order
is sorted by price: histograms over the band show where demand meets supply.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from batches.records import BPS, MAX_LOTS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_INT64_MAX = 2**63 - 1
# Cells of a histogram that a cache holds; markets beyond them are cleared in a further step.
_CELLS = 1 << 17
# Ages up to here are told apart by a histogram, without sorting them.
_AGES = 1 << 16


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of a tick, market by market, those of each in the order of their leaves.

    Attributes:
        counts: how many orders each market has.
        buys: which ones buy; the others sell.
        market_orders: which ones rank above all limits.
        limits: in ticks above the band's first price; may lie outside the band.
        lots: what remains of each, above zero.
        ages: batches waited.
    """

    counts: Ints
    buys: Flags
    market_orders: Flags
    limits: Ints
    lots: Ints
    ages: Ints


@dataclass(frozen=True, slots=True)
class Band:
    """The prices of one market.

    Attributes:
        first_tick: what index 0 stands for, in ticks.
        tick: quote atoms per lot that one tick is worth.
        reference: in ticks; decides between prices that clear equally well.
        pool: for each index the lots that a pool sells at this price, below zero what it buys;
            never falling. None where no pool takes the residue.
    """

    first_tick: int
    tick: int
    reference: int
    pool: Ints | None = None


@dataclass(frozen=True, slots=True)
class Clearing:
    """What a tick's batches come to.

    Attributes:
        prices: per market the index that it trades at; -1 where nothing trades.
        pools: per market the lots that its pool sells; below zero what it buys.
        fills: per order, in lots.
    """

    prices: Ints
    pools: Ints
    fills: Ints


def clear(orders: Orders, bands: Sequence[Band], ticks: int) -> Clearing:
    """Clear every market of a tick.

    Args:
        bands: one per market.
        ticks: prices in each band.

    Raises:
        ValueError: arrays do not fit together, an order has no lots, or a market's sums leave
            what can be counted exactly.
    """
    _check(orders, bands, ticks)
    prices = np.full(len(bands), -1, np.int64)
    pools = np.zeros(len(bands), np.int64)
    fills = np.zeros(len(orders.lots), np.int64)
    ends = np.concatenate(([0], np.cumsum(orders.counts)))
    step = max(1, _CELLS // (2 * ticks))
    for first in range(0, len(bands), step):
        markets = slice(first, first + step)
        some = slice(ends[first], ends[min(first + step, len(bands))])
        sides = _sides(orders, markets, some)
        ranks = _ranks(orders, some, ticks)
        lots = orders.lots[some]
        running = _running(sides, ranks, lots, len(bands[markets]) * 2, ticks + 2)
        book = _Book(bands[markets], ticks, running.reshape(-1, 2, ticks + 2))
        prices[markets], pools[markets], volumes = book.clear()
        fills[some] = _fill(sides, ranks, lots, orders.ages[some], running, volumes)
    return Clearing(prices, pools, fills)


def quotes(fills: Ints, price: int) -> Ints:
    """Quote atoms before fees at `price` quote atoms per lot."""
    return fills * price


def fees(quote: Ints, fee_bps: int) -> Ints:
    """The fee of each, in quote atoms, rounded up."""
    whole, rest = np.divmod(quote, BPS)
    fee: Ints = whole * fee_bps - (-rest * fee_bps) // BPS
    return fee


def ration(lots: Ints, totals: Ints, available: Ints, first: Ints) -> Ints:
    """Share out in proportion to `lots`, cohort by cohort.

    A cohort's shares add up to what is available, and each is within a lot of its proportion.

    Args:
        totals, available: for each order the sum of its cohort's lots, and what the cohort gets.
        first: the places where cohorts start.
    """
    if not len(lots):
        return lots
    running = np.cumsum(lots)
    lengths = np.diff(first, append=len(lots))
    running -= np.repeat(running[first] - lots[first], lengths)
    if int(totals.max()) * int(available.max()) > _INT64_MAX:
        # Whole numbers of any size, for cohorts of billions of lots.
        exact = running.astype(object) * available // totals
        shared = exact.astype(np.int64)
    else:
        shared = running * available // totals
    shares = np.diff(shared, prepend=0)
    shares[first] = shared[first]
    return shares


def _check(orders: Orders, bands: Sequence[Band], ticks: int) -> None:
    size = len(orders.lots)
    columns = (orders.buys, orders.market_orders, orders.limits, orders.ages)
    if any(len(column) != size for column in columns) or int(orders.counts.sum()) != size:
        raise ValueError("the columns of the orders do not fit together")
    if len(orders.counts) != len(bands):
        raise ValueError("there is not one band for each market")
    if any(band.first_tick + ticks > _INT64_MAX for band in bands):
        raise ValueError("a band's prices cannot be counted exactly")
    if any(band.pool is not None and len(band.pool) != ticks for band in bands):
        raise ValueError("a pool's curve does not have a point for each price")
    if size and (int(orders.lots.min()) < 1 or int(orders.ages.min()) < 0):
        raise ValueError("an order has no lots or a negative age")


def _sides(orders: Orders, markets: slice, some: slice) -> Ints:
    """For each order the number of its side: two for every market, the buyers' first."""
    counts = orders.counts[markets]
    sides = np.repeat(np.arange(0, 2 * len(counts), 2), counts)
    sides += ~orders.buys[some]
    return sides


def _ranks(orders: Orders, some: slice, ticks: int) -> Ints:
    """How good each order's price is for the other side, from 0.

    Market orders have 0, the limits that the band holds 1 to `ticks`, and a limit that no price of
    the band meets the one after.
    """
    # In arithmetic and in place: choosing by flags that follow no order takes far longer.
    buys = orders.buys[some].astype(np.int64)
    ranks = orders.limits[some] * (1 - 2 * buys)
    # A sell's rank is its limit + 1, a buy's counts from the band's upper end.
    buys *= ticks - 1
    ranks += buys
    ranks += 1
    np.clip(ranks, 1, ticks + 1, out=ranks)
    ranks[np.flatnonzero(orders.market_orders[some])] = 0
    return ranks


def _running(sides: Ints, ranks: Ints, lots: Ints, rows: int, width: int) -> Floats:
    """For each side and rank the lots of this rank and all better ones."""
    counted: Floats = np.bincount(sides * width + ranks, lots, rows * width).astype(
        np.float64, copy=False
    )
    table = counted.reshape(rows, width)
    return np.cumsum(table, axis=1, out=table)


@dataclass(frozen=True, slots=True)
class _Book:
    """Some markets' lots: `running` by market, side and rank."""

    bands: Sequence[Band]
    ticks: int
    running: Floats

    def clear(self) -> tuple[Ints, Ints, Ints]:
        """Prices and pools as in `Clearing`, and what each side gets."""
        # Those whose limit lies beyond the band stand behind all others, and do not count.
        if self.running.size and self.running[:, :, self.ticks].max() > MAX_LOTS:
            raise ValueError("a market's lots cannot be counted exactly")
        demand, supply = self.running[:, 0, self.ticks : 0 : -1], self.running[:, 1, 1:-1]
        pool = self._pool_curves()
        prices = self._prices(demand, supply, pool)
        wanted, offered = _at(demand, prices), _at(supply, prices)
        from_pool = np.zeros(len(prices), np.int64)
        if pool is not None:
            most = _at(pool, prices)
            from_pool = np.clip(wanted - offered, np.minimum(most, 0), np.maximum(most, 0))
        bought = np.minimum(wanted, offered + np.maximum(from_pool, 0))
        sold = np.minimum(offered, wanted + np.maximum(-from_pool, 0))
        traded = np.maximum(bought, sold)
        self._check_worth(prices, traded)
        prices[traded == 0] = -1
        return prices, from_pool, np.stack((bought, sold), axis=1).ravel()

    def _check_worth(self, prices: Ints, traded: Ints) -> None:
        """What trades is paid for out of escrow, so that nobody gets here with little money."""
        for band, index, lots in zip(self.bands, prices.tolist(), traded.tolist(), strict=True):
            if lots * (band.first_tick + index) * band.tick > _INT64_MAX:
                raise ValueError("the worth of a market's trades cannot be counted exactly")

    def _pool_curves(self) -> Floats | None:
        """The curves of all markets' pools; None if there is none."""
        if all(band.pool is None for band in self.bands):
            return None
        none = np.zeros(self.ticks, np.int64)
        return np.stack([none if b.pool is None else b.pool for b in self.bands]).astype(float)

    def _prices(self, demand: Floats, supply: Floats, pool: Floats | None) -> Ints:
        """Per market the price of most volume, then least excess, then nearest the reference.

        Excess, demand less supply, never rises with the price. So the most volume is at the last
        price without a shortage of demand or at the one after it, and of the prices that are
        equally good only those without any excess, or the two where its sign changes, are a choice.
        """
        if pool is not None:
            demand, supply = demand - np.minimum(pool, 0), supply + np.maximum(pool, 0)
        excess = demand - supply
        positive = np.count_nonzero(excess > 0, axis=1)
        after = np.count_nonzero(excess >= 0, axis=1)
        last = after - 1
        # Beyond the ends of the band there is no volume.
        before, after = np.maximum(last, 0), np.minimum(after, self.ticks - 1)
        volume_before = np.where(last >= 0, _at(supply, before), -1)
        volume_after = np.where(after > last, _at(demand, after), -1)
        excess_before, short_after = _at(excess, before), -_at(excess, after)
        level = volume_before == volume_after
        takes_before = (volume_before > volume_after) | (level & (excess_before <= short_after))
        takes_after = (volume_after > volume_before) | (level & (short_after <= excess_before))
        even = takes_before & (excess_before == 0)
        low = np.where(even, positive, np.where(takes_before, before, after))
        high = np.where(even | ~takes_after, before, after)
        reference = np.array([band.reference - band.first_tick for band in self.bands], np.int64)
        nearest: Ints = np.minimum(np.maximum(reference, low), high)
        return nearest


def _at(table: Floats, prices: Ints) -> Ints:
    """One whole number from each market's row."""
    return table[np.arange(len(prices)), prices].astype(np.int64)


def _fill(sides: Ints, ranks: Ints, lots: Ints, ages: Ints, running: Floats, volumes: Ints) -> Ints:
    """Give each side's volume to its orders.

    Better ranks come first, within a rank the older orders, and what remains is shared out in
    proportion within the last cohort. The shorter side of a market is full, so that at most one of
    its sides has such a cohort.
    """
    full, marginal, left = _served(running, volumes)
    fills = lots * (ranks < full[sides])
    cohort = np.flatnonzero(ranks == marginal[sides])
    if not len(cohort):
        return fills
    sides, lots, ages = sides[cohort], lots[cohort], _by_age(ages[cohort])
    running = _running(sides, ages, lots, len(left), int(ages.max()) + 1)
    full, marginal, remains = _served(running, left)
    fills[cohort] = lots * (ages < full[sides])
    last = np.flatnonzero(ages == marginal[sides])
    sides, lots = sides[last], lots[last]
    totals = np.bincount(sides, lots, len(left)).astype(np.int64)
    first = np.flatnonzero(np.diff(sides, prepend=-1))
    fills[cohort[last]] = ration(lots, totals[sides], remains[sides], first)
    return fills


def _served(running: Floats, volumes: Ints) -> tuple[Ints, Ints, Ints]:
    """How far each side's volume reaches.

    Returns per side how many ranks are full, the rank that gets a part (-1 for none), and that
    part.
    """
    full = np.count_nonzero(running <= volumes[:, None], axis=1)
    before = running[np.arange(len(full)), np.maximum(full - 1, 0)].astype(np.int64)
    left = volumes - np.where(full > 0, before, 0)
    return full, np.where(left > 0, full, -1), left


def _by_age(ages: Ints) -> Ints:
    """Small numbers in which the oldest is 0."""
    oldest = int(ages.max())
    if oldest < _AGES:
        return oldest - ages
    distinct, places = np.unique(ages, return_inverse=True)
    return len(distinct) - 1 - places
