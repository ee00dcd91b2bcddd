"""How fast orders are accepted, a thousand per request."""

from benchmarks import orders
from benchmarks.floors import Floors
from benchmarks.flow import LONGEST_SECONDS, wait_until_idle
from benchmarks.load import Load, run
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack


def measure(stack: Stack, floors: Floors, *, count: int) -> Section:
    """`count` orders over one connection, and again over two."""
    figures = []
    for connections in (1, 2):
        requests = orders.bulk(stack, count)
        load = Load(stack.plan.ports.web, connections, requests, LONGEST_SECONDS, len(requests))
        outcome = run(load).require(202)
        wait_until_idle(stack)
        name = f"{connections} connection{'s' if connections > 1 else ''}: orders"
        rate = count / outcome.seconds
        figures.append(Figure(name, rate, "/s", 8_000, "more", floors.copy, "COPY"))
    return Section(
        "Accepting orders in bulk",
        "`POST /api/orders/bulk` with 1,000 orders a call, while everything runs.",
        figures,
    )
