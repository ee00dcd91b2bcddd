"""What a tick commits to: leaves, headers and roots, as bytes. No I/O."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from solders.pubkey import Pubkey

from batches import merkle
from batches.band import TICKS, first_tick
from batches.coordination.lines import FIRST, Line
from batches.models import Market
from batches.pool import Pool
from batches.records import Header, order_hash

_TAIL = struct.Struct("<QII")


@dataclass(frozen=True, slots=True)
class Taken:
    """An order that a batch takes in: the columns of its leaf."""

    batch_id: UUID
    market_id: int
    record: bytes
    signature: bytes
    remaining: int
    age: int
    receipt_seq: int

    @property
    def leaf(self) -> bytes:
        return self.record + self.signature + _TAIL.pack(self.remaining, self.age, self.receipt_seq)


@dataclass(frozen=True, slots=True)
class Commitment:
    """One batch's part of the tick's tree."""

    batch_id: UUID
    header: Header
    leaves: bytes


def commit(
    taken: Sequence[Taken],
    markets: Mapping[int, Market],
    pools: Mapping[int, Pool],
    lines: Mapping[int, Line],
    *,
    number: int,
    target_slot: int,
    cutoff_slot: int,
) -> list[Commitment]:
    """A batch for each market that has orders, in the order of the markets' addresses.

    Args:
        pools: those that may take what the batches leave, by market.
        lines: what the headers point back to, by market.
        number: of the batches.
    """
    by_batch: dict[UUID, list[Taken]] = {}
    for order in sorted(taken, key=lambda order: (order.market_id, order_hash(order.record))):
        by_batch.setdefault(order.batch_id, []).append(order)
    commitments = [
        _commitment(
            batch_id,
            orders,
            markets[orders[0].market_id],
            pools.get(orders[0].market_id, Pool(0, 0, 0)),
            lines.get(orders[0].market_id, FIRST),
            number,
            target_slot,
            cutoff_slot,
        )
        for batch_id, orders in by_batch.items()
    ]
    return sorted(commitments, key=lambda each: each.header.market)


def _commitment(
    batch_id: UUID,
    orders: Sequence[Taken],
    market: Market,
    pool: Pool,
    line: Line,
    number: int,
    target_slot: int,
    cutoff_slot: int,
) -> Commitment:
    leaves = [order.leaf for order in orders]
    header = Header(
        market=bytes(Pubkey.from_string(market.address)),
        batch_no=number,
        target_slot=target_slot,
        cutoff_slot=cutoff_slot,
        count=len(leaves),
        last_seq=market.receipt_seq,
        ticks=TICKS,
        first_tick=first_tick(market.reference),
        tick=market.tick,
        lot=market.lot,
        reference=market.reference,
        collar_bps=market.collar_bps,
        follows=line.follows,
        fee_bps=market.fee_bps,
        pool_fee_bps=pool.fee_bps,
        pool_base=pool.base,
        pool_quote=pool.quote,
        previous=line.previous,
        root=merkle.build(leaves).root,
    )
    return Commitment(batch_id, header, b"".join(leaves))
