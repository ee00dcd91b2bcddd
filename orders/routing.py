"""Routing: which venue an order goes to. Pure, on integers.

Venues are compared by net output: what the venue pays after its own fee, less the network's fees
valued in the output token. The user's bound comes from the first quote that is taken and is never
lowered afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

BPS = 10_000
LAMPORTS_PER_SOL = 1_000_000_000

FailureKind = Literal["routing", "slippage", "balance"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A venue's firm price for one order.

    Attributes:
        output_amount: output base units after the venue's fee.
        net_amount: the same, less network fees in output terms.
    """

    venue: str
    output_amount: int
    net_amount: int
    price_impact_bps: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a venue made no offer; ``temporary`` if it may make one later."""

    venue: str
    reason: str
    temporary: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an order accepts.

    Attributes:
        slippage_bps: how far below the quoted output it may go.
        min_output: the bound fixed by an earlier route, if there was one.
        max_price_impact_bps: offers beyond it are refused.
    """

    slippage_bps: int
    min_output: int | None
    max_price_impact_bps: int


@dataclass(frozen=True, slots=True)
class Route:
    """The offer to take, and the least output the wallet accepts."""

    offer: Offer
    min_output: int


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why no offer can be taken; ``temporary`` if asking again may help."""

    kind: FailureKind
    reason: str
    temporary: bool


def min_output(quoted: int, slippage_bps: int) -> int:
    """The quoted output less the tolerated slippage, rounded up: in the user's favour."""
    return -(-quoted * (BPS - slippage_bps) // BPS)


def net_of_network_fee(output_amount: int, fee_lamports: int, output_per_sol: int | None) -> int:
    """Output less the network fee, which is valued at ``output_per_sol`` and rounded up.

    Without a rate the fee cannot be valued and all venues are compared without it.
    """
    if output_per_sol is None:
        return output_amount
    return output_amount - -(-fee_lamports * output_per_sol // LAMPORTS_PER_SOL)


def choose(answers: Sequence[Offer | Refusal], bounds: Bounds) -> Route | NoRoute:
    """The offer with the highest net output that the order's bounds allow.

    Between equal offers the one with less price impact wins, then the first by name.
    """
    offers = [a for a in answers if isinstance(a, Offer) and a.net_amount > 0]
    if not offers:
        return _no_offer(answers)
    within = [o for o in offers if o.price_impact_bps <= bounds.max_price_impact_bps]
    if not within:
        least = min(o.price_impact_bps for o in offers)
        return NoRoute(
            "routing",
            f"the price impact is {least / 100:.2f} %, more than the"
            f" {bounds.max_price_impact_bps / 100:.2f} % allowed",
            temporary=False,
        )
    best = min(within, key=lambda o: (-o.net_amount, o.price_impact_bps, o.venue))
    if bounds.min_output is None:
        return Route(best, min_output(best.output_amount, bounds.slippage_bps))
    if best.output_amount < bounds.min_output:
        return NoRoute(
            "slippage",
            f"the best offer is {_percent_below(best.output_amount, bounds.min_output)} % below"
            " the least output the order accepts",
            temporary=True,
        )
    return Route(best, bounds.min_output)


def _percent_below(amount: int, bound: int) -> str:
    """How far ``amount`` is below ``bound``, rounded up, so that a shortfall never reads as 0."""
    hundredths = -(-(bound - amount) * BPS // bound)
    return f"{hundredths / 100:.2f}"


def _no_offer(answers: Sequence[Offer | Refusal]) -> NoRoute:
    refusals = [a for a in answers if isinstance(a, Refusal)]
    reasons = "; ".join(f"{r.venue}: {r.reason}" for r in refusals)
    return NoRoute(
        "routing",
        f"no venue offers this swap ({reasons})" if reasons else "no venue offers this swap",
        temporary=any(r.temporary for r in refusals),
    )
