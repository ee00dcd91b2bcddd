"""Route: ask all venues for every order of a claim, and choose."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from chains import registry as adapters
from chains.errors import ChainError
from chains.ports import FirmQuote, QuoteRefusal, QuoteRequest, QuoteVenue
from fairlane.core import bulk, checkpoints, switches, transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move
from orders import registry
from orders.amounts import to_text
from orders.execution import retries, rows
from orders.execution.fees import NETWORK_FEE_LAMPORTS, SolRates
from orders.execution.retries import Setback
from orders.execution.rows import OrderRow
from orders.models import Order, Quote
from orders.routing import (
    Bounds,
    NoRoute,
    Offer,
    Refusal,
    Route,
    choose,
    net_of_network_fee,
)
from orders.stage_names import BUILD, ROUTE
from orders.states import ORDER

# Every venue is paused: an operator's pause lasts minutes, so nothing is lost by looking seldom.
PAUSED_MS = 5_000

Answer = FirmQuote | QuoteRefusal

# Shared by the threads of a process: the worst a race does is to ask twice.
rates = SolRates()


@dataclass(frozen=True, slots=True)
class Routed:
    """An order with every venue's answer and what was made of them."""

    order: OrderRow
    answers: Mapping[str, Answer]
    offers: Sequence[Offer | Refusal]
    result: Route | NoRoute


def work(claim: Claim) -> None:
    """Route the orders of a claim; while an operator has paused every venue, they wait."""
    venues = [v for v in adapters.venues() if switches.is_on(f"venue.{v.name}")]
    if not venues:
        claim.hand_over({order_id: Step(ROUTE, PAUSED_MS) for order_id in claim.ids})
        return
    orders = _begin(claim)
    checkpoints.reach("orders.route.before_quotes")
    answers = adapters.run(ask_all(venues, [_request(order) for order in orders]))
    adapters.run(rates.refresh(venues, {order.output_token_id for order in orders}))
    routed = [_route(order, [v.name for v in venues], answers) for order in orders]
    checkpoints.reach("orders.route.before_persist")
    _record(claim, orders, routed)
    checkpoints.reach("orders.route.persisted")


def _begin(claim: Claim) -> list[OrderRow]:
    """Announce that routing begins; those already announced by a claim that died go on."""
    found = rows.orders(claim.ids, "PENDING", "ROUTING")
    begun = transitions.move(
        Order,
        ORDER,
        [
            Move(order.id, "ROUTING", {"try": order.tries + 1}, {"tries": order.tries + 1})
            for order in found
            if order.status == "PENDING"
        ],
        only_from=["PENDING"],
    )
    checkpoints.reach("orders.route.begun")
    return [
        order._replace(status="ROUTING", tries=order.tries + 1) if order.id in begun else order
        for order in found
        if order.id in begun or order.status == "ROUTING"
    ]


def _request(order: OrderRow) -> QuoteRequest:
    return QuoteRequest(
        str(order.id), order.input_token_id, order.output_token_id, order.input_amount
    )


async def ask_all(
    venues: Sequence[QuoteVenue], requests: Sequence[QuoteRequest]
) -> dict[str, dict[str, Answer]]:
    """Every venue's answer to every request, by venue and request id; all asked at once."""

    async def ask(venue: QuoteVenue) -> dict[str, Answer]:
        try:
            answers = await venue.quotes(requests)
        except ChainError as error:
            refusals = [QuoteRefusal(r.request_id, "unavailable", str(error)) for r in requests]
            return {refusal.request_id: refusal for refusal in refusals}
        return {answer.request_id: answer for answer in answers}

    if not requests:
        return {venue.name: {} for venue in venues}
    found = await asyncio.gather(*(ask(venue) for venue in venues))
    return dict(zip((venue.name for venue in venues), found, strict=True))


def offer(venue: str, answer: Answer, output_mint: str) -> Offer | Refusal:
    """A venue's answer in the terms routing compares."""
    if isinstance(answer, QuoteRefusal):
        return Refusal(venue, answer.message or answer.code, answer.code == "unavailable")
    net = net_of_network_fee(answer.amount_out, NETWORK_FEE_LAMPORTS, rates.get(output_mint))
    return Offer(venue, answer.amount_out, net, answer.price_impact_bps)


def _route(
    order: OrderRow, venues: Sequence[str], answers: Mapping[str, Mapping[str, Answer]]
) -> Routed:
    own = {venue: answers[venue][str(order.id)] for venue in venues}
    offers = [offer(venue, answer, order.output_token_id) for venue, answer in own.items()]
    bounds = Bounds(
        order.slippage_bps, order.min_output_amount, settings.ORDERS_MAX_PRICE_IMPACT_BPS
    )
    return Routed(order, own, offers, choose(offers, bounds))


def _record(claim: Claim, orders: Sequence[OrderRow], routed: Sequence[Routed]) -> None:
    good = {r.order.id: r for r in routed if isinstance(r.result, Route)}
    setbacks = [
        Setback(r.order.id, r.order.tries, r.result.kind, r.result.reason, r.result.temporary)
        for r in routed
        if isinstance(r.result, NoRoute)
    ]
    with transaction.atomic():
        claim.finish(rows.ended(set(claim.ids) - {order.id for order in orders}))
        held = claim.hand_over({order_id: Step(BUILD) for order_id in good})
        moved = transitions.move(
            Order,
            ORDER,
            [_building(good[order_id]) for order_id in sorted(held)],
            only_from=["ROUTING"],
        )
        kept = moved | retries.record(claim, setbacks)
        _store_quotes([r for r in routed if r.order.id in kept])


def _building(routed: Routed) -> Move:
    route = routed.result
    assert isinstance(route, Route)
    decimals = registry.tokens().by_mint[routed.order.output_token_id].decimals
    data = {
        "venue": route.offer.venue,
        "quotedAmount": to_text(route.offer.output_amount, decimals),
        "minOutputAmount": to_text(route.min_output, decimals),
        "quotes": [describe(o, routed.answers[o.venue], decimals) for o in routed.offers],
    }
    columns = {
        "venue": route.offer.venue,
        "quoted_amount": route.offer.output_amount,
        "min_output_amount": route.min_output,
    }
    return Move(routed.order.id, "BUILDING", data, columns)


def describe(offer: Offer | Refusal, answer: Answer, decimals: int) -> dict[str, Any]:
    """A venue's answer as events and the comparison of quotes show it."""
    if isinstance(offer, Refusal) or isinstance(answer, QuoteRefusal):
        refusal = offer.reason if isinstance(offer, Refusal) else ""
        return {"venue": offer.venue, "refusal": refusal}
    return {
        "venue": offer.venue,
        "outputAmount": to_text(offer.output_amount, decimals),
        "netOutputAmount": to_text(offer.net_amount, decimals),
        "feeAmount": to_text(answer.fee_amount, decimals),
        "feeBps": answer.fee_bps,
        "priceImpactBps": offer.price_impact_bps,
    }


def _store_quotes(routed: Sequence[Routed]) -> None:
    now = datetime.now(UTC)
    bulk.insert(
        Quote,
        [_quote_columns(r, offer, now) for r in routed for offer in r.offers],
        ignore_conflicts=True,
    )


def _quote_columns(routed: Routed, offer: Offer | Refusal, now: datetime) -> dict[str, Any]:
    answer = routed.answers[offer.venue]
    common = {
        "order_id": routed.order.id,
        "round": routed.order.tries,
        "venue": offer.venue,
        "created_at": now,
    }
    if isinstance(offer, Refusal) or isinstance(answer, QuoteRefusal):
        nothing = dict.fromkeys(
            ("output_amount", "net_amount", "fee_amount", "fee_bps", "price_impact_bps")
        )
        return (
            common
            | nothing
            | {
                "reference": "",
                "maker": "",
                "expires_at": None,
                "chosen": False,
                "refusal": offer.reason if isinstance(offer, Refusal) else "",
            }
        )
    return common | {
        "reference": answer.quote_id,
        "maker": answer.maker,
        "output_amount": offer.output_amount,
        "net_amount": offer.net_amount,
        "fee_amount": answer.fee_amount,
        "fee_bps": answer.fee_bps,
        "price_impact_bps": offer.price_impact_bps,
        "expires_at": datetime.fromtimestamp(answer.expires_at_ms / 1000, UTC),
        "chosen": isinstance(routed.result, Route) and routed.result.offer is offer,
        "refusal": "",
    }
