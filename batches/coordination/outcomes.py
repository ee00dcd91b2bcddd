"""What a cleared batch does to its orders and to the money in the vault. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from batches import ledger
from batches.auction import Ints
from batches.bundle import Payout
from batches.clearing import Cleared, Committed
from batches.coordination import pooling
from batches.ledger import Posting
from batches.merkle import build
from batches.models import Batch
from batches.records import TimeInForce
from batches.settlement import Amounts, brought, net, spent


@dataclass(frozen=True, slots=True)
class Held:
    """A batch's orders as they are stored, in the order of their hashes, and so of the leaves.

    Attributes:
        ids: the 16 bytes of each.
        hashes: the 32 bytes of each, one after the other.
        escrow_left: atoms of each.
    """

    ids: npt.NDArray[np.void]
    hashes: bytes
    escrow_left: npt.NDArray[np.uint64]


class Ending(IntEnum):
    """What becomes of an order; the names are statuses."""

    OPEN = 0
    FILLED = 1
    EXPIRED = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch comes to, for its rows.

    Attributes:
        ids: the 16 bytes of each order's, in the order of the leaves, as all that follows.
        endings: numbers of `Ending`.
        remaining: lots.
        ages: batches that each has waited by then.
        escrow_left: atoms, after what it has spent and what it is given back.
        root: of the tree over the fills.
    """

    batch: Batch
    result: Cleared
    ids: npt.NDArray[np.void]
    endings: Ints
    remaining: Ints
    ages: Ints
    escrow_left: Amounts
    payouts: Sequence[Payout]
    root: bytes

    @property
    def volume(self) -> int:
        """Lots that changed hands, a pool's included."""
        return (_sum(self.result.lots) + abs(self.result.pool_lots)) // 2

    @property
    def turnover(self) -> int:
        """Quote atoms that they are worth at the batch's price."""
        return self.volume * self.result.price * self.batch.market.tick

    @property
    def fees(self) -> int:
        return _sum(self.result.fees)

    @property
    def fills(self) -> int:
        """How many orders got something."""
        return int(np.count_nonzero(self.result.lots))

    @property
    def postings(self) -> list[Posting]:
        """Escrow that becomes payouts and fees: what buyers give, sellers and the fee get; the rest
        is what a pool gets or gives."""
        reference, market = f"clear:{self.batch.id}", self.batch.market
        base, quote = sum(p.base for p in self.payouts), sum(p.quote for p in self.payouts)
        return [
            *pooling.postings(reference, market, self.result.pool_lots, self.result.pool_quote),
            ledger.owed(reference, market.id, market.base_mint, base),
            ledger.owed(reference, market.id, market.quote_mint, quote),
            ledger.charged(reference, market.id, market.quote_mint, self.fees),
        ]


def outcome(batch: Batch, committed: Committed, result: Cleared, held: Held) -> Outcome:
    """What `result` does to the orders of a batch.

    Raises:
        RuntimeError: what is stored is not what was committed to, which only a fault can cause.
    """
    leaves, lot = committed.leaves, committed.header.lot
    hashes = leaves.hashes()
    if b"".join(hashes) != held.hashes:
        raise RuntimeError(f"the orders of batch {batch.id} are not those that it has committed to")
    buys = committed.buys()
    remaining = leaves.column("remaining") - result.lots
    endings = _endings(remaining, leaves.column("time_in_force"))
    columns = (result.lots, result.quotes, result.fees, result.surplus, held.escrow_left)
    kind = object if _are_large(result, lot, held) else np.int64
    lots, quotes, fees, surplus, escrow = (column.astype(kind) for column in columns)
    left = escrow - spent(lot, buys, lots, quotes, fees)
    given_back = left * (endings != Ending.OPEN)
    base, quote = brought(lot, buys, lots, quotes, fees, surplus)
    payouts = net(leaves.owners(), base + given_back * ~buys, quote + given_back * buys)
    root = build(result.fills(hashes)).root
    ages = leaves.column("age") + 1
    return Outcome(
        batch, result, held.ids, endings, remaining, ages, left - given_back, payouts, root
    )


def _are_large(result: Cleared, lot: int, held: Held) -> bool:
    """Whether sums of these amounts may need more than 64 bits. Else counting is fifty times as
    fast."""
    sums = (result.lots.sum(dtype=float) * lot, result.quotes.sum(dtype=float) * 2)
    return bool(max(*sums, held.escrow_left.sum(dtype=float)) > 2.0**61)


def _endings(remaining: Ints, time_in_force: Ints) -> Ints:
    rolls = time_in_force == TimeInForce.ROLL
    return np.where(remaining == 0, Ending.FILLED, np.where(rolls, Ending.OPEN, Ending.EXPIRED))


def _sum(column: Ints) -> int:
    """The sum, which may need more bits than the column's numbers have."""
    return sum(column.tolist())
