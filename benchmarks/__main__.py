"""`python -m benchmarks`: start a stack, measure it, print and write the report."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from benchmarks import accept, backlog, bulk, end_to_end, floors, memory, sockets
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


FULL = Sizes(8, 5_000, 10_000, (2_000, 20_000), 5_000, (1_000, 10_000, 50_000), 2_000, 500)
QUICK = Sizes(2, 1_000, 3_000, (2_000,), 500, (1_000, 10_000), 1_000, 100)

Measure = Callable[[Stack, Floors, Sizes], Sequence[Section]]

GROUPS: dict[str, Measure] = {
    "accept": lambda s, f, z: [accept.measure(s, f, seconds=z.seconds)],
    "bulk": lambda s, f, z: [bulk.measure(s, f, count=z.bulk)],
    "e2e": lambda s, f, z: end_to_end.measure_instant(s, f, counts=z.instant),
    "delays": lambda s, f, z: [end_to_end.measure_default_delays(s, f, count=z.delayed)],
    "backlog": lambda s, f, z: [backlog.measure(s, f, open_orders=z.open_orders, count=z.beside)],
    "sockets": lambda s, f, z: [sockets.measure(s, f, clients=z.clients)],
    "memory": lambda s, f, z: [memory.measure(s)],
}


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    sizes = QUICK if options.quick else FULL
    groups = options.only or list(GROUPS)
    try:
        with running(say) as stack:
            print(machine())
            sections = []
            for section in _measured(stack, groups, sizes):
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


def _measured(stack: Stack, groups: Sequence[str], sizes: Sizes) -> Iterator[Section]:
    started = time.monotonic()
    found = floors.measure(stack, seconds=min(3, sizes.seconds), count=sizes.floor_count)
    yield found.section()
    for group in groups:
        yield from GROUPS[group](stack, found, sizes)
    say(f"Measured in {time.monotonic() - started:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(GROUPS), help="may be given several times"
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
