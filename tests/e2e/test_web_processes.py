"""Two web processes, messages that get lost, processes that are told to stop."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
import redis

from tests import clients
from tests.clients import ended, frames, next_frame, read, send, send_bulk, socket, swap, swaps
from tests.stack import WEBS, Stack
from tests.waiting import until
from tests.witness import Witness


@pytest.fixture
def broker(stack: Stack) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(stack.parts["redis"].url) as client:
        yield client


async def test_clients_of_both_web_processes_see_every_step(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    created = await api.post("/api/orders", json=swap(stack))
    order_id = created.json()["orderId"]
    witnesses = [Witness(stack, order_id, web=web) for web in WEBS]
    following = [asyncio.create_task(witness.follow()) for witness in witnesses]
    await until(lambda: all(w.seen for w in witnesses), "both clients have the snapshot")
    await api.post(f"/api/orders/{order_id}/execute")
    await asyncio.gather(*following)
    for witness in witnesses:
        assert witness.seqs == [1, 2, 3, 4, 5]
        assert witness.statuses[-1] == "CONFIRMED"
        assert witness.connections == 1


async def test_the_feed_of_all_orders_tells_everything_once_on_every_process(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    async with (
        socket(stack, "/api/orders/ws", web="web-1") as one,
        socket(stack, "/api/orders/ws", web="web-2") as two,
    ):
        starts = [(await next_frame(feed))["position"] for feed in (one, two)]
        ids = await send_bulk(api, swaps(stack, 30))
        told = [[await next_frame(feed) for _ in range(5 * len(ids))] for feed in (one, two)]
    for start, told_by_one in zip(starts, told, strict=True):
        own = [frame for frame in told_by_one if frame["orderId"] in ids]
        positions = [frame["position"] for frame in told_by_one]
        assert positions == list(range(start + 1, start + 1 + len(positions)))
        for order_id in ids:
            assert [f["seq"] for f in own if f["orderId"] == order_id] == [1, 2, 3, 4, 5]


async def test_a_feed_resumes_from_a_position_on_another_process(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    async with socket(stack, "/api/orders/ws") as feed:
        position = (await next_frame(feed))["position"]
    order_id = await send(api, swap(stack))
    await ended(api, order_id)
    async with socket(stack, f"/api/orders/ws?since={position}", web="web-2") as resumed:
        assert (await next_frame(resumed))["type"] == "resumed"
        missed = [await next_frame(resumed) for _ in range(5)]
    assert [(frame["orderId"], frame["seq"]) for frame in missed] == [
        (order_id, seq) for seq in (1, 2, 3, 4, 5)
    ]


async def test_redis_may_be_flushed_at_any_moment(
    stack: Stack, api: httpx.AsyncClient, broker: redis.Redis
) -> None:
    ids = await send_bulk(api, swaps(stack, 60))
    witnesses = [Witness(stack, order_id, web=WEBS[n % 2]) for n, order_id in enumerate(ids)]
    following = asyncio.gather(*(witness.follow() for witness in witnesses))

    async def flushed_until_the_end() -> bool:
        broker.flushall()
        return following.done()

    await until(flushed_until_the_end, "all orders end")
    assert {tuple(witness.seqs) for witness in witnesses} == {(1, 2, 3, 4, 5)}
    assert {witness.statuses[-1] for witness in witnesses} == {"CONFIRMED"}
    assert set(stack.chain.executions(ids).values()) == {1}


async def test_lost_announcements_leave_no_gap(
    stack: Stack, api: httpx.AsyncClient, broker: redis.Redis
) -> None:
    ids = await send_bulk(api, swaps(stack, 60))
    witnesses = [Witness(stack, order_id, web=WEBS[n % 2]) for n, order_id in enumerate(ids)]
    following = asyncio.gather(*(witness.follow() for witness in witnesses))

    async def deaf_until_the_end() -> bool:
        """What is announced before the web processes have subscribed again is lost to them."""
        broker.client_kill_filter(_type="pubsub")
        await asyncio.wait([following], timeout=0.2)
        return following.done()

    await until(deaf_until_the_end, "all orders end")
    assert {tuple(witness.seqs) for witness in witnesses} == {(1, 2, 3, 4, 5)}


async def test_two_relays_take_turns(stack: Stack, api: httpx.AsyncClient) -> None:
    stack.start("relay-2")
    ids = await send_bulk(api, swaps(stack, 60))
    witnesses = [Witness(stack, order_id, web=WEBS[n % 2]) for n, order_id in enumerate(ids)]
    await asyncio.gather(*(witness.follow() for witness in witnesses))
    async with socket(stack, "/api/orders/ws") as feed:
        start = (await next_frame(feed))["position"]
        more = await send_bulk(api, swaps(stack, 60))
        positions = [(await next_frame(feed))["position"] for _ in range(5 * len(more))]
    stack.stop("relay-2")
    assert {tuple(witness.seqs) for witness in witnesses} == {(1, 2, 3, 4, 5)}
    assert positions == list(range(start + 1, start + 1 + len(positions)))


async def test_a_worker_told_to_stop_finishes_its_claim(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    point = "orders.route.before_quotes"
    stack.interruptions.hold_at(point)
    order_id = await send(api, swap(stack))
    await until(lambda: stack.interruptions.is_held(point), "a worker has the order in hand")
    worker = stack.parts["worker-orders"]
    worker.process.terminate()
    stack.interruptions.release(point)
    await until(lambda: not worker.is_alive(), "the worker ends")
    assert worker.process.returncode == 0
    assert (await read(api, order_id))["status"] == "BUILDING"
    stack.start("worker-orders")
    witness = await Witness(stack, order_id).follow()
    assert witness.statuses == ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]


async def test_a_web_process_told_to_stop_answers_what_it_accepted(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    point = "orders.accept.before_commit"
    web = stack.parts["web-2"]
    stack.interruptions.hold_at(point)
    async with (
        clients.api(stack, web="web-2") as client,
        socket(stack, "/api/orders/ws", web="web-2") as feed,
    ):
        await next_frame(feed)
        sending = asyncio.create_task(client.post("/api/orders/execute", json=swap(stack)))
        await until(lambda: stack.interruptions.is_held(point), "the order is about to be stored")
        web.process.terminate()
        await frames(feed)
        assert feed.close_code == 1001
        stack.interruptions.release(point)
        answer = await sending
    assert answer.status_code == 202
    await until(lambda: not web.is_alive(), "the web process ends")
    stack.start("web-2")
    stack.wait_until_ready()
    assert (await ended(api, answer.json()["orderId"]))["status"] == "CONFIRMED"


async def test_health_tells_of_every_part(api: httpx.AsyncClient) -> None:
    answer = await api.get("/health")
    report = answer.json()
    assert (answer.status_code, report["status"]) == (200, "ok"), report["parts"]
    assert {"database", "redis"} <= report["parts"].keys()
    assert all(part["status"] == "ok" for part in report["parts"].values())


async def test_metrics_count_the_requests_of_all_web_processes(
    stack: Stack, api: httpx.AsyncClient, other_web: httpx.AsyncClient
) -> None:
    before = await _executions_counted(api)
    await ended(api, await send(other_web, swap(stack)))
    assert await _executions_counted(api) == before + 1


async def _executions_counted(api: httpx.AsyncClient) -> float:
    page = await api.get("/metrics")
    assert page.status_code == 200
    name = 'fairlane_http_request_seconds_count{method="POST",route="/api/orders/execute"'
    lines = [line for line in page.text.splitlines() if line.startswith(name)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)
