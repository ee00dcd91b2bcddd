"""Clearing and commitment of fair batches, on one core and without a database."""

import resource
import time
from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np

from batches import merkle
from batches.auction import Band, Ints, Orders, clear
from batches.clearing import Committed, clear_columns
from batches.leaves import LAYOUT, Leaves
from batches.records import LEAF_SIZE, NO_HEADER, Header
from benchmarks.report import Figure, Section

TICKS = 4_096
FIRST_TICK, REFERENCE = 1_000, 3_048
BAND = Band(FIRST_TICK, 5, REFERENCE)
REPEATS = 7
# Of the design: on one core, and the largest tick that is cleared every second.
CLEAR_100K_MS = 3.0
ROOT_100K_MS = 200.0


def measure(*, sizes: Sequence[int]) -> list[Section]:
    """Sections on clearing and on roots, for so many orders."""
    return [_clearing(sizes), _roots(sizes)]


def _book(markets: int, orders: int) -> Orders:
    random = np.random.default_rng(1)
    total = markets * orders
    return Orders(
        counts=np.full(markets, orders, np.int64),
        buys=random.random(total) < 0.5,
        market_orders=random.random(total) < 0.05,
        limits=random.integers(0, TICKS, total),
        lots=random.integers(1, 100, total),
        ages=random.integers(0, 3, total),
    )


def _committed(book: Orders) -> Committed:
    """The bytes that a batch of these orders would commit to, without keys and signatures."""
    rows = np.zeros(len(book.lots), LAYOUT)
    rows["side"], rows["type"] = ~book.buys, book.market_orders
    rows["limit"], rows["age"] = book.limits + FIRST_TICK, book.ages
    rows["quantity"] = rows["remaining"] = book.lots
    header = Header(
        market=bytes(32),
        batch_no=1,
        target_slot=2,
        cutoff_slot=1,
        count=len(rows),
        last_seq=len(rows),
        ticks=TICKS,
        first_tick=FIRST_TICK,
        tick=5,
        lot=1,
        reference=REFERENCE,
        collar_bps=500,
        follows=0,
        fee_bps=10,
        pool_fee_bps=0,
        pool_base=0,
        pool_quote=0,
        previous=NO_HEADER,
        root=bytes(32),
    )
    return Committed(header, Leaves(rows.tobytes()))


def _sorted(book: Orders, hashes: Ints) -> object:
    """What a book that goes by price, age and hash has to do first."""
    return np.lexsort((hashes, -book.ages, np.where(book.buys, -book.limits, book.limits)))


def _clearing(sizes: Sequence[int]) -> Section:
    figures = []
    for size in sizes:
        book, name = _book(1, size), f"{size:,} orders of one market"
        hashes = np.random.default_rng(2).integers(0, 2**63 - 1, size)
        committed = _committed(book)
        target = CLEAR_100K_MS if size == 100_000 else None
        sort_ms = _best_ms(lambda book=book, hashes=hashes: _sorted(book, hashes))  # type: ignore[misc]
        column_ms = _best_ms(lambda book=book: np.sort(book.limits))  # type: ignore[misc]
        clear_ms = _best_ms(lambda book=book: clear(book, [BAND], TICKS))  # type: ignore[misc]
        whole_ms = _best_ms(lambda committed=committed: clear_columns([committed]))  # type: ignore[misc]
        lexsort = "np.lexsort by price, age, hash"
        column = "np.sort of the limits"
        figures += [
            Figure(name, clear_ms, "ms", target, "less", sort_ms, lexsort),
            Figure(f"{name}, as well", clear_ms, "ms", None, "less", column_ms, column),
            Figure(f"{name}, from bytes to quotes and fees", whole_ms, "ms"),
        ]
    many = _book(1_000, 100)
    figures.append(
        Figure(
            "1,000 markets of 100 orders, in one pass",
            _best_ms(lambda: clear(many, [BAND] * 1_000, TICKS)),
            "ms",
        )
    )
    note = f"Bands of {TICKS} prices; the best of {REPEATS}. Orders are arrays but for the bytes."
    return Section("Clearing a batch", note, figures)


def _roots(sizes: Sequence[int]) -> Section:
    figures = []
    for size in sizes:
        leaves = [number.to_bytes(LEAF_SIZE, "little") for number in range(size)]
        figures.append(
            Figure(
                f"the root of {size:,} leaves",
                _best_ms(lambda leaves=leaves: merkle.build(leaves), repeats=3),  # type: ignore[misc]
                "ms",
                ROOT_100K_MS if size == 100_000 else None,
                "less",
                _best_ms(lambda leaves=leaves: _bare(leaves), repeats=3),  # type: ignore[misc]
                "as many bare SHA-256",
            )
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures.append(Figure("memory of this process at its highest", peak, "MiB"))
    return Section("Committing to a batch", f"Leaves of {LEAF_SIZE} bytes.", figures)


def _bare(leaves: Sequence[bytes]) -> None:
    """What hashing alone takes: each leaf, and as many nodes but one."""
    node = bytes(65)
    for leaf in leaves:
        sha256(leaf).digest()
    for _ in leaves[1:]:
        sha256(node).digest()


def _best_ms(do: Callable[[], object], *, repeats: int = REPEATS) -> float:
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        do()
        found.append(time.perf_counter() - started)
    return min(found) * 1_000
