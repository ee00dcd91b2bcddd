"""Orders of fair batches as a customer's program makes them: a record of 128 bytes, signed."""

import struct
from dataclasses import dataclass
from hashlib import sha256

from solders.keypair import Keypair
from solders.pubkey import Pubkey

RECORD = struct.Struct("<16s32s32sQBBBBHHqQQQ")
DOMAIN = b"fairlane.order.1"
BUY, SELL = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an owner asks for.

    Attributes:
        market: its address.
        is_market: whether it is a market order; its limit is the worst price that it takes.
        is_for_one_batch: whether what the next batch leaves of it ends.
        limit: in ticks, quantity in lots.
    """

    market: str
    side: int
    is_market: bool
    is_for_one_batch: bool
    max_fee_bps: int
    limit: int
    quantity: int
    expiry_slot: int
    nonce: int


def record(owner: Pubkey, terms: Terms) -> bytes:
    """The bytes to be signed."""
    return RECORD.pack(
        DOMAIN,
        bytes(Pubkey.from_string(terms.market)),
        bytes(owner),
        terms.nonce,
        terms.side,
        terms.is_market,
        terms.is_for_one_batch,
        0,
        terms.max_fee_bps,
        0,
        terms.limit,
        terms.quantity,
        terms.expiry_slot,
        0,
    )


def body(owner: Keypair, terms: Terms) -> dict[str, str]:
    """What the API takes."""
    signed = record(owner.pubkey(), terms)
    return {"record": signed.hex(), "signature": str(owner.sign_message(signed))}


def name(record: str) -> str:
    """The hash that an order is known by, in hexadecimal digits as its record is."""
    return sha256(b"\x02" + bytes.fromhex(record)).hexdigest()
