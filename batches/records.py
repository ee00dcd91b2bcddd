"""The canonical bytes of fair batches: what owners sign, and what a root commits to.

Every record is little-endian, has one length, and starts with the domain it is good for, so that
no signature or hash of one kind passes for another.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from hashlib import sha256
from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature

_ORDER = struct.Struct("<16s32s32sQBBBBHHqQQQ")
_LEAF_TAIL = struct.Struct("<64sQII")
_HEADER = struct.Struct("<16s32sQQQIIIqQQqHQHHQQ32s32s")
_FILL = struct.Struct("<32sQQQQ")

ORDER_DOMAIN = b"fairlane.order.1"
HEADER_DOMAIN = b"fairlane.batch.1"

ORDER_SIZE = _ORDER.size
LEAF_SIZE = ORDER_SIZE + _LEAF_TAIL.size
HEADER_SIZE = _HEADER.size
BPS = 10_000
# Sums of lots stay exact in the floating point that histograms are weighted with.
MAX_LOTS = 2**53 - 1
# Sixteen of the usual bands; more would let a header ask for any amount of memory.
MAX_TICKS = 1 << 16
# What the header of a market's first batch points back to.
NO_HEADER = bytes(32)


class Malformed(ValueError):
    """Bytes or values that are no record: which field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Side(IntEnum):
    BUY = 0
    SELL = 1


class OrderType(IntEnum):
    """A market order ranks above all limits; its limit is the worst price that it accepts."""

    LIMIT = 0
    MARKET = 1


class TimeInForce(IntEnum):
    """What happens to what one batch leaves: it rolls until it expires, or ends at once."""

    ROLL = 0
    ONE_BATCH = 1


@dataclass(frozen=True)
class Order:
    """What an owner signs.

    Attributes:
        market, owner: 32-byte public keys.
        nonce: makes two otherwise equal orders of an owner differ.
        max_fee_bps: the highest fee that the owner accepts.
        limit: the worst price before fees, in ticks: its product with the market's tick is quote
            atoms per lot.
        quantity: in lots.
        expiry_slot: the last slot that it may execute in.
        from_slot: the first.
    """

    market: bytes
    owner: bytes
    nonce: int
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    max_fee_bps: int
    limit: int
    quantity: int
    expiry_slot: int
    from_slot: int

    def __bytes__(self) -> bytes:
        return pack(
            _ORDER,
            ORDER_DOMAIN,
            self.market,
            self.owner,
            self.nonce,
            self.side,
            self.type,
            self.time_in_force,
            0,
            self.max_fee_bps,
            0,
            self.limit,
            self.quantity,
            self.expiry_slot,
            self.from_slot,
        )

    @cached_property
    def hash(self) -> bytes:
        """What the order is known by, and what orders the leaves of a batch."""
        return order_hash(bytes(self))

    @classmethod
    def parse(cls, data: bytes) -> "Order":
        """The order that these bytes are.

        Raises:
            Malformed: they are none, or not in the one way to write it.
        """
        values = unpack(_ORDER, data, ORDER_DOMAIN, "order")
        market, owner, nonce, side, kind, tif, flags, max_fee, pad, *rest = values
        limit, quantity, expiry_slot, from_slot = rest
        if side not in tuple(Side):
            raise Malformed("side", "is 0 to buy, 1 to sell")
        if kind not in tuple(OrderType):
            raise Malformed("type", "is 0 for a limit, 1 for a market order")
        if tif not in tuple(TimeInForce):
            raise Malformed("time_in_force", "is 0 to roll, 1 for one batch")
        if flags or pad:
            raise Malformed("flags" if flags else "pad", "must be zero")
        if max_fee > BPS:
            raise Malformed("max_fee_bps", f"is more than {BPS}")
        if not 0 < quantity <= MAX_LOTS:
            raise Malformed("quantity", f"is not between 1 and {MAX_LOTS}")
        if limit <= 0:
            raise Malformed("limit", "must be above zero")
        if from_slot > expiry_slot:
            raise Malformed("from_slot", "is after the expiry")
        return cls(
            market,
            owner,
            nonce,
            Side(side),
            OrderType(kind),
            TimeInForce(tif),
            max_fee,
            limit,
            quantity,
            expiry_slot,
            from_slot,
        )


@dataclass(frozen=True)
class Leaf:
    """An order as a batch commits to it.

    Attributes:
        signature: the owner's Ed25519 signature of the order's 128 bytes.
        remaining: lots that earlier batches left.
        age: batches that it has waited.
        receipt_seq: the number of the receipt that its owner holds.
    """

    order: Order
    signature: bytes
    remaining: int
    age: int
    receipt_seq: int

    def __bytes__(self) -> bytes:
        tail = (self.signature, self.remaining, self.age, self.receipt_seq)
        return bytes(self.order) + pack(_LEAF_TAIL, *tail)

    @classmethod
    def parse(cls, data: bytes) -> "Leaf":
        """The leaf that these bytes are.

        Raises:
            Malformed: they are none.
        """
        if len(data) != LEAF_SIZE:
            raise Malformed("leaf", f"has {len(data)} bytes, not {LEAF_SIZE}")
        signature, remaining, age, receipt_seq = _LEAF_TAIL.unpack(data[ORDER_SIZE:])
        return cls(Order.parse(data[:ORDER_SIZE]), signature, remaining, age, receipt_seq)

    def is_signed(self) -> bool:
        """Whether the owner's key made the signature."""
        return signed_by(self.order.owner, bytes(self.order), self.signature)


@dataclass(frozen=True, slots=True)
class Header:
    """What a batch is cleared by, as its tick commits to it before it executes.

    Attributes:
        count: how many orders are in.
        last_seq: the last receipt given before the cutoff.
        ticks: prices in the band.
        lot: base atoms.
        first_tick: the lowest price of the band, in ticks.
        tick: quote atoms per lot that one tick is worth.
        reference: in ticks; decides between prices that clear equally well.
        collar_bps: how far from here the reference may move with a trade.
        follows: the number of the batch that the reference comes out of; 0 for the one that the
            market was opened with.
        pool_fee_bps, pool_base, pool_quote: the fee and the reserves, in atoms, of the pool that
            may take the residue; reserves of zero for none.
        previous: the hash of the header that the market committed to before.
        root: of the tree over the leaves.
    """

    market: bytes
    batch_no: int
    target_slot: int
    cutoff_slot: int
    count: int
    last_seq: int
    ticks: int
    first_tick: int
    tick: int
    lot: int
    reference: int
    collar_bps: int
    follows: int
    fee_bps: int
    pool_fee_bps: int
    pool_base: int
    pool_quote: int
    previous: bytes
    root: bytes

    def __bytes__(self) -> bytes:
        return pack(
            _HEADER,
            HEADER_DOMAIN,
            self.market,
            self.batch_no,
            self.target_slot,
            self.cutoff_slot,
            self.count,
            self.last_seq,
            self.ticks,
            self.first_tick,
            self.tick,
            self.lot,
            self.reference,
            self.collar_bps,
            self.follows,
            self.fee_bps,
            self.pool_fee_bps,
            self.pool_base,
            self.pool_quote,
            self.previous,
            self.root,
        )

    @property
    def hash(self) -> bytes:
        """What the market's next header points back to."""
        return sha256(b"\x04" + bytes(self)).digest()

    @classmethod
    def parse(cls, data: bytes) -> "Header":
        """The header that these bytes are.

        Raises:
            Malformed: they are none, or one that no batch can have.
        """
        header = cls(*unpack(_HEADER, data, HEADER_DOMAIN, "header"))
        if header.cutoff_slot >= header.target_slot:
            raise Malformed("cutoff_slot", "is not before the target slot")
        if not 0 < header.ticks <= MAX_TICKS:
            raise Malformed("ticks", f"is not between 1 and {MAX_TICKS}")
        for name in ("first_tick", "tick", "lot", "reference"):
            if getattr(header, name) <= 0:
                raise Malformed(name, "must be above zero")
        if header.fee_bps > BPS or header.pool_fee_bps >= BPS:
            raise Malformed("fee_bps", "is more than the whole")
        if header.collar_bps > BPS:
            raise Malformed("collar_bps", f"is more than {BPS}")
        if header.follows >= header.batch_no:
            raise Malformed("follows", "is not a batch before this one")
        if (header.pool_base == 0) != (header.pool_quote == 0):
            raise Malformed("pool_base", "a pool holds both tokens or is none")
        return header


@dataclass(frozen=True, slots=True)
class Fill:
    """What a batch gave to one of its orders.

    Attributes:
        lots: bought or sold.
        quote: atoms before the fee.
        fee: quote atoms, which a buyer pays on top and a seller leaves.
        surplus: quote atoms that a pool's better price gives back.
    """

    order_hash: bytes
    lots: int
    quote: int
    fee: int
    surplus: int

    def __bytes__(self) -> bytes:
        return pack(_FILL, self.order_hash, self.lots, self.quote, self.fee, self.surplus)

    @classmethod
    def parse(cls, data: bytes) -> "Fill":
        """The fill that these bytes are.

        Raises:
            Malformed: they are none.
        """
        if len(data) != _FILL.size:
            raise Malformed("fill", f"has {len(data)} bytes, not {_FILL.size}")
        return cls(*_FILL.unpack(data))


def order_hash(order: bytes) -> bytes:
    """The hash of an order's 128 bytes."""
    return sha256(b"\x02" + order).digest()


def signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the Ed25519 signature of `message` by the public key."""
    return Signature.from_bytes(signature).verify(Pubkey.from_bytes(key), message)


def pack(layout: struct.Struct, *values: int | bytes) -> bytes:
    """The bytes of a record.

    Raises:
        Malformed: a value does not fit its field.
    """
    try:
        data = layout.pack(*values)
    except struct.error as error:
        raise Malformed("record", str(error)) from None
    # Bytes of another length would be cut or padded, and so stand for something else.
    if [len(v) for v in values if isinstance(v, bytes)] != [
        len(v) for v in layout.unpack(data) if isinstance(v, bytes)
    ]:
        raise Malformed("record", "a key, hash or signature has the wrong length")
    return data


def unpack(layout: struct.Struct, data: bytes, domain: bytes, name: str) -> tuple[Any, ...]:
    """The values of a record that starts with its domain.

    Raises:
        Malformed: the bytes have another length or domain.
    """
    if len(data) != layout.size:
        raise Malformed(name, f"has {len(data)} bytes, not {layout.size}")
    found, *values = layout.unpack(data)
    if found != domain:
        raise Malformed("domain", f"is not {domain.decode()}")
    return tuple(values)
