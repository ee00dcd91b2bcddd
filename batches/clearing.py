"""From what batches commit to, to what they come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from batches.auction import Band, Flags, Ints, Orders, clear, fees, ration
from batches.leaves import Leaves
from batches.merkle import build
from batches.pool import Pool
from batches.records import Fill, Header, Leaf, Malformed, OrderType, Side

# As `records.Fill` lays it out.
_FILL = np.dtype(
    [("order_hash", "V32"), ("lots", "<u8"), ("quote", "<u8"), ("fee", "<u8"), ("surplus", "<u8")]
)


@dataclass(frozen=True, slots=True)
class Batch:
    """A header with the leaves that it commits to."""

    header: Header
    leaves: Sequence[Leaf]

    def __post_init__(self) -> None:
        hashes = [leaf.order.hash for leaf in self.leaves]
        if any(before >= after for before, after in pairwise(hashes)):
            raise Malformed("leaves", "do not ascend by order hash")


@dataclass(frozen=True, slots=True)
class Committed:
    """A header with the bytes of the leaves that it commits to, which ascend by order hash."""

    header: Header
    leaves: Leaves

    def buys(self) -> Flags:
        """Which of the orders buy."""
        buys: Flags = self.leaves.column("side") == Side.BUY
        return buys


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a batch comes to, order by order.

    Attributes:
        price, pool_lots, pool_quote: as in `Result`.
        lots, quotes, fees, surplus: as in `Fill`, for every leaf in its order.
    """

    price: int
    pool_lots: int
    pool_quote: int
    lots: Ints
    quotes: Ints
    fees: Ints
    surplus: Ints

    def fills(self, hashes: Sequence[bytes]) -> list[bytes]:
        """The records of the orders that got something, which are known by their hashes."""
        places = np.flatnonzero(self.lots)
        fills = np.empty(len(places), _FILL)
        fills["order_hash"] = np.frombuffer(b"".join(hashes), "V32")[places]
        fills["lots"], fills["quote"] = self.lots[places], self.quotes[places]
        fills["fee"], fills["surplus"] = self.fees[places], self.surplus[places]
        data, size = fills.tobytes(), _FILL.itemsize
        return [data[at : at + size] for at in range(0, len(data), size)]


@dataclass(frozen=True, slots=True)
class Result:
    """What a batch comes to, as it is published.

    Attributes:
        price: in ticks; 0 where nothing trades.
        pool_lots: lots that the pool sells; below zero what it buys.
        pool_quote: atoms that the pool gets for them, or gives.
        fills: of the orders that got something, in the order of the leaves.
    """

    price: int
    pool_lots: int
    pool_quote: int
    fills: tuple[Fill, ...]

    @property
    def root(self) -> bytes:
        """The root of the tree over the fills."""
        return build(map(bytes, self.fills)).root


def clear_tick(batches: Sequence[Batch], *, use_pools: bool = True) -> list[Result]:
    """`clear_columns` for records."""
    committed = [Committed(batch.header, Leaves.of(batch.leaves)) for batch in batches]
    results = []
    for batch, cleared in zip(batches, clear_columns(committed, use_pools=use_pools), strict=True):
        fills = cleared.fills([leaf.order.hash for leaf in batch.leaves])
        records = tuple(map(Fill.parse, fills))
        results.append(Result(cleared.price, cleared.pool_lots, cleared.pool_quote, records))
    return results


def clear_columns(batches: Sequence[Committed], *, use_pools: bool = True) -> list[Cleared]:
    """What all batches of a tick come to, the pools of their headers included.

    A pool whose exact price for its part would be worse than the batch's price is left out, as all
    are without `use_pools`: that is the result B, which executes if a swap fails.

    Raises:
        ValueError: sums leave what can be counted exactly.
    """
    results: list[Cleared | None] = [None] * len(batches)
    by_ticks: dict[int, list[int]] = {}
    for place, batch in enumerate(batches):
        by_ticks.setdefault(batch.header.ticks, []).append(place)
    for ticks, places in by_ticks.items():
        some = [batches[place] for place in places]
        for place, result in zip(places, _clear(some, ticks, use_pools), strict=True):
            results[place] = result
    without = [place for place, result in enumerate(results) if result is None]
    if without:
        again = clear_columns([batches[place] for place in without], use_pools=False)
        for place, result in zip(without, again, strict=True):
            results[place] = result
    return [result for result in results if result is not None]


def _clear(batches: Sequence[Committed], ticks: int, use_pools: bool) -> list[Cleared | None]:
    """The results of batches with as many ticks; None where the pool does not keep its price."""
    bands = [_band(batch.header, use_pools) for batch in batches]
    orders = _columns(batches)
    clearing = clear(orders, bands, ticks)
    results: list[Cleared | None] = []
    done = 0
    for number, batch in enumerate(batches):
        mine = slice(done, done + len(batch.leaves))
        done += len(batch.leaves)
        index, pool_lots = int(clearing.prices[number]), int(clearing.pools[number])
        lots = clearing.fills[mine]
        if index < 0:
            results.append(Cleared(0, 0, 0, lots, lots, lots, lots))
        else:
            results.append(_cleared(batch.header, index, pool_lots, lots, orders.buys[mine]))
    return results


def _band(header: Header, use_pools: bool) -> Band:
    curve = None
    if use_pools and header.pool_base:
        curve = _pool(header).curve(
            lot=header.lot,
            first_price=header.first_tick * header.tick,
            step=header.tick,
            ticks=header.ticks,
        )
    return Band(header.first_tick, header.tick, header.reference, curve)


def _pool(header: Header) -> Pool:
    return Pool(header.pool_base, header.pool_quote, header.pool_fee_bps)


def _columns(batches: Sequence[Committed]) -> Orders:
    limits = [batch.leaves.column("limit") - batch.header.first_tick for batch in batches]
    unbounded = [_unbounded(*both) for both in zip(batches, limits, strict=True)]
    return Orders(
        counts=np.array([len(batch.leaves) for batch in batches], np.int64),
        buys=_joined([batch.buys() for batch in batches], np.bool_),
        market_orders=_joined(unbounded, np.bool_),
        limits=_joined(limits, np.int64),
        lots=_joined([batch.leaves.column("remaining") for batch in batches], np.int64),
        ages=_joined([batch.leaves.column("age") for batch in batches], np.int64),
    )


def _joined(columns: Sequence[npt.NDArray[Any]], kind: type) -> npt.NDArray[Any]:
    return np.concatenate(columns) if columns else np.zeros(0, kind)


def _unbounded(batch: Committed, limits: Ints) -> Flags:
    """Which orders rank above all limits: market orders whose collar holds the whole band.

    Where the band reaches beyond what its owner has signed, it is the limit that it names.

    Args:
        limits: as indices into the band.
    """
    whole = np.where(batch.buys(), limits >= batch.header.ticks - 1, limits <= 0)
    unbounded: Flags = whole & (batch.leaves.column("type") == OrderType.MARKET)
    return unbounded


def _cleared(header: Header, index: int, pool_lots: int, lots: Ints, buys: Flags) -> Cleared | None:
    price = (header.first_tick + index) * header.tick
    pool_quote, surplus = _pool_leg(header, pool_lots, price)
    if surplus < 0:
        return None
    quotes = lots * price
    shares = np.zeros(len(lots), np.int64)
    if surplus:
        users = np.flatnonzero((lots > 0) & (buys if pool_lots > 0 else ~buys))
        used = lots[users]
        shares[users] = ration(
            used, np.full(len(users), used.sum()), np.full(len(users), surplus), np.zeros(1, int)
        )
    tick = header.first_tick + index
    return Cleared(tick, pool_lots, pool_quote, lots, quotes, fees(quotes, header.fee_bps), shares)


def _pool_leg(header: Header, lots: int, price: int) -> tuple[int, int]:
    """What the pool gets, or gives, for its lots, and by how much that beats the price."""
    base = abs(lots) * header.lot
    if lots > 0:
        cost = _pool(header).cost(base)
        return (0, -1) if cost is None else (cost, lots * price - cost)
    if lots < 0:
        proceeds = _pool(header).proceeds(base)
        return proceeds, proceeds + lots * price
    return 0, 0
