"""Where the prices stand at which a market's batch may trade, from batch to batch. Pure.

A batch trades within a band of 4096 ticks around its reference, which its header states before its
orders are known. The next reference follows from the header, the price and the committed orders
alone, so that whoever has a batch can tell where it has moved the band:

- Where it traded, the reference moves towards the price.
- Where it did not, though the highest buy is not below the lowest sell, these two are beyond the
  band, on the same side of it: it moves towards the nearest price at which they meet.
- Otherwise nobody would trade at any price, and it stays.

Either way it moves by the market's collar at most. A gap of any size is crossed, in as many batches
as it has collars; and who stands on both sides of a book that is empty otherwise moves the band no
faster than by trading with himself, though he pays no fees for it. Anybody may take what he offers
meanwhile.
"""

from batches.leaves import Leaves
from batches.records import BPS, Header, Side

# The prices of a band; the reference stands in its middle.
TICKS = 4_096

_INT64_MAX = 2**63 - 1


def first_tick(reference: int) -> int:
    """The lowest price of the band around a reference."""
    return max(1, reference - TICKS // 2)


def following(header: Header, *, price: int, leaves: Leaves) -> int:
    """The reference after a batch.

    Args:
        price: the tick that it traded at; 0 where nothing traded.
        leaves: what it committed to.
    """
    before = header.reference
    step = max(1, before * header.collar_bps // BPS)
    towards = price or _meeting(before, leaves)
    return min(max(towards, before - step, 1), before + step, _highest(header.tick))


def _meeting(reference: int, leaves: Leaves) -> int:
    """The nearest price at which the best orders of both sides meet; `reference` if at none."""
    sides, limits = leaves.column("side"), leaves.column("limit")
    buys, sells = limits[sides == Side.BUY], limits[sides == Side.SELL]
    if not len(buys) or not len(sells) or buys.max() < sells.min():
        return reference
    return min(max(reference, int(sells.min())), int(buys.max()))


def _highest(tick: int) -> int:
    """The last reference whose whole band can be counted."""
    return max(1, _INT64_MAX // tick - TICKS // 2)
