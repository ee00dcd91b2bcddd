"""What an order's numbers mean in a market: lots and ticks, tokens and prices, escrow. Pure."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from batches.records import BPS, Order, Side, TimeInForce

# Enough for any product of two 64-bit integers and the powers of ten of two tokens.
_EXACT = Context(prec=120)
INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Units:
    """A market's units: see ``batches.models.Market``."""

    lot: int
    tick: int
    base_decimals: int
    quote_decimals: int

    def price(self, ticks: int) -> Decimal:
        """Quote tokens per base token."""
        quote = _EXACT.multiply(Decimal(ticks), Decimal(self.tick)).scaleb(-self.quote_decimals)
        return _EXACT.divide(quote, Decimal(self.lot).scaleb(-self.base_decimals))

    def ticks(self, price: Decimal, side: Side) -> int:
        """The limit that keeps to a price: a buyer's rounded down, a seller's up."""
        quote = _EXACT.multiply(price, Decimal(self.lot).scaleb(-self.base_decimals))
        exact = _EXACT.divide(quote.scaleb(self.quote_decimals), Decimal(self.tick))
        rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
        return int(exact.to_integral_value(rounding))


def price_text(price: Decimal) -> str:
    """A price for people: at most twelve significant digits, without trailing zeros."""
    rounded = Context(prec=12).plus(price)
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def collar(reference: int, collar_bps: int, side: Side) -> int:
    """The worst price, in ticks, that a market order may name."""
    if side is Side.BUY:
        return reference * (BPS + collar_bps) // BPS
    return max(1, -(-reference * (BPS - collar_bps) // BPS))


def worth(order: Order, tick: int) -> int:
    """Quote atoms of the whole order at its limit, before fees."""
    return order.quantity * order.limit * tick


def stake(order: Order, *, reference: int, tick: int) -> int:
    """Quote atoms that an order puts in: a buy's worth, and a sell's lots at the reference, because
    a sell may name any limit for the same escrow."""
    return order.quantity * (order.limit if order.side is Side.BUY else reference) * tick


def escrow(order: Order, *, lot: int, tick: int) -> int:
    """Atoms that cover every way in which the order can be filled: quote of a buy, base of a sell.

    Each fill's fee is rounded up, so an order that batches fill one lot at a time may owe an atom
    more for each of them than one that is filled at once.

    Args:
        lot, tick: base atoms, and quote atoms per lot.
    """
    if order.side is Side.SELL:
        return order.quantity * lot
    value = worth(order, tick)
    fee = -(-value * order.max_fee_bps // BPS)
    rounding = order.quantity - 1 if order.time_in_force is TimeInForce.ROLL and fee else 0
    return value + fee + rounding


def is_improvement(order: Order, before: Order, remaining: int) -> bool:
    """Whether an order is in each batch that another would be in, of which `remaining` lots are
    left, and asks for no less there."""
    better = order.limit >= before.limit if order.side is Side.BUY else order.limit <= before.limit
    return (
        better
        and order.quantity >= remaining
        and order.type is before.type
        and order.time_in_force is before.time_in_force
        and order.from_slot <= before.from_slot
        and order.expiry_slot >= before.expiry_slot
        and order.max_fee_bps >= before.max_fee_bps
    )
