"""From what a client sent to an order that can be stored, or to why it cannot."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from pydantic import ValidationError
from solders.pubkey import Pubkey
from uuid_utils.compat import uuid7

from fairlane.core import validation
from fairlane.core.errors import FieldError, invalid
from fairlane.core.principals import Principal
from orders.amounts import AmountError, to_base_units
from orders.registry import Registry, TokenInfo, Tokens
from orders.requests import OrderRequest


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be swapped: tokens, amount in base units, tolerance."""

    input_token: TokenInfo
    output_token: TokenInfo
    input_amount: int
    slippage_bps: int


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order that is valid and not stored yet; its id is in order of time."""

    id: UUID
    wallet: str
    type: str
    terms: Terms
    created_at: datetime


def parse_order(body: object, principal: Principal, registry: Registry, now: datetime) -> NewOrder:
    """Check everything that can be checked before an order is stored.

    Raises:
        Problem: 400 with every wrong field, or 403 where the wallet is not the caller's.
    """
    try:
        request = OrderRequest.model_validate(body)
    except ValidationError as error:
        raise validation.problem(error) from None
    errors: list[FieldError] = []
    _check_wallet(request.user_wallet, registry, errors)
    terms = parse_terms(
        request.input_token,
        request.output_token,
        request.input_amount,
        request.slippage_bps,
        registry.tokens,
        errors,
    )
    if errors or terms is None:
        raise invalid(*errors)
    principal.require_wallet(request.user_wallet)
    return NewOrder(uuid7(), request.user_wallet, request.type, terms, now)


def parse_terms(
    input_token: str,
    output_token: str,
    input_amount: Decimal,
    slippage_bps: int | None,
    tokens: Tokens,
    errors: list[FieldError],
) -> Terms | None:
    """The terms in the registry's words; adds what is wrong to ``errors`` and is None then."""
    sold, bought = tokens.find(input_token), tokens.find(output_token)
    count = len(errors)
    for field, token in (("inputToken", sold), ("outputToken", bought)):
        if token is None:
            errors.append(FieldError(field, "unknown_token", "There is no such token."))
    if sold and sold == bought:
        errors.append(
            FieldError("outputToken", "same_token", "Must be another token than inputToken.")
        )
    units = 0
    if sold:
        try:
            units = to_base_units(input_amount, sold.decimals)
        except AmountError as error:
            errors.append(FieldError("inputAmount", error.code, f"The amount {error}."))
    limit = settings.ORDERS_MAX_SLIPPAGE_BPS
    if slippage_bps is not None and slippage_bps > limit:
        errors.append(FieldError("slippageBps", "too_large", f"Must be at most {limit}."))
    if sold is None or bought is None or len(errors) > count:
        return None
    tolerance = settings.ORDERS_DEFAULT_SLIPPAGE_BPS if slippage_bps is None else slippage_bps
    return Terms(sold, bought, units, tolerance)


def address(field: str, text: str) -> str:
    """The text, if it is an address.

    Raises:
        Problem: 400, it is none.
    """
    if not _is_address(text):
        raise invalid(_no_address(field))
    return text


def _check_wallet(wallet: str, registry: Registry, errors: list[FieldError]) -> None:
    if wallet in registry.wallets:
        return
    if not _is_address(wallet):
        errors.append(_no_address("userWallet"))
    else:
        errors.append(
            FieldError("userWallet", "unknown_wallet", "This wallet's key is not held here.")
        )


def _is_address(text: str) -> bool:
    try:
        Pubkey.from_string(text)
    except ValueError:
        return False
    return True


def _no_address(field: str) -> FieldError:
    return FieldError(field, "invalid_address", "Must be a base58 address.")
