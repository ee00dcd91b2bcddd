"""Mints: from the compliance service's approval to the final block."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from benchmarks.processes import cpu_seconds, since
from benchmarks.stack import Stack
from sandbox.evm import HOLDERS, rpc

UNIT = 10**18
PER_CALL = 200
POLL_SECONDS = 0.2
# Nothing here takes this long unless something is stuck.
LONGEST_SECONDS = 300
TOTAL_SUPPLY = "0x18160ddd"

_PROGRESS = """
    SELECT count(*), count(*) FILTER (WHERE status = 'COMPLETED'),
        extract(epoch FROM max(updated_at))::float,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM updated_at - created_at))
    FROM stablecoin_request
    WHERE kind = 'mint' AND created_at >= to_timestamp(%s)
"""


@dataclass(frozen=True)
class Mints:
    """A set of mints that went through.

    Attributes:
        seconds: from the first approval to the last mint that is final.
        latency: seconds from being heard of to being final, of the median.
        cpu: seconds by process.
    """

    count: int
    seconds: float
    latency: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Mints per second."""
        return self.count / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds per mint, of all processes together."""
        return 1e3 * sum(self.cpu.values()) / self.count


def mint(stack: Stack, chains: Sequence[int], count: int) -> Mints:
    """Have `count` mints of one token each approved, spread over chains, and wait for the last.

    Raises:
        RuntimeError: one is stuck, or the supply grew by another amount.
    """
    supply_before, cpu_before = _supply(stack, chains), cpu_seconds(stack.parts)
    started = time.time()
    _approve(stack, chains, count)
    last, latency = _wait_for(stack, count, started)
    spent = since(cpu_before, cpu_seconds(stack.parts))
    grown = _supply(stack, chains) - supply_before
    if grown != count * UNIT:
        raise RuntimeError(f"{count} tokens were approved, the supply grew by {grown / UNIT}")
    return Mints(count, last - started, latency, spent)


def _approve(stack: Stack, chains: Sequence[int], count: int) -> None:
    asked = [
        {
            "user": HOLDERS[at % len(HOLDERS)].address,
            "amount": str(UNIT),
            "chainId": chains[at % len(chains)],
        }
        for at in range(count)
    ]
    url = f"{stack.plan.services['kuro-rest']}/sandbox"
    with httpx.Client(timeout=60, trust_env=False) as client:
        for at in range(0, count, PER_CALL):
            answer = client.post(f"{url}/approve", json=asked[at : at + PER_CALL])
            answer.raise_for_status()
            # Told of once over the socket; the list of what is pending stays short.
            client.post(f"{url}/settle", json=answer.json()).raise_for_status()


def _wait_for(stack: Stack, count: int, started: float) -> tuple[float, float]:
    """When the last one was final, and the median's seconds.

    Raises:
        RuntimeError: that takes too long.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    with stack.database() as connection:
        while True:
            heard, ended, last, latency = connection.execute(_PROGRESS, [started]).fetchone() or ()
            if ended == count:
                return last, latency
            if time.monotonic() > deadline:
                raise RuntimeError(f"of {count} mints {heard} were heard of, {ended} are final")
            time.sleep(POLL_SECONDS)


def _supply(stack: Stack, chains: Sequence[int]) -> int:
    url = stack.plan.services["evm"]
    calls = {chain: {"to": stack.contracts[chain], "data": TOTAL_SUPPLY} for chain in chains}
    return sum(int(rpc(url, chain, "eth_call", calls[chain], "latest"), 16) for chain in chains)
