"""How fast orders are accepted, one per request."""

from benchmarks import orders
from benchmarks.floors import Floors
from benchmarks.flow import wait_until_idle
from benchmarks.load import Load, run
from benchmarks.processes import cpu_seconds, since
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack

CONNECTIONS = (1, 32, 128)
TARGETS = {32: 1_000.0}


def measure(stack: Stack, floors: Floors, *, seconds: float) -> Section:
    """Single orders over 1, 32 and 128 connections."""
    figures: list[Figure] = []
    for connections in CONNECTIONS:
        figures += _figures(stack, floors, connections, seconds)
    figures += _waiting(stack, floors, seconds)
    return Section(
        "Accepting single orders",
        "`POST /api/orders/execute` while everything runs: the workers execute the orders on the "
        "same cores meanwhile. An order that waits (`POST /api/orders`) is stored and executed "
        "later: what the door does by itself.",
        figures,
    )


def _figures(stack: Stack, floors: Floors, connections: int, seconds: float) -> list[Figure]:
    load = Load(stack.plan.ports.web, connections, orders.single(stack), seconds)
    outcome = run(load).require(202)
    wait_until_idle(stack)
    name = f"{connections} connection{'s' if connections > 1 else ''}"
    return [
        Figure(
            f"{name}: orders", outcome.rate, "/s", TARGETS.get(connections), "more",
            *_floor(floors, connections),
        ),
        Figure(f"{name}: p50", outcome.percentile(50), "ms"),
        Figure(f"{name}: p99", outcome.percentile(99), "ms"),
    ]  # fmt: skip


def _floor(floors: Floors, connections: int) -> tuple[float, str]:
    """One connection waits for a commit each time; many share them."""
    return (floors.insert, "INSERT") if connections == 1 else (floors.asgi, "ASGI no-op")


def _waiting(stack: Stack, floors: Floors, seconds: float) -> list[Figure]:
    load = Load(stack.plan.ports.web, 32, orders.single(stack, "/api/orders"), seconds)
    before = cpu_seconds(stack.parts)
    outcome = run(load).require(201)
    spent = sum(since(before, cpu_seconds(stack.parts)).values()) / len(outcome.latencies)
    return [
        Figure(
            "32 connections, orders that wait", outcome.rate, "/s",
            floor=floors.asgi, floor_name="ASGI no-op",
        ),
        Figure("32 connections, orders that wait: p99", outcome.percentile(99), "ms"),
        Figure("32 connections, orders that wait: CPU of all parts", 1e6 * spent, "µs per order"),
    ]  # fmt: skip
