"""What the page of an order shows below its facts: work, history, quotes, attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlane.core import history
from fairlane.core.admin.records import work_state
from fairlane.core.models import Work
from orders.amounts import to_text
from orders.models import Attempt, Order, Quote

STATUS_STYLES = {"CONFIRMED": "success", "FAILED": "danger", "REVIEW": "warning"}


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the timeline.

    Attributes:
        since_ms: time since the entry before it.
    """

    seq: int
    status: str
    style: str
    at: datetime
    since_ms: int | None
    facts: list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A quote with its amounts in tokens of the output."""

    quote: Quote
    output: str
    net: str
    fee: str


def of(order: Order) -> dict[str, Any]:
    """The sections as template context; four queries."""
    work = Work.objects.filter(object_id=order.id).first()
    token = order.output_token

    def text(units: int | None) -> str:
        return "" if units is None else to_text(units, token.decimals)

    return {
        "work": work,
        "work_state": work_state(work) if work else "",
        "moments": _moments(order),
        "quotes": [
            QuoteLine(q, text(q.output_amount), text(q.net_amount), text(q.fee_amount))
            for q in Quote.objects.filter(order=order).order_by("round", "venue")
        ],
        "attempts": [
            (attempt, text(attempt.output_amount))
            for attempt in Attempt.objects.filter(order=order)
            .defer("message", "transaction")
            .order_by("number")
        ],
        "output_symbol": token.symbol,
    }


def _moments(order: Order) -> list[Moment]:
    moments: list[Moment] = []
    before: datetime | None = None
    for event in history.of(order.id):
        since = (
            None if before is None else round((event.created_at - before).total_seconds() * 1000)
        )
        moments.append(
            Moment(
                event.seq,
                event.status,
                STATUS_STYLES.get(event.status, "info"),
                event.created_at,
                since,
                [(name, value) for name, value in event.data.items() if _is_short(value)],
            )
        )
        before = event.created_at
    return moments


def _is_short(value: Any) -> bool:
    """Quotes have a table of their own."""
    return value not in ("", None) and not isinstance(value, list | dict)
