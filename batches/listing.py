"""Opening a market: its units and prices as numbers, its mints looked at, its vaults opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db import transaction

from batches import registry, vaults
from batches.band import TICKS, first_tick
from batches.market_address import market_address
from batches.models import Market
from batches.records import BPS
from batches.terms import INT64_MAX
from chains import registry as adapters
from fairlane.core import audit
from orders.amounts import AmountError, to_base_units
from orders.registry import TokenInfo

# Of one owner, where the market does not say.
MAX_OPEN_ORDERS = 100
# Beyond this many digits before or behind the point nothing has a price.
_DIGITS = 40


class ListingError(Exception):
    """Why there can be no such market; the text is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a market is to be.

    Attributes:
        lot: base tokens.
        tick, reference: quote tokens per base token.
        minimum_notional: quote tokens; None for half of what a lot costs.
        owner_cap: quote tokens; None for none.
        pool_fee_bps: of the pool that takes what batches leave; None where none may.
        look_ahead: batches that are kept planned; ``cutoff_lead_ms`` is between a batch's cutoff
            and its slot. None for the settings' own, see ``batches.models.Market``.
        lock_ms: so long before a cutoff an order in the book can only be improved.
    """

    base: TokenInfo
    quote: TokenInfo
    lot: Decimal
    tick: Decimal
    reference: Decimal
    fee_bps: int
    cadence_ms: int
    collar_bps: int
    minimum_notional: Decimal | None
    owner_cap: Decimal | None
    pool_fee_bps: int | None
    max_open_orders: int = MAX_OPEN_ORDERS
    look_ahead: int | None = None
    cutoff_lead_ms: int | None = None
    lock_ms: int = 0


def market(listing: Listing) -> Market:
    """The market's row, which nothing has stored.

    Raises:
        ListingError: a number cannot be expressed in the tokens' atoms, or none holds it.
        ChainError: a key is missing.
    """
    base, quote = listing.base, listing.quote
    if base.mint == quote.mint:
        raise ListingError("a market has two different tokens")
    lot = _atoms("lot", listing.lot, base)
    step = _price("tick", listing.tick)
    tick = _whole(
        step * lot * Fraction(10) ** (quote.decimals - base.decimals),
        f"the tick is {{}} atoms of {quote.symbol} per lot",
    )
    reference = _whole(_price("reference", listing.reference) / step, "the reference is {} ticks")
    top = first_tick(reference) + TICKS
    if max(lot, top * tick) > INT64_MAX:
        raise ListingError("a lot at the band's highest price is more than 64 bits hold")
    least = _quote_atoms("minimum notional", listing.minimum_notional, quote)
    name = f"{base.symbol}-{quote.symbol}"
    coordinator, receipt_key = map(registry.address_of, (registry.COORDINATOR, registry.RECEIPTS))
    return Market(
        name=name,
        address=market_address(
            name,
            base_mint=base.mint,
            quote_mint=quote.mint,
            lot=lot,
            tick=tick,
            coordinator=coordinator,
            receipt_key=receipt_key,
        ),
        base_symbol=base.symbol,
        base_mint=base.mint,
        base_decimals=base.decimals,
        base_token2022=base.token2022,
        quote_symbol=quote.symbol,
        quote_mint=quote.mint,
        quote_decimals=quote.decimals,
        quote_token2022=quote.token2022,
        lot=lot,
        tick=tick,
        fee_bps=_bps("fee", listing.fee_bps),
        cadence_ms=_cadence(listing.cadence_ms),
        collar_bps=_bps("collar", listing.collar_bps),
        minimum_notional=reference * tick // 2 if least is None else least,
        owner_cap=_quote_atoms("owner cap", listing.owner_cap, quote),
        uses_pool=listing.pool_fee_bps is not None,
        pool_fee_bps=_pool_fee(listing.pool_fee_bps),
        max_open_orders=_open_orders(listing.max_open_orders),
        look_ahead=_look_ahead(listing.look_ahead),
        cutoff_lead_ms=_cutoff_lead(listing.cutoff_lead_ms),
        lock_ms=_lock(listing.lock_ms, listing.cadence_ms),
        coordinator=coordinator,
        receipt_key=receipt_key,
        reference=reference,
    )


def open_market(wanted: Market, *, by: str) -> bool:
    """Store a market, once its mints are found harmless and its vaults are open.

    One that is there stays as it is. Its reference has followed its batches since, and so is no
    part of what was asked for; nor is whether it uses its pool, which an operator decides.

    Args:
        by: for the audit trail.

    Returns:
        Whether it is new.

    Raises:
        ListingError: there is another one of this name, or a mint is none that a vault can hold.
        ChainError: the node does not answer, or did not take a transaction.
    """
    known = Market.objects.filter(name=wanted.name).first()
    if known is not None:
        _require_same(_terms(known), _terms(wanted), wanted.name)
        return False
    _require_harmless(wanted)
    vaults.open_for(wanted)
    with transaction.atomic():
        wanted.save(force_insert=True)
        audit.record(
            actor=by,
            action="market.open",
            object=f"market:{wanted.name}",
            after=_terms(wanted) | {"reference": wanted.reference, "usesPool": wanted.uses_pool},
        )
    return True


def set_active(market_id: int, active: bool, *, by: str, reason: str) -> Market:
    """Close a market, whose batches are not planned from now on, or open it again.

    What is planned already still takes the orders that are open, and goes on to its end.

    Args:
        by, reason: for the audit trail.
    """
    with transaction.atomic():
        market = Market.objects.select_for_update(no_key=True).get(id=market_id)
        before, market.active = market.active, active
        market.save(update_fields=["active"])
        audit.record(
            actor=by,
            action="market.reopen" if active else "market.close",
            object=f"market:{market.name}",
            before={"active": before},
            after={"active": active},
            reason=reason,
        )
    return market


def _terms(market: Market) -> dict[str, object]:
    """What the market was opened with, as JSON holds it."""
    cap = market.owner_cap
    return {
        "address": market.address,
        "base": market.base_mint,
        "quote": market.quote_mint,
        "lot": str(market.lot),
        "tick": str(market.tick),
        "feeBps": market.fee_bps,
        "cadenceMs": market.cadence_ms,
        "collarBps": market.collar_bps,
        "minimumNotional": str(market.minimum_notional),
        "ownerCap": None if cap is None else str(cap),
        "poolFeeBps": market.pool_fee_bps,
        "maxOpenOrders": market.max_open_orders,
        "lookAhead": market.look_ahead,
        "cutoffLeadMs": market.cutoff_lead_ms,
        "lockMs": market.lock_ms,
        "coordinator": market.coordinator,
        "receiptKey": market.receipt_key,
    }


def _require_same(known: Mapping[str, object], wanted: Mapping[str, object], name: str) -> None:
    other = [f"{field} is {known[field]}" for field in known if known[field] != wanted[field]]
    if other:
        raise ListingError(f"{name} is there already, and another one: {', '.join(other)}")


def _require_harmless(wanted: Market) -> None:
    addresses = [wanted.base_mint, wanted.quote_mint]
    found = adapters.run(adapters.solana().mints(addresses))
    for address, mint in zip(addresses, found, strict=True):
        token = registry.token(wanted, address)
        if mint is None:
            raise ListingError(f"{address} is no mint on this chain")
        if (mint.decimals, mint.token2022) != (token.decimals, token.token2022):
            raise ListingError(f"the chain has other decimals or another program for {address}")
        if mint.hazards:
            raise ListingError(
                f"a vault of {address} cannot keep its books: {', '.join(mint.hazards)}"
            )


def _atoms(what: str, amount: Decimal, token: TokenInfo) -> int:
    try:
        return to_base_units(amount, token.decimals)
    except AmountError as error:
        raise ListingError(f"the {what} {error}") from None


def _quote_atoms(what: str, amount: Decimal | None, quote: TokenInfo) -> int | None:
    return None if amount is None else _atoms(what, amount, quote)


def _price(what: str, price: Decimal) -> Fraction:
    if not price.is_finite() or price <= 0 or abs(price.adjusted()) > _DIGITS:
        raise ListingError(f"the {what} must be a price above 0")
    return Fraction(price)


def _whole(number: Fraction, what: str) -> int:
    if number.denominator != 1:
        raise ListingError(f"{what.format(f'{float(number):.12g}')}, which is no whole number")
    return number.numerator


def _bps(what: str, bps: int) -> int:
    if not 0 <= bps <= 10_000:
        raise ListingError(f"the {what} is from 0 to 10000 hundredths of a percent")
    return bps


def _pool_fee(bps: int | None) -> int:
    if bps is not None and not 0 <= bps < BPS:
        raise ListingError("the pool's fee is from 0 to 9999 hundredths of a percent")
    return bps or 0


def _cadence(milliseconds: int) -> int:
    if not 100 <= milliseconds <= 3_600_000:
        raise ListingError("the cadence is from 100 ms to an hour")
    return milliseconds


def _open_orders(most: int) -> int:
    if not 1 <= most <= 100_000:
        raise ListingError("an owner's open orders are from 1 to 100000")
    return most


def _look_ahead(batches: int | None) -> int | None:
    if batches is not None and not 1 <= batches <= 1_000:
        raise ListingError("the look-ahead is from 1 to 1000 batches")
    return batches


def _cutoff_lead(milliseconds: int | None) -> int | None:
    if milliseconds is not None and not 1 <= milliseconds <= 60_000:
        raise ListingError("the cutoff's lead is from 1 ms to a minute")
    return milliseconds


def _lock(milliseconds: int, cadence_ms: int) -> int:
    if not 0 <= milliseconds < cadence_ms:
        raise ListingError("the lock is shorter than the cadence: orders could never be cancelled")
    return milliseconds
