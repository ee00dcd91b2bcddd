"""The name by which signed orders know a market, its units and its keys. Pure."""

import struct
from hashlib import sha256

from solders.pubkey import Pubkey

DOMAIN = b"fairlane.market.1"
_UNITS = struct.Struct("<QQ")


def market_address(
    name: str,
    *,
    base_mint: str,
    quote_mint: str,
    lot: int,
    tick: int,
    coordinator: str,
    receipt_key: str,
) -> str:
    """The address of a market, in base58: it is another one where the units of an order are, or
    who holds its money and promises to include it. So the owner's signature is for these alone.

    Args:
        lot, tick: base atoms, and quote atoms per lot.

    Raises:
        ValueError: a mint or a key is no address.
    """
    keys = (base_mint, quote_mint, coordinator, receipt_key)
    named = b"".join(bytes(Pubkey.from_string(key)) for key in keys)
    content = DOMAIN + name.encode() + named + _UNITS.pack(lot, tick)
    return str(Pubkey.from_bytes(sha256(content).digest()))
