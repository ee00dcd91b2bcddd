"""The comparison of all venues for a swap, without an order."""

from typing import Any

from django.conf import settings
from django.db import connection
from uuid_utils.compat import uuid7

from chains import registry as adapters
from chains.ports import QuoteRequest
from fairlane.core import switches
from orders.amounts import to_text
from orders.execution import route
from orders.parsing import Terms
from orders.routing import Bounds, Route, choose


def compare(terms: Terms) -> dict[str, Any]:
    """Every venue's quote for these terms, and the one that an order would take now."""
    venues = [v for v in adapters.venues() if switches.is_on(f"venue.{v.name}")]
    sold, bought = terms.input_token, terms.output_token
    request = QuoteRequest(str(uuid7()), sold.mint, bought.mint, terms.input_amount)
    if not connection.in_atomic_block:
        # Makers take their time: meanwhile others of this process use the pool's connection. A
        # transaction of the caller's would be lost with it.
        connection.close()
    answers = adapters.run(route.ask_all(venues, [request]))
    adapters.run(route.rates.refresh(venues, {bought.mint}))
    own = {venue.name: answers[venue.name][request.request_id] for venue in venues}
    offers = [route.offer(venue, answer, bought.mint) for venue, answer in own.items()]
    bounds = Bounds(terms.slippage_bps, None, settings.ORDERS_MAX_PRICE_IMPACT_BPS)
    result = choose(offers, bounds)
    chosen = result if isinstance(result, Route) else None
    return {
        "inputToken": sold.symbol,
        "outputToken": bought.symbol,
        "inputAmount": to_text(terms.input_amount, sold.decimals),
        "slippageBps": terms.slippage_bps,
        "quotes": [route.describe(o, own[o.venue], bought.decimals) for o in offers],
        "best": chosen.offer.venue if chosen else None,
        "minOutputAmount": to_text(chosen.min_output, bought.decimals) if chosen else None,
        "reason": None if isinstance(result, Route) else result.reason,
    }
