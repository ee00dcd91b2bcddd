"""The rows a stage works on, read in one query per table."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection, models

from fairlane.core import arrays
from orders.models import Attempt, Order, Quote
from orders.states import ORDER


class OrderRow(NamedTuple):
    """What the stages need of an order; see ``orders.models.Order``."""

    id: UUID
    status: str
    wallet: str
    input_token_id: str
    output_token_id: str
    input_amount: int
    slippage_bps: int
    min_output_amount: int | None
    tries: int


class QuoteRow(NamedTuple):
    """The chosen quote of an order's latest round."""

    order_id: UUID
    round: int
    venue: str
    reference: str
    maker: str
    output_amount: int


class RequestedRow(NamedTuple):
    """An attempt that waits for the venue's signature."""

    order_id: UUID
    id: int
    venue: str
    reference: str
    maker: str
    output_amount: int
    message: bytes
    first_slot: int
    last_valid_block_height: int


class SignedRow(NamedTuple):
    """An attempt that may land."""

    order_id: UUID
    id: int
    number: int
    venue: str
    message: bytes
    transaction: bytes
    signature: str
    first_slot: int
    last_valid_block_height: int
    sent_at: datetime | None


Row = TypeVar("Row", OrderRow, QuoteRow, RequestedRow, SignedRow)


def orders(ids: Collection[UUID], *statuses: str) -> list[OrderRow]:
    """The orders among ``ids`` that have one of ``statuses``."""
    return _select(OrderRow, Order, "id", ids, "status = ANY(%s) ORDER BY id", [list(statuses)])


def ended(ids: Collection[UUID]) -> set[UUID]:
    """The orders among ``ids`` that have ended: nothing is left to do for them."""
    states = sorted(ORDER.terminal)
    return {o.id for o in _select(OrderRow, Order, "id", ids, "status = ANY(%s)", [states])}


def chosen_quotes(ids: Collection[UUID]) -> dict[UUID, QuoteRow]:
    """The quote that the latest route of each order chose."""
    found = _select(QuoteRow, Quote, "order_id", ids, "chosen ORDER BY round", [])
    return {quote.order_id: quote for quote in found}


def requested(ids: Collection[UUID]) -> dict[UUID, RequestedRow]:
    """The orders' attempts that wait for a venue: one per order at most."""
    found = _select(RequestedRow, Attempt, "order_id", ids, "state = 'REQUESTED'", [])
    return {attempt.order_id: attempt for attempt in found}


def signed(ids: Collection[UUID]) -> list[SignedRow]:
    """The orders' attempts that may land: one per order at most."""
    return _select(SignedRow, Attempt, "order_id", ids, "state = 'SIGNED' ORDER BY order_id", [])


def _select(
    row: type[Row],
    model: type[models.Model],
    key: str,
    ids: Collection[UUID],
    condition: str,
    values: list[Any],
) -> list[Row]:
    """Rows by key and condition. Not by the ORM, which spends more time on a row than the stages
    do: it takes every key and every value through several layers."""
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {", ".join(row._fields)} FROM "{model._meta.db_table}"'
            f" WHERE {key} = ANY(%s::uuid[]) AND {condition}",
            [arrays.literal(ids), *values],
        )
        return [row(*map(_whole, values)) for values in cursor.fetchall()]


def _whole(value: Any) -> Any:
    return int(value) if type(value) is Decimal else value
