"""Building and signing of routed orders, against real makers and a real node."""

from datetime import timedelta

import pytest
from django.utils import timezone
from solders.keypair import Keypair

from chains import registry as adapters
from chains.solana import swap
from fairlane.core import checkpoints
from fairlane.core.models import Work
from fairlane.core.principals import Principal
from orders import services
from orders.models import Attempt, Order, Quote, Wallet
from orders.stage_names import BUILD, ROUTE, SUBMIT
from orders.tests.driving import history, last_event, run, run_until, take_over, take_through
from orders.tests.factories import MINTS, TRADERS, OrderFactory
from orders.tests.outside import OutsideWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(outside: OutsideWorld) -> Order:
    return OrderFactory.create(stage=ROUTE)


def only_attempt(order: Order) -> Attempt:
    return Attempt.objects.get(order=order)


def stage_of(order: Order) -> str:
    return Work.objects.get(object_id=order.id).stage


def test_what_is_signed_is_stored_before_anything_is_sent(
    order: Order, outside: OutsideWorld
) -> None:
    take_through(ROUTE, BUILD)
    order.refresh_from_db()
    attempt = only_attempt(order)
    assert (order.status, order.signature, attempt.state) == ("BUILDING", "", "SIGNED")
    assert stage_of(order) == SUBMIT
    message = bytes(attempt.message)
    raw = bytes(attempt.transaction or b"")
    assert raw[0] == 2 and raw[129:] == message
    assert swap.verify(raw[1:65], signer=order.wallet, message=message)
    assert swap.verify(raw[65:129], signer=attempt.maker, message=message)
    assert attempt.signature == swap.transaction_signature(raw[1:65])
    assert attempt.sent_at is None
    assert attempt.last_valid_block_height > 0
    assert attempt.first_slot > 0
    assert outside.executions(order.id) == 0


def test_a_set_is_built_at_once_each_with_its_own_transaction(outside: OutsideWorld) -> None:
    orders = [OrderFactory.create(stage=ROUTE, wallet=wallet) for wallet in TRADERS[:3] * 3]
    take_through(ROUTE, BUILD)
    assert Attempt.objects.filter(state="SIGNED").count() == len(orders)
    assert len(set(Attempt.objects.values_list("signature", flat=True))) == len(orders)


def test_a_maker_that_takes_its_time_is_asked_again_for_the_same_message(
    order: Order, outside: OutsideWorld
) -> None:
    outside.turn(executionDelayMs=60_000)
    take_through(ROUTE, BUILD)
    pending = only_attempt(order)
    assert (pending.state, pending.signature, stage_of(order)) == ("REQUESTED", None, BUILD)
    work = Work.objects.get(object_id=order.id)
    assert timedelta(seconds=10) < work.due_at - timezone.now() <= timedelta(seconds=30)
    run(BUILD)
    again = only_attempt(order)
    assert (again.id, bytes(again.message)) == (pending.id, bytes(pending.message))
    assert history(order) == ["PENDING", "ROUTING", "BUILDING"]


def test_a_pending_signature_arrives(order: Order, outside: OutsideWorld) -> None:
    outside.turn(executionDelayMs=100)
    take_through(ROUTE, BUILD)
    pending = only_attempt(order)
    run_until(BUILD, lambda: stage_of(order) == SUBMIT)
    attempt = only_attempt(order)
    assert (attempt.id, attempt.state, attempt.number) == (pending.id, "SIGNED", 1)
    raw = bytes(attempt.transaction or b"")
    assert swap.verify(raw[65:129], signer=attempt.maker, message=bytes(pending.message))


def test_a_cancelled_order_is_not_signed_when_the_makers_signature_arrives(
    order: Order, outside: OutsideWorld, trader: Principal
) -> None:
    outside.turn(executionDelayMs=60_000)
    take_through(ROUTE, BUILD)
    services.cancel(order_id=order.id, by=trader)
    run(BUILD)
    order.refresh_from_db()
    assert (order.status, only_attempt(order).state) == ("CANCELLED", "DISCARDED")


def test_a_price_that_fell_too_far_sends_the_order_back_with_its_bound(
    outside: OutsideWorld,
) -> None:
    outside.turn(slippageBps=10_000)
    order = OrderFactory.create(stage=ROUTE, slippage_bps=0)
    take_through(ROUTE, BUILD)
    bound = Quote.objects.get(order=order, chosen=True).output_amount
    order.refresh_from_db()
    assert (order.status, order.min_output_amount) == ("PENDING", bound)
    event = last_event(order)
    assert event.data["kind"] == "slippage" and "fell by" in event.data["reason"]
    assert not Attempt.objects.exists()


def test_a_maker_that_fails_every_time_fails_the_order_after_its_tries(
    order: Order, outside: OutsideWorld
) -> None:
    outside.turn(failureRate=1)
    take_through(ROUTE, BUILD, ROUTE, BUILD, ROUTE, BUILD)
    order.refresh_from_db()
    assert (order.status, order.failure_kind, order.tries) == ("FAILED", "network", 3)
    assert order.failure_reason == "the venue failed to execute"
    assert history(order) == [*["PENDING", "ROUTING", "BUILDING"] * 3, "FAILED"]
    assert not Attempt.objects.filter(state="SIGNED").exists()


def test_a_quote_the_maker_has_forgotten_is_asked_anew(order: Order) -> None:
    run(ROUTE)
    Quote.objects.filter(order=order).update(reference="forgotten")
    run(BUILD)
    order.refresh_from_db()
    assert order.status == "PENDING"
    assert last_event(order).data["kind"] == "venue"
    take_through(ROUTE, BUILD)
    assert only_attempt(order).state == "SIGNED"


def test_a_maker_that_went_away_is_a_passing_trouble(order: Order) -> None:
    run(ROUTE)
    Quote.objects.filter(order=order, chosen=True).update(venue="gone")
    run(BUILD)
    order.refresh_from_db()
    assert (order.status, last_event(order).data["kind"]) == ("PENDING", "network")


def test_a_wallet_that_holds_too_little_fails_before_anyone_signs(outside: OutsideWorld) -> None:
    held = outside.balance(TRADERS[2], "USDC")
    order = OrderFactory.create(
        stage=ROUTE,
        wallet=TRADERS[2],
        input_token_id=MINTS["USDC"],
        output_token_id=MINTS["SOL"],
        input_amount=held + 1_000_000,
    )
    take_through(ROUTE, BUILD)
    order.refresh_from_db()
    assert (order.status, order.failure_kind) == ("FAILED", "balance")
    assert order.failure_reason == "the wallet holds too little USDC"
    assert not Attempt.objects.exists() and not Work.objects.exists()


def test_a_wallet_without_the_account_fails_alone(order: Order) -> None:
    stranger = OrderFactory.create(
        stage=ROUTE,
        wallet=TRADERS[1],
        input_token_id=MINTS["JUP"],
        input_amount=1_000_000,
    )
    take_through(ROUTE, BUILD)
    stranger.refresh_from_db()
    assert (stranger.status, stranger.failure_kind) == ("FAILED", "balance")
    assert only_attempt(order).state == "SIGNED"


def test_a_wallet_whose_key_is_gone_fails_alone(order: Order) -> None:
    address = str(Keypair().pubkey())
    Wallet.objects.create(address=address)
    keyless = OrderFactory.create(stage=ROUTE, wallet=address)
    take_through(ROUTE, BUILD)
    keyless.refresh_from_db()
    assert (keyless.status, keyless.failure_kind) == ("FAILED", "wallet")
    assert only_attempt(order).state == "SIGNED"


def test_a_node_that_is_away_before_signing_costs_a_retry(
    order: Order, outside: OutsideWorld
) -> None:
    run(ROUTE)
    outside.break_node(errorRate=1)
    run(BUILD)
    order.refresh_from_db()
    assert order.status == "PENDING"
    assert last_event(order).data["kind"] == "network"
    assert not Attempt.objects.exists()
    outside.behave()
    take_through(ROUTE, BUILD)
    assert only_attempt(order).state == "SIGNED"


@pytest.mark.parametrize("point", ["orders.build.before_cosign", "orders.build.before_persist"])
def test_a_builder_that_lost_its_claim_signs_nothing(
    point: str, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ROUTE)

    def lose(name: str) -> None:
        if name == point:
            take_over(order)

    monkeypatch.setattr(checkpoints, "_observers", [lose])
    monkeypatch.setattr(type(adapters.wallet_keys()), "sign", _must_not_sign)
    run(BUILD)
    assert not Attempt.objects.exists()
    order.refresh_from_db()
    assert order.status == "BUILDING"


def _must_not_sign(*_: object) -> bytes:
    raise AssertionError("signed without a claim")


def test_an_order_cancelled_while_it_is_built_is_not_signed(
    order: Order, monkeypatch: pytest.MonkeyPatch, trader: Principal
) -> None:
    run(ROUTE)

    def cancel(name: str) -> None:
        if name == "orders.build.before_persist":
            services.cancel(order_id=order.id, by=trader)

    monkeypatch.setattr(checkpoints, "_observers", [cancel])
    monkeypatch.setattr(type(adapters.wallet_keys()), "sign", _must_not_sign)
    run(BUILD)
    order.refresh_from_db()
    assert order.status == "CANCELLED"
    assert not Attempt.objects.exists() and not Work.objects.exists()


def test_an_order_that_makes_its_builder_stumble_does_not_hold_up_the_others(
    outside: OutsideWorld,
) -> None:
    orders = OrderFactory.create_batch(5, stage=ROUTE)
    run(ROUTE)
    Quote.objects.filter(order=orders[2]).delete()
    run(BUILD)
    assert Attempt.objects.filter(state="SIGNED").count() == 4
    work = Work.objects.get(object_id=orders[2].id)
    assert (work.stage, work.attempts) == (BUILD, 1)
    assert work.last_error.startswith("KeyError")
    assert work.due_at > timezone.now()
