"""Sending and confirming of signed orders, against a real node."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chains import registry as adapters
from fairlane.core import checkpoints
from fairlane.core.models import Work
from orders.amounts import to_text
from orders.execution import compute
from orders.models import Attempt, Order
from orders.stage_names import BUILD, CONFIRM, ROUTE, SUBMIT
from orders.tests.driving import (
    confirm,
    history,
    last_event,
    run,
    run_until,
    signed,
    take_over,
    take_through,
)
from orders.tests.factories import MINTS, TRADERS, WALLET, OrderFactory
from orders.tests.outside import OutsideWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(outside: OutsideWorld) -> Order:
    """An order whose signed transaction is stored and not sent."""
    order = OrderFactory.create(stage=ROUTE)
    signed(order)
    return order


def attempt_of(order: Order) -> Attempt:
    return Attempt.objects.filter(order=order).latest("number")


def expire(order: Order) -> None:
    """Let the live attempt's blockhash be one that the finalized chain has left behind."""
    Attempt.objects.filter(order=order, state="SIGNED").update(last_valid_block_height=-1)


def test_a_confirmed_order_has_the_amounts_that_moved_on_chain(
    order: Order, outside: OutsideWorld
) -> None:
    before = [outside.balance(WALLET, symbol) for symbol in ("SOL", "USDC")]
    run(SUBMIT)
    confirm(order)
    after = [outside.balance(WALLET, symbol) for symbol in ("SOL", "USDC")]
    assert (order.status, order.failure_kind) == ("CONFIRMED", "")
    assert (order.spent_amount, order.output_amount) == (
        before[0] - after[0],
        after[1] - before[1],
    )
    assert order.spent_amount == order.input_amount
    assert order.output_amount == order.quoted_amount
    assert order.network_fee is not None and order.network_fee >= 10_000
    attempt = attempt_of(order)
    assert (attempt.state, order.signature) == ("CONFIRMED", attempt.signature)
    assert attempt.slot
    assert outside.executions(order.id) == 1
    assert history(order) == ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
    assert not Work.objects.exists()


def test_the_last_event_tells_amounts_price_and_transaction(order: Order) -> None:
    run(SUBMIT)
    confirm(order)
    data = last_event(order).data
    assert order.output_amount is not None
    assert data["txHash"] == order.signature
    assert data["outputAmount"] == to_text(order.output_amount, 6)
    assert data["spentAmount"] == "1"
    assert float(data["executedPrice"]) == pytest.approx(order.output_amount / 10**6)
    assert data["networkFeeLamports"] == str(order.network_fee)


def test_a_missing_output_account_is_created_on_the_way(outside: OutsideWorld) -> None:
    assert outside.balance(TRADERS[1], "PYUSD") == 0
    order = OrderFactory.create(stage=ROUTE, wallet=TRADERS[1], output_token_id=MINTS["PYUSD"])
    take_through(ROUTE, BUILD, SUBMIT)
    confirm(order)
    assert order.status == "CONFIRMED"
    assert outside.balance(TRADERS[1], "PYUSD") == order.output_amount == order.quoted_amount


def test_a_sent_order_is_submitted_with_its_hash_and_looked_up_soon(order: Order) -> None:
    run(SUBMIT)
    order.refresh_from_db()
    attempt = attempt_of(order)
    assert (order.status, order.signature) == ("SUBMITTED", attempt.signature)
    assert last_event(order).data == {
        "txHash": attempt.signature,
        "venue": order.venue,
        "attempt": 1,
    }
    assert attempt.sent_at is not None
    work = Work.objects.get(object_id=order.id)
    assert work.stage == CONFIRM
    assert timedelta() < work.due_at - timezone.now() <= timedelta(milliseconds=400)


def test_a_send_that_is_answered_with_an_error_decides_nothing(
    order: Order, outside: OutsideWorld
) -> None:
    outside.break_node(rpcErrors={"sendTransaction": -32005})
    run(SUBMIT)
    order.refresh_from_db()
    assert order.status == "SUBMITTED"
    outside.behave()
    Attempt.objects.update(sent_at=timezone.now() - timedelta(seconds=2))
    confirm(order)
    assert order.status == "CONFIRMED"
    assert outside.executions(order.id) == 1


def test_a_dropped_transaction_is_sent_again(order: Order, outside: OutsideWorld) -> None:
    outside.break_node(dropRate=1)
    run(SUBMIT)
    outside.behave()
    long_ago = timezone.now() - timedelta(seconds=2)
    Attempt.objects.update(sent_at=long_ago)
    run(CONFIRM)
    sent_again = attempt_of(order).sent_at
    assert sent_again is not None and sent_again > long_ago
    confirm(order)
    assert (order.status, outside.executions(order.id)) == ("CONFIRMED", 1)


def test_what_was_just_sent_is_not_sent_again(order: Order, outside: OutsideWorld) -> None:
    outside.break_node(dropRate=1)
    run(SUBMIT)
    sent_at = attempt_of(order).sent_at
    run(CONFIRM)
    assert attempt_of(order).sent_at == sent_at
    order.refresh_from_db()
    assert order.status == "SUBMITTED"
    assert Work.objects.get(object_id=order.id).due_at > timezone.now()


def test_sending_twice_executes_once(order: Order, outside: OutsideWorld) -> None:
    """A worker that died between send and record leaves the order to another, which sends too."""
    raw = bytes(attempt_of(order).transaction or b"")
    adapters.run(adapters.solana().send([raw]))
    run(SUBMIT)
    confirm(order)
    assert (order.status, outside.executions(order.id)) == ("CONFIRMED", 1)


def test_nothing_is_decided_while_the_node_is_away(order: Order, outside: OutsideWorld) -> None:
    run(SUBMIT)
    expire(order)
    outside.break_node(errorRate=1)
    run(CONFIRM)
    order.refresh_from_db()
    work = Work.objects.get(object_id=order.id)
    assert (order.status, attempt_of(order).state) == ("SUBMITTED", "SIGNED")
    assert (work.stage, work.attempts, work.claim_id) == (CONFIRM, 0, None)
    assert work.due_at > timezone.now()
    outside.behave()
    confirm(order)


def test_a_landed_transaction_counts_even_if_its_blockhash_is_long_gone(
    order: Order, outside: OutsideWorld
) -> None:
    run(SUBMIT)
    run_until(SUBMIT, lambda: outside.executions(order.id) == 1)
    expire(order)
    # Seen as processed only, it may still vanish: such a look must not count it as expired.
    confirm(order)
    assert order.status == "CONFIRMED"


def test_an_expired_attempt_is_signed_again_and_only_the_new_one_lands(
    order: Order, outside: OutsideWorld
) -> None:
    outside.break_node(dropRate=1)
    run(SUBMIT)
    expire(order)
    run(CONFIRM)
    order.refresh_from_db()
    assert (order.status, attempt_of(order).state) == ("PENDING", "EXPIRED")
    assert last_event(order).data["kind"] == "expired"
    outside.behave()
    signed(order)
    first, second = Attempt.objects.filter(order=order).order_by("number")
    assert (first.state, second.state, second.number) == ("EXPIRED", "SIGNED", 2)
    run(SUBMIT)
    confirm(order)
    assert (order.status, order.signature) == ("CONFIRMED", second.signature)
    assert outside.executions(order.id) == 1
    assert history(order).count("SUBMITTED") == 2


def test_a_node_that_lost_the_history_proves_no_expiry(order: Order, outside: OutsideWorld) -> None:
    """The node's history begins at slot 0: an attempt from before is one it may have forgotten."""
    outside.break_node(dropRate=1)
    run(SUBMIT)
    expire(order)
    Attempt.objects.update(first_slot=-1)
    run(CONFIRM)
    order.refresh_from_db()
    assert (order.status, attempt_of(order).state) == ("SUBMITTED", "SIGNED")
    Attempt.objects.update(sent_at=timezone.now() - timedelta(minutes=11))
    run(CONFIRM)
    order.refresh_from_db()
    assert (order.status, attempt_of(order).state) == ("REVIEW", "SIGNED")
    assert "cannot tell whether" in last_event(order).data["reason"]


def test_an_order_that_expires_too_often_fails_as_expired(
    order: Order, outside: OutsideWorld
) -> None:
    Order.objects.update(tries=3)
    outside.break_node(dropRate=1)
    run(SUBMIT)
    expire(order)
    run(CONFIRM)
    order.refresh_from_db()
    assert (order.status, order.failure_kind) == ("FAILED", "expired")
    assert order.failure_reason == "the transaction expired at block height -1"


def test_a_transaction_that_cannot_be_read_is_waited_for(
    order: Order, outside: OutsideWorld
) -> None:
    run(SUBMIT)
    run_until(SUBMIT, lambda: outside.executions(order.id) == 1)
    outside.break_node(rpcErrors={"getTransaction": -32603})
    run(CONFIRM)
    order.refresh_from_db()
    assert (order.status, attempt_of(order).state) == ("SUBMITTED", "SIGNED")
    outside.behave()
    confirm(order)
    assert order.status == "CONFIRMED"


def test_a_transaction_that_cannot_be_read_for_long_comes_before_a_person(
    order: Order, outside: OutsideWorld
) -> None:
    before = outside.balance(WALLET, "USDC")
    run(SUBMIT)
    run_until(SUBMIT, lambda: outside.balance(WALLET, "USDC") > before)  # confirmed, that is
    outside.break_node(rpcErrors={"getTransaction": -32603})
    Attempt.objects.update(sent_at=timezone.now() - timedelta(minutes=11))
    confirm(order)
    assert (order.status, attempt_of(order).state) == ("REVIEW", "SIGNED")
    assert "the node does not show it" in last_event(order).data["reason"]
    work = Work.objects.get(object_id=order.id)
    assert (work.stage, work.claim_id) == (CONFIRM, None)
    assert work.quarantined_at is not None


def test_a_live_attempt_is_never_signed_beside_another(order: Order) -> None:
    """Whatever happened to the order's row: as long as its attempt may land, there is no second."""
    run(SUBMIT)
    Order.objects.update(status="PENDING")
    Work.objects.update(stage=ROUTE)
    take_through(ROUTE, BUILD)
    assert Attempt.objects.filter(order=order, state="SIGNED").count() == 1
    assert "attempt_one_live_per_order" in Work.objects.get().last_error


def test_a_transaction_that_failed_on_chain_fails_the_order_in_words(
    outside: OutsideWorld,
) -> None:
    """Two orders for all the wallet holds: both are signed, the chain lets one through."""
    held = outside.balance(TRADERS[2], "USDC")
    orders = [
        OrderFactory.create(
            stage=ROUTE,
            wallet=TRADERS[2],
            input_token_id=MINTS["USDC"],
            output_token_id=MINTS["SOL"],
            input_amount=held,
        )
        for _ in range(2)
    ]
    take_through(ROUTE, BUILD, SUBMIT)
    confirm(*orders)
    won, lost = sorted(orders, key=lambda order: order.status)
    assert (won.status, lost.status, lost.failure_kind) == ("CONFIRMED", "FAILED", "chain")
    assert "insufficient funds" in lost.failure_reason
    assert last_event(lost).data["txHash"] == lost.signature
    assert attempt_of(lost).error == lost.failure_reason
    assert attempt_of(lost).state == "FAILED"
    assert lost.network_fee is not None and lost.network_fee >= 10_000
    assert last_event(lost).data["networkFeeLamports"] == str(lost.network_fee)
    assert lost.output_amount is None
    assert outside.balance(TRADERS[2], "USDC") == 0


@pytest.mark.parametrize(
    ("stage", "point"),
    [
        (SUBMIT, "orders.submit.sent"),
        (CONFIRM, "orders.confirm.before_persist"),
    ],
)
def test_a_holder_that_lost_its_claim_records_nothing(
    stage: str,
    point: str,
    order: Order,
    outside: OutsideWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if stage == CONFIRM:
        run(SUBMIT)
        run_until(SUBMIT, lambda: outside.executions(order.id) == 1)
    before = history(order)

    def lose(name: str) -> None:
        if name == point:
            take_over(order)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_observers", [lose])
        run(stage)
    assert history(order) == before
    assert Work.objects.get(object_id=order.id).stage == stage


def test_an_order_that_has_ended_leaves_no_work(order: Order) -> None:
    run(SUBMIT)
    Order.objects.update(status="FAILED", failure_kind="review")
    run(CONFIRM)
    assert not Work.objects.exists()


def test_swaps_of_one_shape_are_simulated_once(
    outside: OutsideWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "_measured", {})
    OrderFactory.create_batch(2, stage=ROUTE)
    OrderFactory.create(stage=ROUTE, output_token_id=MINTS["PYUSD"])
    take_through(ROUTE, BUILD)
    assert {shape[:2] for shape in compute._measured} == {
        (MINTS["SOL"], MINTS["USDC"]),
        (MINTS["SOL"], MINTS["PYUSD"]),
    }
    assert all(0 < limit < compute.UNMEASURED_LIMIT for limit in compute._measured.values())
