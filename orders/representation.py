"""Orders as the API shows them: camelCase, amounts as decimal text."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from fairlane.core import history
from fairlane.core.models import Event
from orders import registry
from orders.amounts import price_text, to_text
from orders.models import Attempt, Order, Quote
from orders.parsing import NewOrder, Terms


def links(order_id: UUID) -> dict[str, str]:
    return {"self": f"/api/orders/{order_id}", "websocket": f"/ws/orders/{order_id}"}


def new_order(order: NewOrder, *, queued: bool) -> dict[str, Any]:
    """An order at the moment it was accepted."""
    terms = order.terms
    return {
        "orderId": str(order.id),
        "status": "PENDING",
        "type": order.type,
        "userWallet": order.wallet,
        "inputToken": terms.input_token.symbol,
        "outputToken": terms.output_token.symbol,
        "inputAmount": to_text(terms.input_amount, terms.input_token.decimals),
        "slippageBps": terms.slippage_bps,
        "queued": queued,
        "createdAt": order.created_at.isoformat(),
        "links": links(order.id),
    }


def summary(order: Order) -> dict[str, Any]:
    """An order as lists show it."""
    tokens = registry.tokens().by_mint
    sold, bought = tokens[order.input_token_id], tokens[order.output_token_id]

    def output(amount: int | None) -> str | None:
        return None if amount is None else to_text(amount, bought.decimals)

    price = None
    if order.output_amount is not None and order.spent_amount is not None:
        price = price_text(order.output_amount, bought.decimals, order.spent_amount, sold.decimals)
    spent = None
    if order.spent_amount is not None:
        spent = to_text(order.spent_amount, sold.decimals)
    return {
        "orderId": str(order.id),
        "status": order.status,
        "seq": order.seq,
        "type": order.type,
        "userWallet": order.wallet,
        "inputToken": sold.symbol,
        "outputToken": bought.symbol,
        "inputAmount": to_text(order.input_amount, sold.decimals),
        "slippageBps": order.slippage_bps,
        "queued": order.queued_at is not None,
        "venue": order.venue or None,
        "quotedAmount": output(order.quoted_amount),
        "minOutputAmount": output(order.min_output_amount),
        "spentAmount": spent,
        "outputAmount": output(order.output_amount),
        "executedPrice": price,
        "networkFeeLamports": None if order.network_fee is None else str(order.network_fee),
        "txHash": order.signature or None,
        "failure": _failure(order),
        "retryOf": order.retry_of and str(order.retry_of),
        "createdAt": order.created_at.isoformat(),
        "updatedAt": order.updated_at.isoformat(),
        "links": links(order.id),
    }


def detail(
    order: Order, quotes: Iterable[Quote], attempts: Iterable[Attempt], events: Iterable[Event]
) -> dict[str, Any]:
    """An order with its quotes, attempts and history."""
    decimals = registry.tokens().by_mint[order.output_token_id].decimals
    return {
        **summary(order),
        "quotes": [quote(q, decimals) for q in quotes],
        "attempts": [attempt(a) for a in attempts],
        "history": [history.entry(e) for e in events],
    }


def quote(row: Quote, decimals: int) -> dict[str, Any]:
    """A stored quote; amounts are tokens of the output."""

    def text(amount: int | None) -> str | None:
        return None if amount is None else to_text(amount, decimals)

    return {
        "round": row.round,
        "venue": row.venue,
        "outputAmount": text(row.output_amount),
        "netOutputAmount": text(row.net_amount),
        "feeAmount": text(row.fee_amount),
        "feeBps": row.fee_bps,
        "priceImpactBps": row.price_impact_bps,
        "chosen": row.chosen,
        "refusal": row.refusal or None,
        "createdAt": row.created_at.isoformat(),
    }


def attempt(row: Attempt) -> dict[str, Any]:
    """A stored attempt."""
    return {
        "number": row.number,
        "state": row.state,
        "venue": row.venue,
        "txHash": row.signature,
        "lastValidBlockHeight": row.last_valid_block_height,
        "slot": row.slot,
        "sentAt": row.sent_at and row.sent_at.isoformat(),
        "error": row.error or None,
        "createdAt": row.created_at.isoformat(),
    }


def terms_data(wallet: str, type: str, terms: Terms) -> dict[str, Any]:
    """What the first event of an order, and one that changes its terms, tell."""
    return {
        "userWallet": wallet,
        "type": type,
        "inputToken": terms.input_token.symbol,
        "outputToken": terms.output_token.symbol,
        "inputAmount": to_text(terms.input_amount, terms.input_token.decimals),
        "slippageBps": terms.slippage_bps,
    }


def _failure(order: Order) -> dict[str, str] | None:
    if not order.failure_kind:
        return None
    return {"kind": order.failure_kind, "reason": order.failure_reason}
