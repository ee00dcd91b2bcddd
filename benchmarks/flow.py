"""Orders per second from the first request to the last order that has ended on the chain."""

import time
from dataclasses import dataclass

from benchmarks import orders
from benchmarks.load import Load, run
from benchmarks.processes import cpu_seconds, since
from benchmarks.stack import Stack

POLL_SECONDS = 0.2
# Nothing here takes this long unless something is stuck.
LONGEST_SECONDS = 300
# Longer than any order waits for its next stage; parked orders are due later than that.
SOON = "10 minutes"

_OPEN = "SELECT 1 FROM core_work WHERE due_at < clock_timestamp() + %s::interval LIMIT 1"


@dataclass(frozen=True)
class Flow:
    """A set of orders that went through.

    Attributes:
        accepted_in: seconds until all were accepted.
        seconds: from the first request to the end of the last order.
        ended: how many, by status.
        landed: successful transactions on the chain, counted by their memos.
        executed_twice: orders with more than one.
        cpu: seconds by process.
    """

    count: int
    accepted_in: float
    seconds: float
    ended: dict[str, int]
    landed: int
    executed_twice: int
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Orders per second."""
        return self.count / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds per order, of all processes together."""
        return 1e6 * sum(self.cpu.values()) / self.count


def flow(stack: Stack, count: int, *, connections: int = 2) -> Flow:
    """Send `count` orders in bulk and wait until the last one has ended.

    Raises:
        RuntimeError: an order was refused, is stuck, or was executed twice.
    """
    wait_until_idle(stack)
    requests = orders.bulk(stack, count)
    landed_before, cpu_before = sum(stack.landed().values()), cpu_seconds(stack.parts)
    outcome = run(
        Load(stack.plan.ports.web, connections, requests, LONGEST_SECONDS, len(requests))
    ).require(202)
    wait_until_idle(stack)
    spent = since(cpu_before, cpu_seconds(stack.parts))
    ended, last = _ended_since(stack, outcome.started_at)
    if sum(ended.values()) != count:
        raise RuntimeError(f"{count} orders were sent, {ended} have ended")
    memos = stack.landed()
    return Flow(
        count=count,
        accepted_in=outcome.seconds,
        seconds=last - outcome.started_at,
        ended=ended,
        landed=sum(memos.values()) - landed_before,
        executed_twice=sum(1 for times in memos.values() if times > 1),
        cpu=spent,
    )


def wait_until_idle(stack: Stack) -> None:
    """Wait until no order has work that is due soon.

    Raises:
        RuntimeError: that takes too long.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    with stack.database() as connection:
        while connection.execute(_OPEN, [SOON]).fetchone():
            if time.monotonic() > deadline:
                raise RuntimeError(f"orders are still open after {LONGEST_SECONDS} s")
            time.sleep(POLL_SECONDS)


def _ended_since(stack: Stack, started_at: float) -> tuple[dict[str, int], float]:
    """How many orders created since then ended in which status, and when the last one did."""
    query = (
        "SELECT status, count(*), extract(epoch FROM max(updated_at))::float FROM orders_order"
        " WHERE created_at >= to_timestamp(%s) AND status IN ('CONFIRMED', 'FAILED')"
        " GROUP BY status"
    )
    with stack.database() as connection:
        rows = connection.execute(query, [started_at]).fetchall()
    return {status: count for status, count, _ in rows}, max(last for _, _, last in rows)
