"""From the first request to the last order that has ended on the chain."""

from collections.abc import Sequence

from benchmarks.floors import Floors
from benchmarks.flow import Flow, flow
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack

DEFAULT_DELAYS = {"quoteDelayMs": 200, "executionDelayMs": 2500}
NO_DELAYS = {"quoteDelayMs": 0, "executionDelayMs": 0, "failureRate": 0}


def measure_instant(stack: Stack, floors: Floors, *, counts: Sequence[int]) -> list[Section]:
    """Makers that answer at once: what Fairlane and the node can do."""
    flows = [flow(stack, count) for count in counts]
    figures = [
        Figure(
            f"{done.count:,} orders: {_outcome(done)}", done.rate, "orders/s", 1_200, "more",
            floors.node, "node",
        )
        for done in flows
    ]  # fmt: skip
    return [
        Section(
            "End to end, makers without delay",
            "From the first bulk request to the last order that ended; each confirmed order is a "
            "transaction on the node, counted by the memos there.",
            [*figures, *(_cpu(done) for done in flows)],
        ),
        Section(
            f"CPU time per order, of {flows[-1].count:,} orders",
            "User and system time of each part with its children, in microseconds.",
            [
                Figure(name, 1e6 * seconds / flows[-1].count, "µs")
                for name, seconds in flows[-1].cpu.items()
            ],
        ),
    ]


def measure_default_delays(stack: Stack, floors: Floors, *, count: int) -> Section:
    """Makers as they are by default."""
    figures: list[Figure] = []
    for failure_rate in (0.0, 0.05):
        stack.turn_knobs(**DEFAULT_DELAYS, failureRate=failure_rate)
        done = flow(stack, count)
        name = f"{count:,} orders, {failure_rate:.0%} fail at the maker: {_outcome(done)}"
        figures += [Figure(name, done.rate, "orders/s", 200), _cpu(done)]
    stack.turn_knobs(**NO_DELAYS)
    return Section(
        "End to end, makers with their default delays",
        "A quote takes 200 ms, the maker's signature 2,500 ms. An order that the maker fails is "
        "routed again, three times at most; the time of the last is part of the whole.",
        figures,
    )


def _outcome(done: Flow) -> str:
    ended = ", ".join(f"{count:,} {status}" for status, count in sorted(done.ended.items()))
    return f"{ended}; {done.landed:,} on chain, {done.executed_twice} twice"


def _cpu(done: Flow) -> Figure:
    return Figure(f"{done.count:,} orders: CPU of all parts", done.cpu_us, "µs per order")
