"""Orders as clients send them, checked against the market: signed already, or signed here."""

import secrets
from dataclasses import dataclass
from decimal import Decimal

from pydantic.alias_generators import to_camel
from solders.pubkey import Pubkey

from batches import registry, requests, terms
from batches.band import TICKS, first_tick
from batches.models import Market
from batches.records import (
    MAX_LOTS,
    Malformed,
    Order,
    OrderType,
    Side,
    TimeInForce,
    signed_by,
)
from batches.terms import Units
from chains import registry as adapters
from chains.errors import Definitive
from fairlane.core import validation
from fairlane.core.errors import FieldError, invalid
from fairlane.core.principals import Principal
from orders.amounts import AmountError, to_base_units


@dataclass(frozen=True, slots=True)
class Offer:
    """A signed order that the market can take.

    Attributes:
        escrow: atoms that are to be in the vault.
    """

    order: Order
    signature: bytes
    wallet: str
    escrow: int


def units(market: Market) -> Units:
    return Units(market.lot, market.tick, market.base_decimals, market.quote_decimals)


def read(market: Market, body: object, *, by: Principal) -> Offer:
    """The offer that a request makes.

    Raises:
        Problem: 400, a field is wrong, or the signature is; 403, not this caller's wallet.
    """
    if isinstance(body, dict) and "record" in body:
        asked = validation.parse(requests.SignedOrder, body)
        order, signature = _parsed(asked.record), asked.signature
        by.require_wallet(str(Pubkey.from_bytes(order.owner)))
        if not signed_by(order.owner, bytes(order), signature):
            raise invalid(FieldError("signature", "invalid", "It is not the owner's."))
    else:
        held = validation.parse(requests.HeldOrder, body)
        by.require_wallet(held.wallet)
        order = order_of(market, held, slot=_slot())
        signature = _sign(held.wallet, bytes(order))
    _check(market, order)
    wallet = str(Pubkey.from_bytes(order.owner))
    return Offer(order, signature, wallet, terms.escrow(order, lot=market.lot, tick=market.tick))


def _parsed(record: bytes) -> Order:
    try:
        return Order.parse(record)
    except Malformed as error:
        field = f"record.{to_camel(error.field)}"
        raise invalid(FieldError(field, "invalid", error.reason)) from None


def order_of(
    market: Market, held: requests.HeldOrder, *, slot: int, nonce: int | None = None
) -> Order:
    """The record of an order's terms.

    Args:
        slot: the running one, from which it expires.
        nonce: None for a random one.

    Raises:
        Problem: 400, a term cannot be expressed in the market's units.
    """
    try:
        owner = bytes(Pubkey.from_string(held.wallet))
    except ValueError:
        raise invalid(FieldError("wallet", "invalid", "It is no address.")) from None
    side = Side.BUY if held.side == "buy" else Side.SELL
    if held.limit_price is None:
        limit = terms.collar(market.reference, market.collar_bps, side)
    else:
        limit = _limit(market, held.limit_price, side)
    fee = market.fee_bps if held.max_fee_bps is None else held.max_fee_bps
    return Order(
        market=bytes(Pubkey.from_string(market.address)),
        owner=owner,
        nonce=secrets.randbits(64) if nonce is None else nonce,
        side=side,
        type=OrderType.MARKET if held.type == "market" else OrderType.LIMIT,
        time_in_force=TimeInForce.ROLL if held.time_in_force == "roll" else TimeInForce.ONE_BATCH,
        max_fee_bps=fee,
        limit=limit,
        quantity=_lots(market, held),
        expiry_slot=slot + held.expires_in_slots,
        from_slot=0,
    )


def _limit(market: Market, price: Decimal, side: Side) -> int:
    if not price.is_finite() or price <= 0 or price.adjusted() > 30:
        raise invalid(FieldError("limitPrice", "invalid", "It must be above 0."))
    limit = units(market).ticks(price, side)
    if not 0 < limit <= terms.INT64_MAX:
        message = "It is less than the smallest price." if limit <= 0 else "It is too high."
        raise invalid(FieldError("limitPrice", "invalid", message))
    return limit


def _lots(market: Market, held: requests.HeldOrder) -> int:
    try:
        atoms = to_base_units(held.quantity, market.base_decimals)
    except AmountError as error:
        raise invalid(FieldError("quantity", error.code, str(error))) from None
    lots, rest = divmod(atoms, market.lot)
    if rest:
        raise invalid(
            FieldError("quantity", "no_multiple", "It must be a multiple of the market's lot.")
        )
    return lots


def _sign(wallet: str, record: bytes) -> bytes:
    try:
        return adapters.wallet_keys().sign(wallet, record)
    except Definitive:
        message = "No key is held for it: send the record and its signature."
        raise invalid(FieldError("wallet", "not_held", message)) from None


def _slot() -> int:
    """About the slot that is running, as it was read last."""
    return registry.slot_reading().slot


def _check(market: Market, order: Order) -> None:
    """What the market asks of every order.

    Raises:
        Problem: 400.
    """
    value = terms.worth(order, market.tick)
    dearest = order.quantity * (first_tick(market.reference) + TICKS) * market.tick
    stake = terms.stake(order, reference=market.reference, tick=market.tick)
    wrong = []
    if order.market != bytes(Pubkey.from_string(market.address)):
        wrong.append(FieldError("record.market", "another", "It is for another market."))
    if order.max_fee_bps < market.fee_bps:
        message = f"The market charges {market.fee_bps} hundredths of a percent."
        wrong.append(FieldError("maxFeeBps", "too_low", message))
    escrow = terms.escrow(order, lot=market.lot, tick=market.tick)
    if max(value, dearest, escrow) > terms.INT64_MAX or order.quantity > MAX_LOTS:
        wrong.append(FieldError("quantity", "too_large", "It is worth more than can be counted."))
    elif stake < int(market.minimum_notional):
        message = f"It is worth less than {market.minimum_notional} quote atoms."
        wrong.append(FieldError("quantity", "too_small", message))
    if order.type is OrderType.MARKET:
        worst = terms.collar(market.reference, market.collar_bps, order.side)
        beyond = order.limit > worst if order.side is Side.BUY else order.limit < worst
        if beyond:
            message = f"A market order's limit is the collar at most: {worst} ticks."
            wrong.append(FieldError("limit", "beyond_collar", message))
    if order.expiry_slot <= _slot():
        wrong.append(FieldError("expirySlot", "past", "It has passed."))
    if wrong:
        raise invalid(*wrong)
