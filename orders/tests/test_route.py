"""Routing of claimed sets, against real makers."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from chains import registry as adapters
from fairlane.core import checkpoints
from fairlane.core.models import Switch, Work
from fairlane.core.principals import Principal
from orders import services
from orders.execution import retries, route
from orders.models import Attempt, Order, Quote
from orders.routing import min_output
from orders.stage_names import BUILD, ROUTE
from orders.tests.driving import history, last_event, run, take_over
from orders.tests.factories import MINTS, AttemptFactory, OrderFactory, WorkFactory
from orders.tests.outside import OutsideWorld
from sandbox.ports import free_port

pytestmark = pytest.mark.django_db

DEAD = f"http://127.0.0.1:{free_port()}"


def test_the_best_net_output_is_chosen_and_every_quote_is_kept(outside: OutsideWorld) -> None:
    order = OrderFactory.create(stage=ROUTE)
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.tries, order.seq) == ("BUILDING", 1, 3)
    assert history(order) == ["PENDING", "ROUTING", "BUILDING"]
    quotes = {quote.venue: quote for quote in Quote.objects.filter(order=order)}
    assert set(quotes) == {"raydium", "meteora"}
    (chosen,) = [quote for quote in quotes.values() if quote.chosen]
    assert chosen.net_amount == max(quote.net_amount for quote in quotes.values())
    assert all(0 < q.net_amount < q.output_amount for q in quotes.values())
    assert (order.venue, order.quoted_amount) == (chosen.venue, chosen.output_amount)
    assert order.min_output_amount == min_output(chosen.output_amount, 50)
    work = Work.objects.get(object_id=order.id)
    assert (work.stage, work.claim_id, work.attempts) == (BUILD, None, 0)


def test_the_event_of_a_route_tells_what_is_stored(outside: OutsideWorld) -> None:
    order = OrderFactory.create(stage=ROUTE)
    run(ROUTE)
    order.refresh_from_db()
    data = last_event(order).data
    assert data["venue"] == order.venue
    assert {quote["venue"] for quote in data["quotes"]} == {"raydium", "meteora"}
    fees = {quote["venue"]: quote["feeBps"] for quote in data["quotes"]}
    assert fees == {"raydium": 30, "meteora": 20}


def test_a_set_costs_as_many_queries_as_one_order(outside: OutsideWorld) -> None:
    OrderFactory.create(stage=ROUTE)
    run(ROUTE)  # what a process remembers is known from here on
    counts = []
    for size in (1, 20):
        OrderFactory.create_batch(size, stage=ROUTE)
        with CaptureQueriesContext(connection) as queries:
            run(ROUTE)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Order.objects.filter(status="BUILDING").count() == 22


def test_a_paused_venue_is_not_asked(outside: OutsideWorld) -> None:
    Switch.objects.create(name="venue.meteora", on=False)
    order = OrderFactory.create(stage=ROUTE)
    run(ROUTE)
    order.refresh_from_db()
    assert order.venue == "raydium"
    assert Quote.objects.get(order=order).venue == "raydium"


def test_a_venue_out_of_reach_leaves_the_order_to_the_other(
    outside: OutsideWorld, settings: Settings
) -> None:
    settings.RFQ_MAKERS = {"dead": DEAD, "raydium": outside.makers["raydium"]}
    adapters.forget()
    order = OrderFactory.create(stage=ROUTE)
    run(ROUTE)
    order.refresh_from_db()
    assert order.venue == "raydium"
    refused = Quote.objects.get(order=order, venue="dead")
    assert refused.refusal and not refused.chosen and refused.output_amount is None


def test_without_any_venue_the_order_is_retried_and_then_fails(
    outside: OutsideWorld, settings: Settings
) -> None:
    settings.RFQ_MAKERS = {"dead": DEAD}
    settings.ORDERS_MAX_ATTEMPTS = 2
    adapters.forget()
    order = OrderFactory.create(stage=ROUTE)
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.tries) == ("PENDING", 1)
    assert last_event(order).data["kind"] == "routing"
    assert 250 <= last_event(order).data["retryInMs"] <= 750
    assert Work.objects.get(object_id=order.id).stage == ROUTE
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.failure_kind) == ("FAILED", "routing")
    assert "dead" in order.failure_reason
    assert not Work.objects.exists()
    assert Quote.objects.filter(order=order).count() == 2


def test_an_unknown_pair_fails_at_once(outside: OutsideWorld) -> None:
    order = OrderFactory.create(stage=ROUTE, output_token_id=MINTS["SOL"])
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.tries) == ("FAILED", 1)
    assert "not traded here" in order.failure_reason


def test_too_much_price_impact_is_refused_with_its_figure(
    outside: OutsideWorld, settings: Settings
) -> None:
    settings.ORDERS_MAX_PRICE_IMPACT_BPS = 0
    order = OrderFactory.create(stage=ROUTE)
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.failure_kind) == ("FAILED", "routing")
    assert "% allowed" in order.failure_reason


def test_a_fresh_quote_below_the_bound_is_slippage_and_the_bound_stays(
    outside: OutsideWorld,
) -> None:
    order = OrderFactory.create(stage=ROUTE, tries=1, min_output_amount=10**15)
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.min_output_amount) == ("PENDING", 10**15)
    assert last_event(order).data["kind"] == "slippage"


def test_a_fresh_quote_does_not_move_the_bound(outside: OutsideWorld) -> None:
    order = OrderFactory.create(stage=ROUTE, tries=1, min_output_amount=7)
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.min_output_amount) == ("BUILDING", 7)


def test_an_order_whose_router_died_is_routed_without_a_second_announcement(
    outside: OutsideWorld,
) -> None:
    order = OrderFactory.create(stage=ROUTE, status="ROUTING", tries=1)
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.tries) == ("BUILDING", 1)
    assert history(order) == ["PENDING", "BUILDING"]


@pytest.mark.parametrize("point", ["orders.route.before_quotes", "orders.route.before_persist"])
def test_a_router_that_lost_its_claim_records_nothing(
    point: str, outside: OutsideWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = OrderFactory.create(stage=ROUTE)

    def lose(name: str) -> None:
        if name == point:
            take_over(order)

    monkeypatch.setattr(checkpoints, "_observers", [lose])
    run(ROUTE)
    order.refresh_from_db()
    assert (order.status, order.venue) == ("ROUTING", "")
    assert not Quote.objects.exists()
    assert Work.objects.get(object_id=order.id).stage == ROUTE


def test_an_order_cancelled_while_it_is_routed_stays_cancelled(
    outside: OutsideWorld, monkeypatch: pytest.MonkeyPatch, trader: Principal
) -> None:
    order = OrderFactory.create(stage=ROUTE)

    def cancel(name: str) -> None:
        if name == "orders.route.before_persist":
            services.cancel(order_id=order.id, by=trader)

    monkeypatch.setattr(checkpoints, "_observers", [cancel])
    run(ROUTE)
    order.refresh_from_db()
    assert order.status == "CANCELLED"
    assert history(order) == ["PENDING", "ROUTING", "CANCELLED"]
    assert not Work.objects.exists() and not Quote.objects.exists()


def test_the_work_of_an_order_that_has_ended_is_dropped(outside: OutsideWorld) -> None:
    WorkFactory.create(object_id=OrderFactory.create(status="CANCELLED").id, stage=ROUTE)
    run(ROUTE)
    assert not Work.objects.exists()


def test_an_order_no_claim_brought_to_an_outcome_comes_before_a_person(
    outside: OutsideWorld,
) -> None:
    order = OrderFactory.create(stage=ROUTE)
    Work.objects.update(attempts=5, last_error="KeyError: it broke")
    run(ROUTE)
    order.refresh_from_db()
    assert order.status == "REVIEW"
    assert last_event(order).data == {
        "stage": ROUTE,
        "reason": "it could not be brought to an outcome",
    }
    work = Work.objects.get()
    assert work.quarantined_at is not None
    # For the people who look after the service, not for the caller.
    assert work.last_error == "KeyError: it broke"
    run(ROUTE)
    order.refresh_from_db()
    assert order.status == "REVIEW"


def test_a_setback_discards_what_the_venue_was_asked(outside: OutsideWorld) -> None:
    order = OrderFactory.create(stage=ROUTE, output_token_id=MINTS["SOL"])
    attempt = AttemptFactory.create(order=order)
    run(ROUTE)
    attempt.refresh_from_db()
    assert attempt.state == "DISCARDED"
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize(
    ("tries", "least", "most"), [(0, 250, 750), (1, 250, 750), (3, 1000, 3000)]
)
def test_back_off_doubles_with_jitter(tries: int, least: int, most: int) -> None:
    delays = {retries.back_off_ms(tries) for _ in range(200)}
    assert least <= min(delays) and max(delays) <= most
    assert len(delays) > 20


def test_back_off_has_a_ceiling() -> None:
    assert all(15_000 <= retries.back_off_ms(10_000) <= 45_000 for _ in range(100))


def test_fees_are_valued_at_the_venues_own_rate_once_in_a_while(outside: OutsideWorld) -> None:
    run_order = OrderFactory.create(stage=ROUTE)
    run(ROUTE)
    usdc = route.rates.get(MINTS["USDC"])
    assert usdc is not None and 100 * 10**6 < usdc < 250 * 10**6
    adapters.run(route.rates.refresh([], {MINTS["USDC"], MINTS["SOL"]}))
    assert route.rates.get(MINTS["USDC"]) == usdc
    assert route.rates.get(MINTS["SOL"]) == 10**9
    quote = Quote.objects.get(order=run_order, chosen=True)
    assert quote.output_amount - quote.net_amount == -(-10_000 * usdc // 10**9)


def test_without_a_venue_there_is_no_rate_and_no_error(
    outside: OutsideWorld, settings: Settings
) -> None:
    settings.RFQ_MAKERS = {"dead": DEAD}
    adapters.forget()
    adapters.run(route.rates.refresh(adapters.venues(), {MINTS["USDC"]}))
    assert route.rates.get(MINTS["USDC"]) is None
