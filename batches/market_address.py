"""The name by which signed orders know a market. Pure."""

import struct
from hashlib import sha256

from solders.pubkey import Pubkey

DOMAIN = b"fairlane.market.1"
_UNITS = struct.Struct("<QQ")


def market_address(name: str, *, base_mint: str, quote_mint: str, lot: int, tick: int) -> str:
    """The address of a market, in base58: it is another one where the units of an order are.

    Args:
        lot, tick: base atoms, and quote atoms per lot.

    Raises:
        ValueError: a mint is no address.
    """
    mints = (bytes(Pubkey.from_string(mint)) for mint in (base_mint, quote_mint))
    content = DOMAIN + name.encode() + b"".join(mints) + _UNITS.pack(lot, tick)
    return str(Pubkey.from_bytes(sha256(content).digest()))
