"""Cancelling an order while a worker has it in hand, at named points of both."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.clients import Json, ended, read, send, swap
from tests.stack import Stack
from tests.waiting import until
from tests.witness import Witness

CancelledAt = Callable[[str], Awaitable[str]]


async def _send_held(stack: Stack, api: httpx.AsyncClient, point: str) -> str:
    """An order that a worker holds at ``point``."""
    stack.interruptions.hold_at(point)
    order_id = await send(api, swap(stack))
    await until(lambda: stack.interruptions.is_held(point), f"a worker gets to {point}")
    return order_id


async def _cancel(api: httpx.AsyncClient, order_id: str) -> httpx.Response:
    return await api.post(f"/api/orders/{order_id}/cancel")


async def _after_another(stack: Stack, api: httpx.AsyncClient, order_id: str) -> Json:
    """The order after a later one has gone all the way, so that its own chances are over."""
    later = await ended(api, await send(api, swap(stack)))
    assert later["status"] == "CONFIRMED"
    return await read(api, order_id)


@pytest.mark.parametrize(
    ("point", "reached"),
    [
        ("orders.route.claimed", ["PENDING"]),
        ("orders.route.before_persist", ["PENDING", "ROUTING"]),
        ("orders.build.claimed", ["PENDING", "ROUTING", "BUILDING"]),
        ("orders.build.before_persist", ["PENDING", "ROUTING", "BUILDING"]),
    ],
)
async def test_before_the_wallet_has_signed_cancelling_wins(
    stack: Stack, api: httpx.AsyncClient, point: str, reached: list[str]
) -> None:
    order_id = await _send_held(stack, api, point)
    assert (await _cancel(api, order_id)).json()["status"] == "CANCELLED"
    stack.interruptions.release(point)
    order = await _after_another(stack, api, order_id)
    assert order["status"] == "CANCELLED"
    assert [entry["status"] for entry in order["history"]] == [*reached, "CANCELLED"]
    assert order["txHash"] is None
    assert stack.chain.executions([order_id]) == {order_id: 0}


@pytest.mark.parametrize("point", ["orders.build.persisted", "orders.submit.before_send"])
async def test_once_the_wallet_has_signed_cancelling_is_refused(
    stack: Stack, api: httpx.AsyncClient, point: str
) -> None:
    order_id = await _send_held(stack, api, point)
    refused = await _cancel(api, order_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_state")
    stack.interruptions.release(point)
    witness = await Witness(stack, order_id).follow()
    assert witness.statuses == ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
    assert stack.chain.executions([order_id]) == {order_id: 1}


async def test_a_worker_records_nothing_while_a_cancellation_is_about_to_commit(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    order_id = await _send_held(stack, api, "orders.route.before_persist")
    stack.interruptions.hold_at("orders.cancel.before_commit")
    cancelling = asyncio.create_task(_cancel(api, order_id))
    await until(lambda: stack.interruptions.is_held("orders.cancel.before_commit"), "it cancels")
    stack.interruptions.release("orders.route.before_persist")
    stack.interruptions.release("orders.cancel.before_commit")
    assert (await cancelling).json()["status"] == "CANCELLED"
    order = await _after_another(stack, api, order_id)
    assert [e["status"] for e in order["history"]] == ["PENDING", "ROUTING", "CANCELLED"]
    assert stack.chain.executions([order_id]) == {order_id: 0}


async def test_a_cancellation_that_comes_too_late_changes_nothing(
    stack: Stack, api: httpx.AsyncClient, other_web: httpx.AsyncClient
) -> None:
    order_id = await _send_held(stack, api, "orders.route.claimed")
    stack.interruptions.hold_at("orders.cancel.begun")
    cancelling = asyncio.create_task(_cancel(other_web, order_id))
    await until(lambda: stack.interruptions.is_held("orders.cancel.begun"), "it cancels")
    stack.interruptions.release("orders.route.claimed")
    assert (await ended(api, order_id))["status"] == "CONFIRMED"
    stack.interruptions.release("orders.cancel.begun")
    assert (await cancelling).status_code == 409
    assert (await read(api, order_id))["status"] == "CONFIRMED"
    assert stack.chain.executions([order_id]) == {order_id: 1}


async def test_an_order_that_waits_is_cancelled_and_never_executed(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    order_id = (await api.post("/api/orders", json=swap(stack))).json()["orderId"]
    assert (await _cancel(api, order_id)).json()["status"] == "CANCELLED"
    executed = await api.post(f"/api/orders/{order_id}/execute")
    assert (executed.status_code, executed.json()["code"]) == (409, "stale_state")
    assert (await _cancel(api, order_id)).status_code == 409
    order = await _after_another(stack, api, order_id)
    assert [e["status"] for e in order["history"]] == ["PENDING", "CANCELLED"]
    assert stack.chain.executions([order_id]) == {order_id: 0}
