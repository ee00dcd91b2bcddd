"""What owners are sent once a batch has cleared: netted, one payout for each owner."""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from batches.auction import Flags
from batches.bundle import Payout
from batches.records import Fill, Header, Leaf, Side
from chains.solana.swap import MEMO_PREFIX

_MEMO = re.compile(re.escape(MEMO_PREFIX) + r"[0-9a-f-]{36} t=([0-9]{1,20})", re.ASCII)
# Whole numbers: atoms of a token need more bits than lots do, and so are of any size, or of 64 bits
# where these hold every sum.
Amounts = npt.NDArray[Any]


def proceeds(header: Header, leaves: Sequence[Leaf], fills: Iterable[Fill]) -> list[Payout]:
    """What the fills bring to each owner, by owner."""
    orders = {leaf.order.hash: leaf.order for leaf in leaves}
    filled = list(fills)
    mine = [orders[fill.order_hash] for fill in filled]
    base, quote = brought(
        header.lot,
        np.array([order.side is Side.BUY for order in mine], np.bool_),
        np.array([fill.lots for fill in filled], object),
        np.array([fill.quote for fill in filled], object),
        np.array([fill.fee for fill in filled], object),
        np.array([fill.surplus for fill in filled], object),
    )
    return net([order.owner for order in mine], base, quote)


def brought(
    lot: int, buys: Flags, lots: Amounts, quotes: Amounts, fees: Amounts, surplus: Amounts
) -> tuple[Amounts, Amounts]:
    """Base and quote that fills bring: buyers get base, sellers quote less the fee.

    A pool's surplus is quote for either side. What buyers pay comes out of their escrow.
    """
    base: Amounts = lots * lot * buys
    quote: Amounts = (quotes - fees) * ~buys + surplus
    return base, quote


def spent(lot: int, buys: Flags, lots: Amounts, quotes: Amounts, fees: Amounts) -> Amounts:
    """Escrow that fills use up: a buyer's fee comes on top, and out of the same escrow."""
    used: Amounts = (quotes + fees) * buys + lots * lot * ~buys
    return used


def net(owners: Iterable[bytes], base: Amounts, quote: Amounts) -> list[Payout]:
    """One payout for each owner who gets anything, in the order of their keys."""
    sums: dict[bytes, tuple[int, int]] = {}
    for owner, more_base, more_quote in zip(owners, base.tolist(), quote.tolist(), strict=True):
        so_far = sums.get(owner, (0, 0))
        sums[owner] = so_far[0] + more_base, so_far[1] + more_quote
    return [Payout(owner, *both) for owner, both in sorted(sums.items()) if any(both)]


def reference(packet: UUID, tick: int) -> str:
    """What the memo of a transaction names that pays what a tick's batches bring."""
    return f"{packet} t={tick}"


def settled_tick(memo: str) -> int | None:
    """The tick that a transaction with this memo pays for; None for any other memo."""
    match = _MEMO.fullmatch(memo)
    return int(match[1]) if match else None
