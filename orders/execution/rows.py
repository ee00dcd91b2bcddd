"""The rows a stage works on, read in one query per table."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from orders.models import Attempt, Order, Quote


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
    last_valid_block_height: int
    sent_at: datetime | None


def orders(ids: Collection[UUID], *statuses: str) -> list[OrderRow]:
    """The orders among ``ids`` that have one of ``statuses``."""
    rows = Order.objects.filter(id__in=list(ids), status__in=statuses)
    return [OrderRow(*row) for row in rows.order_by("id").values_list(*OrderRow._fields)]


def chosen_quotes(ids: Collection[UUID]) -> dict[UUID, QuoteRow]:
    """The quote that the latest route of each order chose."""
    rows = Quote.objects.filter(order_id__in=list(ids), chosen=True).order_by("round")
    quotes = (QuoteRow(*row) for row in rows.values_list(*QuoteRow._fields))
    return {quote.order_id: quote for quote in quotes}


def requested(ids: Collection[UUID]) -> dict[UUID, RequestedRow]:
    """The orders' attempts that wait for a venue: one per order at most."""
    rows = Attempt.objects.filter(order_id__in=list(ids), state="REQUESTED")
    found = (RequestedRow(*row) for row in rows.values_list(*RequestedRow._fields))
    return {a.order_id: a._replace(message=bytes(a.message)) for a in found}


def signed(ids: Collection[UUID]) -> list[SignedRow]:
    """The orders' attempts that may land: one per order at most."""
    rows = Attempt.objects.filter(order_id__in=list(ids), state="SIGNED").order_by("order_id")
    found = (SignedRow(*row) for row in rows.values_list(*SignedRow._fields))
    return [a._replace(message=bytes(a.message), transaction=bytes(a.transaction)) for a in found]
