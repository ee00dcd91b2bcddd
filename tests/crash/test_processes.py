"""Processes killed with SIGKILL at each named point, and what becomes of the orders."""

import asyncio
import os
import signal

import pytest

from tests.crash.conftest import PROCESSES
from tests.crash.ordeal import new_ordeal, orders_under_way
from tests.stack import Stack
from tests.waiting import until

COUNT = 12

POINTS = [
    *(
        ("worker-orders", f"orders.{point}")
        for point in (
            "route.claimed",
            "route.begun",
            "route.before_quotes",
            "route.before_persist",
            "route.persisted",
            "build.claimed",
            "build.before_cosign",
            "build.before_persist",
            "build.persisted",
            "submit.claimed",
            "submit.before_send",
            "submit.sent",
            "submit.recorded",
        )
    ),
    *(
        ("worker-confirmations", f"orders.{point}")
        for point in ("confirm.claimed", "confirm.before_persist", "confirm.persisted")
    ),
]


async def _dies(stack: Stack, name: str) -> None:
    await until(lambda: not stack.is_alive(name), f"{name} dies")
    assert stack.parts[name].process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("worker", "point"), POINTS, ids=lambda value: value)
async def test_a_worker_is_killed(stack: Stack, worker: str, point: str) -> None:
    stack.interruptions.kill_at(point)
    async with orders_under_way(stack, COUNT) as orders:
        await _dies(stack, worker)
        stack.start(worker)
    assert orders.outcomes == {"CONFIRMED": COUNT}


@pytest.mark.parametrize("point", ["relay.before_commit", "relay.committed", "relay.announced"])
async def test_the_relay_is_killed(stack: Stack, point: str) -> None:
    stack.stop("relay")
    async with orders_under_way(stack, COUNT) as orders:
        # There is something to relay from the start: the point is reached with events in hand.
        stack.interruptions.kill_at(point)
        stack.start("relay")
        await _dies(stack, "relay")
        stack.start("relay")
    assert orders.outcomes == {"CONFIRMED": COUNT}


@pytest.mark.parametrize(
    ("point", "replayed"),
    [("orders.accept.before_commit", False), ("orders.accept.committed", True)],
)
async def test_a_web_process_is_killed_while_it_accepts(
    stack: Stack, point: str, replayed: bool
) -> None:
    stack.interruptions.kill_at(point)
    orders = new_ordeal(stack)
    sending = asyncio.create_task(orders.send(COUNT))
    await _dies(stack, "web-1")
    stack.start("web-1")
    await sending
    assert orders.replayed is replayed
    await orders.give_account()
    assert orders.outcomes == {"CONFIRMED": COUNT}


async def test_a_web_process_is_killed_under_its_sockets(stack: Stack) -> None:
    point = "orders.build.before_persist"
    stack.interruptions.hold_at(point)
    async with orders_under_way(stack, COUNT) as orders:
        await until(lambda: all(w.seen for w in orders.witnesses), "every client is connected")
        stack.kill("web-1")
        stack.interruptions.release(point)
        stack.start("web-1")
    assert orders.outcomes == {"CONFIRMED": COUNT}
    assert all(witness.connections > 1 for witness in orders.witnesses)


async def test_all_of_fairlane_is_killed_at_once(stack: Stack) -> None:
    point = "orders.submit.sent"
    stack.interruptions.hold_at(point)
    async with orders_under_way(stack, COUNT) as orders:
        await until(lambda: stack.interruptions.is_held(point), "transactions were sent")
        for name in PROCESSES:
            stack.kill(name)
        stack.interruptions.release(point)
        stack.start(*PROCESSES)
    assert orders.outcomes == {"CONFIRMED": COUNT}


@pytest.mark.parametrize("point", ["orders.build.before_persist", "orders.submit.before_send"])
async def test_a_worker_sleeps_through_its_lease(stack: Stack, point: str) -> None:
    stack.interruptions.hold_at(point)
    async with orders_under_way(stack, COUNT) as orders:
        await until(lambda: stack.interruptions.is_held(point), "a worker has orders in hand")
        sleeper = stack.parts["worker-orders"].pid
        os.killpg(sleeper, signal.SIGSTOP)
        stack.start("worker-spare")
        await until(
            lambda: all("CONFIRMED" in w.statuses for w in orders.witnesses), "the spare takes over"
        )
        stack.interruptions.release(point)
        os.killpg(sleeper, signal.SIGCONT)
        stack.stop("worker-spare")
        await orders.send(1)
    assert orders.outcomes == {"CONFIRMED": COUNT + 1}


async def test_a_worker_that_hangs_is_interrupted(stack: Stack) -> None:
    stack.interruptions.hold_at("orders.route.before_quotes")
    async with orders_under_way(stack, COUNT) as orders:
        pass
    assert orders.outcomes == {"CONFIRMED": COUNT}
