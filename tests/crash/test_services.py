"""PostgreSQL, Redis, the node and the makers break in mid-flow."""

import signal
from collections import Counter

import pytest
import redis

from sandbox.world import MAKERS
from tests.clients import api, swap
from tests.crash.ordeal import Ordeal, new_ordeal, orders_under_way
from tests.stack import SLOT_MS, Stack
from tests.waiting import until

COUNT = 12

# Before anything is signed; signed, stored and sent, but not recorded; landed, but not recorded.
MOMENTS = ["orders.route.before_persist", "orders.submit.sent", "orders.confirm.before_persist"]


async def _all_connected(orders: Ordeal) -> None:
    await until(lambda: all(w.seen for w in orders.witnesses), "every client is connected")


@pytest.mark.parametrize(
    ("how", "moment"),
    [*((signal.SIGINT, moment) for moment in MOMENTS), (signal.SIGKILL, "orders.submit.sent")],
    ids=lambda value: getattr(value, "name", value),
)
async def test_postgres_is_restarted(stack: Stack, how: signal.Signals, moment: str) -> None:
    stack.interruptions.hold_at(moment)
    async with orders_under_way(stack, COUNT) as orders:
        await _all_connected(orders)
        await until(lambda: stack.interruptions.is_held(moment), "a worker has orders in hand")
        stack.parts["postgres"].process.send_signal(how)
        stack.parts["postgres"].process.wait()
        stack.interruptions.release(moment)
        async with api(stack) as client:
            refused = await client.post("/api/orders/execute", json=swap(stack))
            assert refused.status_code == 503
        stack.restart_postgres()
    assert orders.outcomes == {"CONFIRMED": COUNT}


async def test_redis_is_flushed(stack: Stack) -> None:
    with redis.Redis.from_url(stack.parts["redis"].url) as broker:
        for moment in MOMENTS:
            stack.interruptions.hold_at(moment)
            async with orders_under_way(stack, COUNT) as orders:
                await until(lambda: stack.interruptions.is_held(moment), "orders are in hand")  # noqa: B023
                broker.flushall()
                stack.interruptions.release(moment)
            assert orders.outcomes == {"CONFIRMED": COUNT}


async def test_redis_is_restarted(stack: Stack) -> None:
    moment = "orders.build.before_persist"
    stack.interruptions.hold_at(moment)
    async with orders_under_way(stack, COUNT) as orders:
        await _all_connected(orders)
        await until(lambda: stack.interruptions.is_held(moment), "a worker has orders in hand")
        stack.parts["redis"].kill()
        stack.interruptions.release(moment)
        # Their wake-ups are lost: it is the sweeper that finds them.
        await orders.send(COUNT)
        stack.restart_redis()
    assert orders.outcomes == {"CONFIRMED": 2 * COUNT}


async def test_the_node_answers_with_errors_and_late(stack: Stack) -> None:
    orders = new_ordeal(stack)
    stack.chain.faults(errorRate=0.3, lostAnswerRate=0.3, delayMs=50)
    await orders.send(40)
    await until(lambda: any(w.ended for w in orders.witnesses), "an order ends all the same")
    stack.chain.faults(errorRate=0, lostAnswerRate=0, delayMs=0)
    await orders.give_account()
    assert orders.outcomes["CONFIRMED"] > 0
    assert orders.outcomes.keys() <= {"CONFIRMED", "FAILED"}
    failures = {order["failure"]["kind"] for order in orders.orders if order["failure"]}
    assert failures <= {"network"}


@pytest.mark.parametrize("method", ["sendTransaction", "getSignatureStatuses", "getTransaction"])
async def test_the_node_refuses_a_method(stack: Stack, method: str) -> None:
    stack.chain.faults(rpcErrors={method: -32005})
    async with orders_under_way(stack, COUNT) as orders:
        await until(
            lambda: all("SUBMITTED" in w.statuses for w in orders.witnesses), "all are submitted"
        )
        assert not any(w.ended for w in orders.witnesses)
        stack.chain.faults(rpcErrors={})
    assert orders.outcomes == {"CONFIRMED": COUNT}
    assert {len(order["attempts"]) for order in orders.orders} == {1}


async def test_sent_transactions_that_get_lost_are_sent_again(stack: Stack) -> None:
    stack.chain.faults(dropRate=1)
    async with orders_under_way(stack, COUNT) as orders:
        await until(
            lambda: all("SUBMITTED" in w.statuses for w in orders.witnesses), "all are submitted"
        )
        stack.chain.faults(dropRate=0)
    assert orders.outcomes == {"CONFIRMED": COUNT}
    assert {len(order["attempts"]) for order in orders.orders} == {1}


async def test_a_transaction_that_expired_is_signed_anew(stack: Stack) -> None:
    stack.chain.faults(dropRate=1)
    async with orders_under_way(stack, COUNT) as orders:
        await until(
            lambda: all(w.statuses.count("PENDING") > 1 for w in orders.witnesses), "all expire"
        )
        stack.chain.faults(dropRate=0)
    assert orders.outcomes == {"CONFIRMED": COUNT}
    states = Counter(tuple(a["state"] for a in order["attempts"]) for order in orders.orders)
    assert states == {("EXPIRED", "CONFIRMED"): COUNT}


async def test_a_fork_drops_what_had_only_been_processed(stack: Stack) -> None:
    point = "orders.submit.before_send"
    stack.interruptions.hold_at(point)
    async with orders_under_way(stack, COUNT) as orders:
        await until(lambda: stack.interruptions.is_held(point), "transactions are about to be sent")
        # The block that takes them stays open for as long, so that they are only processed.
        stack.chain.faults(skipSlots=2_000 // SLOT_MS)
        stack.interruptions.release(point)
        ids = [witness.order_id for witness in orders.witnesses]
        await until(lambda: 1 in stack.chain.executions(ids).values(), "some are processed")
        assert stack.chain.faults(fork=1)["dropped"]
    assert orders.outcomes == {"CONFIRMED": COUNT}


async def test_the_node_is_killed(stack: Stack) -> None:
    point = "orders.submit.sent"
    stack.interruptions.hold_at(point)
    async with orders_under_way(stack, COUNT) as orders:
        await until(lambda: stack.interruptions.is_held(point), "transactions were sent")
        stack.kill("solana")
        stack.interruptions.release(point)
        stack.start("solana")
        stack.wait_until_ready()
    assert orders.outcomes == {"CONFIRMED": COUNT}


async def test_makers_forget_their_quotes(stack: Stack) -> None:
    point = "orders.build.before_cosign"
    stack.interruptions.hold_at(point)
    async with orders_under_way(stack, COUNT) as orders:
        await until(lambda: stack.interruptions.is_held(point), "venues are about to be asked")
        for name in MAKERS:
            stack.kill(name)
        stack.start(*MAKERS)
        stack.wait_until_ready()
        stack.interruptions.release(point)
    assert orders.outcomes == {"CONFIRMED": COUNT}
