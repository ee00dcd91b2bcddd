"""`python -m benchmarks`: start a stack, measure it, print and write the report."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from benchmarks import (
    accept,
    backlog,
    batch_core,
    batches,
    bulk,
    cadence,
    catch_up,
    end_to_end,
    floors,
    memory,
    minting,
    sockets,
    stored,
)
from benchmarks.floors import Floors
from benchmarks.report import Section, machine, markdown, text
from benchmarks.stack import Stack, running
from sandbox.errors import SandboxError

RESULTS = Path(__file__).parent / "results.md"


@dataclass(frozen=True)
class Sizes:
    """How much is sent."""

    seconds: float
    floor_count: int
    bulk: int
    instant: Sequence[int]
    delayed: int
    open_orders: Sequence[int]
    beside: int
    clients: int
    mints: Sequence[int]
    signatures: int
    stored: Sequence[int]
    beside_stored: int
    events: int
    blocks: int
    books: Sequence[int]
    markets: Sequence[int]
    intake: int
    batch: int
    crowd: int
    crowd_seconds: int


FULL = Sizes(
    seconds=8,
    floor_count=5_000,
    bulk=10_000,
    instant=(2_000, 20_000),
    delayed=5_000,
    open_orders=(1_000, 10_000, 50_000),
    beside=2_000,
    clients=500,
    mints=(1_000, 3_000),
    signatures=1_000,
    stored=(100, 10_000, 100_000),
    beside_stored=1_000,
    events=10_000,
    blocks=10_000,
    books=(1_000, 10_000, 100_000, 1_000_000),
    markets=(1, 100, 1_000, 10_000),
    intake=5_000,
    batch=100_000,
    crowd=100,
    crowd_seconds=60,
)
QUICK = Sizes(
    seconds=2,
    floor_count=1_000,
    bulk=3_000,
    instant=(2_000,),
    delayed=500,
    open_orders=(1_000, 10_000),
    beside=1_000,
    clients=100,
    mints=(200, 500),
    signatures=200,
    stored=(100, 10_000),
    beside_stored=300,
    events=1_000,
    blocks=1_000,
    books=(1_000, 100_000),
    markets=(100, 1_000),
    intake=1_000,
    batch=10_000,
    crowd=10,
    crowd_seconds=20,
)

Measure = Callable[[Stack, Floors, Sizes], Sequence[Section]]
MeasureMarkets = Callable[[Stack, Sizes], Sequence[Section]]
MeasureStablecoin = Callable[[Stack, Sizes], Sequence[Section]]

ORDERS: dict[str, Measure] = {
    "accept": lambda s, f, z: [accept.measure(s, f, seconds=z.seconds)],
    "bulk": lambda s, f, z: [bulk.measure(s, f, count=z.bulk)],
    "e2e": lambda s, f, z: end_to_end.measure_instant(s, f, counts=z.instant),
    "delays": lambda s, f, z: [end_to_end.measure_default_delays(s, f, count=z.delayed)],
    "backlog": lambda s, f, z: [backlog.measure(s, f, open_orders=z.open_orders, count=z.beside)],
    "sockets": lambda s, f, z: [sockets.measure(s, f, clients=z.clients)],
    "memory": lambda s, f, z: [memory.measure(s)],
}

# The listener's catch-up leaves the workers stopped, so it comes last.
STABLECOIN: dict[str, MeasureStablecoin] = {
    "mints": lambda s, z: minting.measure(s, counts=z.mints, signatures=z.signatures),
    "stored": lambda s, z: [stored.measure(s, stored=z.stored, count=z.beside_stored)],
    "catch-up": lambda s, z: [catch_up.measure(s, events=z.events, blocks=z.blocks)],
}

MARKETS: dict[str, MeasureMarkets] = {
    "cadence": lambda s, z: [
        cadence.measure(s, markets=z.crowd, orders=50, seconds=z.crowd_seconds)
    ],
}

# These need no stack.
BATCHES: dict[str, Callable[[Sizes], Sequence[Section]]] = {
    "clearing": lambda z: batch_core.measure(sizes=z.books),
    "batches": lambda z: batches.measure(markets=z.markets, intake=z.intake, orders=z.batch),
}


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    sizes = QUICK if options.quick else FULL
    groups = options.only or [*BATCHES, *MARKETS, *ORDERS, *STABLECOIN]
    sections = []
    try:
        print(machine())
        for section in _measured(groups, sizes):
            print(text(section), flush=True)
            sections.append(section)
    except SandboxError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    output = options.output or (None if options.only or options.quick else RESULTS)
    if output:
        output.write_text(markdown(sections))
        say(f"Written to {output}")
    return 0


def say(text: str) -> None:
    print(f"• {text}", flush=True)


def _measured(groups: Sequence[str], sizes: Sizes) -> Iterator[Section]:
    started = time.monotonic()
    for group, measure_batches in BATCHES.items():
        if group in groups:
            yield from measure_batches(sizes)
    if of_markets := [MARKETS[group] for group in MARKETS if group in groups]:
        with running(say, batches=True) as stack:
            for measure_markets in of_markets:
                yield from measure_markets(stack, sizes)
    if of_orders := [ORDERS[group] for group in ORDERS if group in groups]:
        with running(say) as stack:
            found = floors.measure(stack, seconds=min(3, sizes.seconds), count=sizes.floor_count)
            yield found.section()
            for measure in of_orders:
                yield from measure(stack, found, sizes)
    if of_stablecoin := [STABLECOIN[group] for group in STABLECOIN if group in groups]:
        with running(say, stablecoin=True) as stack:
            for measure_stablecoin in of_stablecoin:
                yield from measure_stablecoin(stack, sizes)
    say(f"Measured in {time.monotonic() - started:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=[*BATCHES, *MARKETS, *ORDERS, *STABLECOIN],
        help="may be given several times",
    )
    parser.add_argument("--quick", action="store_true", help="a minute or two, rougher figures")
    parser.add_argument(
        "--output", type=Path, help=f"the markdown report; of a full run, {RESULTS.name} by default"
    )
    return parser.parse_args()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
