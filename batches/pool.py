"""A constant-product pool that takes what the orders of a batch leave over. Exact, on integers.

Per price the pool trades the lots whose *average* price is that price, so that the orders and the
pool trade at one price and nobody skims between them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from batches.records import BPS, MAX_LOTS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Twice what the six roundings in a difference of quotients come to, relative to their sum.
_ERROR = 2.0**-49


@dataclass(frozen=True, slots=True)
class Pool:
    """Reserves in atoms; the fee is taken from what goes in."""

    base: int
    quote: int
    fee_bps: int

    def curve(self, *, lot: int, first_price: int, step: int, ticks: int) -> Ints:
        """For each price of a band the lots that the pool sells, below zero what it buys.

        Args:
            lot: base atoms.
            first_price, step: quote atoms per lot.
        """
        keeps = BPS - self.fee_bps
        prices = first_price + step * np.arange(ticks, dtype=float)
        # As `lots` has it, where rounding down once comes to the same as doing so at each step.
        sells, sells_surely = _whole(self.base / lot, self.quote * BPS / keeps / prices)
        buys, buys_surely = _whole(self.quote / prices, -(-self.base * BPS // keeps) / lot)
        lots = np.where(sells >= 1, sells, np.minimum(-buys, 0))
        for index in np.flatnonzero(~(sells_surely & buys_surely)):
            lots[index] = self.lots(lot=lot, price=first_price + step * int(index))
        return lots

    def lots(self, *, lot: int, price: int) -> int:
        """What is sold at one price, in quote atoms per lot; below zero what is bought."""
        keeps = BPS - self.fee_bps
        # Rounded against the orders, as the pool's program rounds.
        sells = self.base - -(-self.quote * lot * BPS // (price * keeps))
        if sells >= lot:
            return min(sells // lot, MAX_LOTS)
        buys = self.quote * lot // price - -(-self.base * BPS // keeps)
        return -min(buys // lot, MAX_LOTS) if buys >= lot else 0

    def cost(self, base: int) -> int | None:
        """The fewest quote atoms that buy `base` atoms; None if the pool has not as many."""
        if base >= self.base:
            return None
        before_fee = -(-self.quote * base // (self.base - base))
        return -(-before_fee * BPS // (BPS - self.fee_bps))

    def proceeds(self, base: int) -> int:
        """The quote atoms that `base` atoms are sold for."""
        after_fee = base * (BPS - self.fee_bps) // BPS
        return self.quote * after_fee // (self.base + after_fee)


def _whole(more: Floats | float, less: Floats | float) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The differences rounded down, and where that is certain; elsewhere zero."""
    difference, error = np.asarray(more - less), _ERROR * (more + less)
    low = np.floor(difference - error)
    certain = low == np.floor(difference + error)
    return np.where(certain, low, 0).astype(np.int64), certain
