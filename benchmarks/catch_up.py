"""How fast the chains' listener makes up for what it missed."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.minting import send_and_wait, signed_calls
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack
from sandbox.evm import HOLDERS, mine, rpc
from sandbox.plan import CONFIRMATIONS

LONGEST_SECONDS = 120
POLL_SECONDS = 0.05
TARGET_SECONDS = 30
# requestRedeem(uint256) of one base unit.
REDEEM = bytes.fromhex("aa2f892d" + f"{1:064x}")
LISTENER = "listen-evm"
WORKERS = ("worker-stablecoin", "worker-relayer")


def measure(stack: Stack, *, events: int, blocks: int) -> Section:
    """The listener is away while holders give up tokens, and again while blocks go by.

    The workers are stopped for good: the redeems are not part of it.
    """
    chains = stack.plan.chains
    stack.stop(LISTENER, *WORKERS)
    _redeem(stack, chains, events)
    with_events = _catch_up(stack, _heads(stack, chains))
    _require_stored(stack, events)
    stack.stop(LISTENER)
    for chain in chains:
        mine(stack.plan.services["evm"], chain, blocks // len(chains))
    empty = _catch_up(stack, _heads(stack, chains))
    return Section(
        "The chains' listener catches up",
        "From the start of its process to the last final block in the ledger, all chains at once.",
        [
            Figure(f"{events:,} events", with_events, "s", TARGET_SECONDS, "less"),
            Figure("events", events / with_events, "/s"),
            Figure(f"{blocks:,} blocks without events", blocks / empty, "blocks/s"),
        ],
    )


def _redeem(stack: Stack, chains: Sequence[int], events: int) -> None:
    each = events // len(chains)
    signed = {
        chain: signed_calls(stack, chain, HOLDERS[2], REDEEM, gas=250_000, count=each)
        for chain in chains
    }
    with ThreadPoolExecutor(len(chains)) as threads:
        list(threads.map(lambda chain: send_and_wait(stack, chain, signed[chain]), chains))


def _heads(stack: Stack, chains: Sequence[int]) -> dict[int, int]:
    """The last block of each chain that is final now."""
    url = stack.plan.services["evm"]
    for chain in chains:
        mine(url, chain, CONFIRMATIONS)
    return {chain: int(rpc(url, chain, "eth_blockNumber"), 16) - CONFIRMATIONS for chain in chains}


def _catch_up(stack: Stack, heads: dict[int, int]) -> float:
    """Seconds until the listener has applied every chain up to there.

    Raises:
        RuntimeError: that takes too long.
    """
    started = time.perf_counter()
    stack.start(LISTENER)
    query = "SELECT chain_id, applied FROM stablecoin_listenercursor"
    with stack.database() as connection:
        while True:
            applied: dict[int, int] = dict(connection.execute(query).fetchall())
            seconds = time.perf_counter() - started
            if all(applied.get(chain, 0) >= head for chain, head in heads.items()):
                return seconds
            if seconds > LONGEST_SECONDS:
                raise RuntimeError(f"the listener is at {applied}, of {heads}")
            time.sleep(POLL_SECONDS)


def _require_stored(stack: Stack, events: int) -> None:
    query = "SELECT count(*) FROM stablecoin_request WHERE kind = 'redeem'"
    with stack.database() as connection:
        (stored,) = connection.execute(query).fetchone() or (0,)
    if stored != events:
        raise RuntimeError(f"{events} redeems were asked for, {stored} are stored")
