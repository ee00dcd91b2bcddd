from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.routing import (
    BPS,
    Bounds,
    NoRoute,
    Offer,
    Refusal,
    Route,
    choose,
    min_output,
    net_of_network_fee,
)

CAP = 500
OPEN = Bounds(slippage_bps=50, min_output=None, max_price_impact_bps=CAP)

amounts = st.integers(1, 2**64 - 1)
bps = st.integers(0, BPS)
offers = st.builds(
    Offer,
    venue=st.sampled_from(["meteora", "orca", "raydium"]),
    # Few values, so that equal offers are common.
    output_amount=st.integers(1, 12),
    net_amount=st.integers(-2, 10),
    price_impact_bps=st.integers(0, 2 * CAP),
)
answer_sets = st.lists(offers, max_size=3, unique_by=lambda offer: offer.venue)


def offer(venue: str = "raydium", amount: int = 1_000, **changes: Any) -> Offer:
    return replace(Offer(venue, amount, amount, 1), **changes)


@given(answer_sets)
def test_no_venue_beats_the_one_that_is_taken(answers: list[Offer]) -> None:
    result = choose(answers, OPEN)
    fair = [a for a in answers if a.net_amount > 0 and a.price_impact_bps <= CAP]
    if not fair:
        assert isinstance(result, NoRoute) and result.kind == "routing"
        return
    assert isinstance(result, Route) and result.offer in fair
    for other in fair:
        assert (other.net_amount, -other.price_impact_bps) <= (
            result.offer.net_amount,
            -result.offer.price_impact_bps,
        )


@given(answer_sets)
def test_the_choice_does_not_depend_on_who_answers_first(answers: list[Offer]) -> None:
    assert choose(answers, OPEN) == choose(answers[::-1], OPEN)


@given(answer_sets, st.integers(1, 12), bps)
def test_a_bound_once_set_is_never_lowered(answers: list[Offer], bound: int, slip: int) -> None:
    result = choose(answers, Bounds(slip, bound, CAP))
    if isinstance(result, Route):
        assert result.min_output == bound
        assert result.offer.output_amount >= bound


@given(amounts, bps)
def test_slippage_is_rounded_in_the_users_favour(quoted: int, slippage: int) -> None:
    bound = min_output(quoted, slippage)
    exact = quoted * (BPS - slippage)
    assert bound * BPS >= exact
    assert (bound - 1) * BPS < exact
    assert bound <= quoted


@given(amounts, st.integers(0, 10**9), st.integers(0, 10**15))
def test_the_network_fee_is_taken_off_and_rounded_up(output: int, fee: int, rate: int) -> None:
    net = net_of_network_fee(output, fee, rate)
    assert (output - net) * 10**9 >= fee * rate
    assert (output - net - 1) * 10**9 < fee * rate


def test_without_a_rate_venues_are_compared_without_the_network_fee() -> None:
    assert net_of_network_fee(1_000, 10_000, None) == 1_000


def test_net_output_decides_not_gross_output() -> None:
    dear, cheap = offer("dear", 1_010, net_amount=900), offer("cheap", 1_000, net_amount=950)
    result = choose([dear, cheap], OPEN)
    assert isinstance(result, Route) and result.offer == cheap


def test_between_equal_offers_less_price_impact_wins_then_the_name() -> None:
    rough, smooth = offer("a", price_impact_bps=9), offer("b", price_impact_bps=3)
    assert choose([rough, smooth], OPEN) == Route(smooth, 995)
    twin = offer("a", price_impact_bps=3)
    assert choose([smooth, twin], OPEN) == Route(twin, 995)


def test_the_cap_itself_is_allowed_and_one_more_is_refused_with_the_figure() -> None:
    assert isinstance(choose([offer(price_impact_bps=CAP)], OPEN), Route)
    assert choose([offer(price_impact_bps=CAP + 1), offer("b", price_impact_bps=777)], OPEN) == (
        NoRoute(
            "routing", "the price impact is 5.01 %, more than the 5.00 % allowed", temporary=False
        )
    )


def test_a_better_offer_beyond_the_cap_is_passed_over() -> None:
    best, fair = offer("a", 2_000, price_impact_bps=CAP + 1), offer("b", 1_000)
    result = choose([best, fair], OPEN)
    assert isinstance(result, Route) and result.offer == fair


def test_an_offer_below_the_orders_bound_is_slippage_and_may_be_asked_again() -> None:
    bound = Bounds(50, 1_001, CAP)
    result = choose([offer(amount=1_000)], bound)
    assert result == NoRoute(
        "slippage",
        "the best offer is 0.10 % below the least output the order accepts",
        temporary=True,
    )
    assert choose([offer(amount=1_001)], bound) == Route(offer(amount=1_001), 1_001)


def test_an_offer_that_the_network_fee_eats_up_is_none() -> None:
    assert isinstance(choose([offer(net_amount=0)], OPEN), NoRoute)


@pytest.mark.parametrize("temporary", [True, False])
def test_refusals_are_named_and_worth_a_retry_if_one_is_temporary(temporary: bool) -> None:
    refusals = [
        Refusal("raydium", "no such pair", temporary=False),
        Refusal("meteora", "busy", temporary),
    ]
    assert choose(refusals, OPEN) == NoRoute(
        "routing",
        "no venue offers this swap (raydium: no such pair; meteora: busy)",
        temporary,
    )


def test_without_any_answer_there_is_no_route() -> None:
    assert choose([], OPEN) == NoRoute("routing", "no venue offers this swap", temporary=False)
