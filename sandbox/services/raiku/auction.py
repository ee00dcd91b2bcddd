"""The sealed auction of a slot: a pure function of the seed, the slot and the bids."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.services.makers.chance import draw

# A fifth of a block of 60 million.
SLOT_CU = 12_000_000
# How long bids are taken: a minute of slots of 400 ms.
OPEN_SLOTS = 150
# Immediate inclusion costs at least 1.05 times the fee of the moment.
JIT_PERCENT = 105

# Micro-lamports per compute unit.
_FLOOR = (1_000, 2_000)
# Of a hundred slots, those that somebody else bids for, and up to how many times the floor.
_RIVALS_PERCENT = 75
_RIVAL_FACTOR = 3

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Terms:
    """How a slot is sold. Prices are micro-lamports per compute unit.

    Attributes:
        opens_at: the first slot during which bids are taken.
        closes_at: the first during which they no longer are.
        rival: the highest bid of others, for any amount; 0 where nobody else bids.
    """

    opens_at: int
    closes_at: int
    floor: int
    rival: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What one bidder wants at most to pay, in micro-lamports per compute unit."""

    cu: int
    price: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The positions of the bids that won, and what each of them pays per compute unit."""

    winners: tuple[int, ...]
    price: int


def terms(seed: int, slot: int, *, lead: int) -> Terms:
    """The terms of a slot whose auction closes `lead` slots before it."""
    closes_at = max(0, slot - lead)
    least, most = _FLOOR
    floor = least + draw(seed, f"floor/{slot}", most - least + 1)
    rival = 0
    if draw(seed, f"rivalry/{slot}", 100) < _RIVALS_PERCENT:
        rival = floor + draw(seed, f"rival/{slot}", floor * (_RIVAL_FACTOR - 1) + 1)
    return Terms(max(0, closes_at - OPEN_SLOTS), closes_at, floor, rival)


def jit_floor(floor: int) -> int:
    """The least price of immediate inclusion, rounded up."""
    return -(-floor * JIT_PERCENT // 100)


def clear(offers: Sequence[Offer], *, terms: Terms, cu: int = SLOT_CU) -> Outcome:
    """Sell up to `cu` units: the dearest first, ties to the earlier, until one does not fit.

    All winners pay the highest price that lost, or the floor where none did.
    """
    order = sorted(range(len(offers)), key=lambda i: (-offers[i].price, i))
    winners: list[int] = []
    price = max(terms.floor, terms.rival)
    for position in order:
        offer = offers[position]
        if offer.price < terms.floor or offer.price <= terms.rival:
            break
        if offer.cu > cu:
            price = max(price, offer.price)
            break
        winners.append(position)
        cu -= offer.cu
    return Outcome(tuple(winners), price)


def lamports(cu: int, price: int) -> int:
    """What `cu` units cost at a price, rounded up."""
    return -(-cu * price // _MICRO)
