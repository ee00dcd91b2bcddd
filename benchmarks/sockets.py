"""How long after its commit an event reaches a client, with hundreds of clients."""

import asyncio
import random
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context

import aiohttp
import orjson
import uvloop

from benchmarks.floors import Floors
from benchmarks.flow import wait_until_idle
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack
from sandbox.traffic import order

# Handshakes at once: a crowd that arrives together is another benchmark.
CONNECTING = 25
OWN_ORDERS_PER_SECOND = 50
# Every one of these reaches every client, in four frames.
SHARED_ORDERS_PER_SECOND = 2
LONGEST_SECONDS = 60
ENDED = ("CONFIRMED", "FAILED")


@dataclass(frozen=True)
class Crowd:
    """Clients, the orders they watch, and how fast these are executed.

    Attributes:
        shared: all clients watch all orders; else each its own.
    """

    base_url: str
    headers: dict[str, str]
    clients: int
    wallets: list[str]
    orders: int
    orders_per_second: float
    shared: bool


def measure(stack: Stack, floors: Floors, *, clients: int) -> Section:
    """Clients that each follow an order of their own, then clients that all follow all."""
    own = _watch(stack, clients, clients, OWN_ORDERS_PER_SECOND, shared=False)
    shared = _watch(
        stack, clients, 5 * SHARED_ORDERS_PER_SECOND, SHARED_ORDERS_PER_SECOND, shared=True
    )
    return Section(
        f"WebSocket, {clients} clients",
        "From the event's time in the database (just before its commit) to the client, which runs "
        f"on the same cores. Own: `/ws/orders/{{id}}`, {OWN_ORDERS_PER_SECOND} orders/s begin. "
        f"All: `/api/orders/ws`, {SHARED_ORDERS_PER_SECOND} orders/s, each told to every client.",
        [*_figures("own order", own), *_figures("all orders", shared)],
    )


def _watch(stack: Stack, clients: int, orders: int, pace: float, *, shared: bool) -> list[float]:
    crowd = Crowd(stack.plan.base_url, stack.headers, clients, stack.wallets, orders, pace, shared)
    wait_until_idle(stack)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return sorted(pool.submit(_run, crowd).result())


def _figures(name: str, latencies: list[float]) -> list[Figure]:
    def percentile(percent: int) -> float:
        return 1_000 * latencies[(len(latencies) - 1) * percent // 100]

    return [
        Figure(f"{name}: p50 of {len(latencies):,} frames", percentile(50), "ms"),
        Figure(f"{name}: p99", percentile(99), "ms", 100, "less"),
    ]


def _run(crowd: Crowd) -> list[float]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_follow(crowd))


async def _follow(crowd: Crowd) -> list[float]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        crowd.base_url, headers=crowd.headers, connector=connector
    ) as session:
        ids = [await _create(session, crowd) for _ in range(crowd.orders)]
        watched = [None] * crowd.clients if crowd.shared else ids
        handshakes, connected = asyncio.Semaphore(CONNECTING), asyncio.Barrier(len(watched) + 1)
        async with asyncio.timeout(LONGEST_SECONDS), asyncio.TaskGroup() as group:
            clients = [
                group.create_task(_client(session, crowd, own, handshakes, connected))
                for own in watched
            ]
            await connected.wait()
            await _execute(session, ids, crowd.orders_per_second)
    return [latency for client in clients for latency in client.result()]


async def _create(session: aiohttp.ClientSession, crowd: Crowd) -> str:
    """An order that waits."""
    body = order(random.choice(crowd.wallets))
    async with session.post("/api/orders", json=body, raise_for_status=True) as answer:
        return str((await answer.json())["orderId"])


async def _execute(session: aiohttp.ClientSession, ids: list[str], pace: float) -> None:
    started = time.perf_counter()
    for number, order_id in enumerate(ids):
        await asyncio.sleep(started + number / pace - time.perf_counter())
        async with session.post(f"/api/orders/{order_id}/execute", raise_for_status=True):
            pass


async def _client(
    session: aiohttp.ClientSession,
    crowd: Crowd,
    own: str | None,
    handshakes: asyncio.Semaphore,
    connected: asyncio.Barrier,
) -> list[float]:
    """The latencies of the frames one client gets until the orders it watches have ended."""
    async with handshakes:
        socket = await session.ws_connect(f"/ws/orders/{own}" if own else "/api/orders/ws")
        await socket.receive()  # the snapshot
    await connected.wait()
    latencies, awaited = [], 1 if own else crowd.orders
    async with socket:
        while awaited:
            frame = orjson.loads(await socket.receive_str())
            received_at = time.time()
            if frame["type"] != "status":
                continue
            latencies.append(received_at - datetime.fromisoformat(frame["timestamp"]).timestamp())
            awaited -= frame["status"] in ENDED
    return latencies
