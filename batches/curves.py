"""Demand and supply of a batch as steps, for charts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from batches.auction import Ints
from batches.leaves import Leaves
from batches.records import Header, Side

Step = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Curves:
    """Lots by price, in ticks, where they change.

    Attributes:
        demand: down from each price to the one before, the lots that buy at it or at a higher one.
        supply: from each price on, the lots that sell at it or at a lower one.
    """

    demand: Sequence[Step]
    supply: Sequence[Step]


def curves(header: Header, leaves: Leaves) -> Curves:
    """The curves of what a batch commits to, within its band."""
    low, high = header.first_tick, header.first_tick + header.ticks - 1
    limits, lots = leaves.column("limit"), leaves.column("remaining")
    buys = leaves.column("side") == Side.BUY
    bid, offered = buys & (limits >= low), ~buys & (limits <= high)
    bids, bought = _by_price(np.minimum(limits[bid], high), lots[bid])
    offers, sold = _by_price(np.maximum(limits[offered], low), lots[offered])
    # From the dearest bid down; each total holds down to the next lower bid.
    return Curves(_steps(bids, bought[::-1].cumsum()[::-1]), _steps(offers, sold.cumsum()))


def _by_price(prices: Ints, lots: Ints) -> tuple[Ints, Ints]:
    """The different prices, ascending, and the lots at each."""
    different, places = np.unique(prices, return_inverse=True)
    sums = np.zeros(len(different), np.int64)
    np.add.at(sums, places, lots)
    return different, sums


def _steps(prices: Ints, totals: Ints) -> list[Step]:
    return list(zip(prices.tolist(), totals.tolist(), strict=True))
