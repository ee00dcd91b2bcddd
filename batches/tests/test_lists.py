"""Lists of batches and orders: newest first, and at the cost of what they show."""

from itertools import product
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from batches import selectors
from batches.consumers import SNAPSHOT_BATCHES, MarketConsumer
from batches.models import Batch, BatchOrder, BookEntry, Market, Packet, Transfer
from batches.states import BATCH, OPEN_ORDER
from batches.tests import rows
from batches.tests.back_office import office, rows_of, text_of
from batches.tests.history import OVER, analyze, repeat, rows_read
from batches.tests.rows import WALLETS
from fairlane.core.principals import ALL, AllWallets, Principal

__all__ = ["office"]

LIMIT = 20
# Each row that is shown, with its market and tick, or looked up once more by its id.
FEW = 5 * LIMIT


def batches(market: Market | None, status: str | None) -> list[Batch]:
    return list(selectors.batches(market, status)[:LIMIT])


def caller(*wallets: str) -> Principal:
    its: frozenset[str] | AllWallets = frozenset(wallets) if wallets else ALL
    return Principal("key", "1", "tests", frozenset(), its)


def test_batches_of_all_markets_are_in_the_order_of_time(db: None) -> None:
    """Whose cadence is shorter has the higher numbers."""
    slow, fast = rows.market("A-B", cadence_ms=1_000), rows.market("C-D", cadence_ms=100)
    first, second = rows.batch(fast, 10_000), rows.batch(slow, 1_001)
    third = rows.batch(fast, 10_010)
    assert batches(None, None) == batches(None, "SETTLED") == [third, second, first]
    assert batches(fast, None) == batches(fast, "SETTLED") == [third, first]


@pytest.fixture
def markets(db: None) -> dict[str | None, Market | None]:
    """One with a long history, in which each status was had once, and one with next to none."""
    busy, quiet = rows.market("A-B"), rows.market("C-D")
    old = rows.batch(busy, 1)
    repeat(Batch, number="n + 1", status="'SETTLED'", created_at="created_at + n * interval '1s'")
    for number, status in enumerate(BATCH.states, start=100):
        Batch.objects.filter(market=busy, number=number).update(status=status)
    rows.batch(quiet, 1, "ROLLED", created_at=old.created_at)
    analyze()
    return {None: None, "busy": busy, "quiet": quiet}


@pytest.mark.parametrize(
    ("market", "status"), list(product((None, "busy", "quiet"), (None, *BATCH.states)))
)
def test_any_choice_of_batches_reads_no_more_than_it_shows(
    markets: dict[str | None, Market | None], market: str | None, status: str | None
) -> None:
    its = markets[market]
    assert rows_read(lambda: batches(its, status)) < FEW
    shown = batches(its, status)
    assert {row.status for row in shown} <= {status or "SETTLED", "ROLLED"}
    assert bool(shown) == (market != "quiet" or status in (None, "ROLLED"))


def test_the_snapshot_of_a_socket_reads_no_history(
    markets: dict[str | None, Market | None],
) -> None:
    busy = markets["busy"]
    assert busy is not None
    socket = MarketConsumer()
    socket.principal = caller()
    shown = socket._snapshot(busy, 7)
    assert (shown["position"], len(shown["batches"])) == (7, SNAPSHOT_BATCHES)
    assert rows_read(lambda: socket._snapshot(busy, 7)) < 3 * SNAPSHOT_BATCHES + FEW


@pytest.fixture
def book(db: None) -> tuple[Market, list[BatchOrder]]:
    """A market in which the first wallet has ended many orders since each wallet placed its own;
    the first three are open still. The third's is the newest of all, in another market as well."""
    market = rows.market("A-B")
    old = [rows.order(market, wallet, receipt_seq=n) for n, wallet in enumerate(WALLETS, start=1)]
    BatchOrder.objects.filter(id=old[3].id).update(status="CANCELLED")
    BookEntry.objects.filter(order=old[3]).delete()
    over = {"status": "'FILLED'", "remaining": "0", "wallet": f"'{WALLETS[0]}'"}
    repeat(BatchOrder, hash="sha256(n::text::bytea)", receipt_seq="1000 + n", **over)
    rows.order(rows.market("C-D"), WALLETS[2])
    analyze()
    return market, old


@pytest.mark.parametrize(
    ("wallets", "wallet", "which", "found"),
    [
        ([], None, "open", [2, 1, 0]),
        ([], WALLETS[0], "open", [0]),
        ([], WALLETS[1], None, [1]),
        ([], WALLETS[3], "ended", [3]),
        ([], WALLETS[3], "open", []),
        (WALLETS, None, "open", [2, 1, 0]),
        (WALLETS[1:], None, None, [3, 2, 1]),
        (WALLETS[1:], None, "ended", [3]),
        (WALLETS[:1], None, "open", [0]),
        (WALLETS[:1], WALLETS[1], None, []),
    ],
)
def test_any_choice_of_orders_reads_no_more_than_it_shows(
    book: tuple[Market, list[BatchOrder]],
    wallets: list[str],
    wallet: str | None,
    which: str | None,
    found: list[int],
) -> None:
    market, old = book

    def orders() -> list[BatchOrder]:
        return list(selectors.orders(market, caller(*wallets), LIMIT, wallet=wallet, which=which))

    assert rows_read(orders) < FEW
    assert orders() == [old[place] for place in found]


@pytest.mark.parametrize("status", OPEN_ORDER)
def test_the_back_office_finds_open_orders_of_a_status_in_the_book(
    office: Client, book: tuple[Market, list[BatchOrder]], status: str
) -> None:
    """None is, and none is looked for among those that have ended."""
    _, old = book
    BatchOrder.objects.filter(id=old[1].id).update(status="REVIEW")
    analyze()
    pages: list[str] = []
    read = rows_read(lambda: pages.append(text_of(office, rows_of("batchorder"), status=status)))
    assert read < FEW
    assert (str(old[1].id) in pages[0]) == (status == "REVIEW")


def test_the_back_office_finds_transactions_under_review_by_what_they_carry(
    office: Client, db: None
) -> None:
    packets = [
        Packet(
            id=UUID(int=number),
            direction="PAY",
            status="CONFIRMED" if number else "REVIEW",
            signature=f"signature {number:04}",
            transaction=b"",
            first_slot=1,
            last_valid_block_height=2,
        )
        for number in range(OVER)
    ]
    Packet.objects.bulk_create(packets)
    carried = {"direction": "PAY", "mint": rows.QUOTE, "wallet": WALLETS[0], "amount": 1}
    market = rows.market()
    Transfer.objects.bulk_create(
        Transfer(
            id=packet.id,
            market=market,
            packet=packet,
            status="REVIEW" if packet.status == "REVIEW" else "DONE",
            **carried,
        )
        for packet in packets
    )
    analyze()
    pages: list[str] = []
    read = rows_read(lambda: pages.append(text_of(office, rows_of("packet"), status="REVIEW")))
    assert read < FEW
    assert reverse("admin:batches_packet_change", args=[packets[0].id]) in pages[0]
    assert str(packets[1].id) not in pages[0]


@pytest.mark.parametrize(("wallets", "which"), list(product(([], WALLETS), (None, "ended"))))
def test_the_newest_orders_come_first(
    book: tuple[Market, list[BatchOrder]], wallets: list[str], which: str
) -> None:
    market, _ = book

    def orders() -> list[int]:
        found = selectors.orders(market, caller(*wallets), LIMIT, which=which)
        return [row.receipt_seq for row in found]

    assert rows_read(orders) < FEW
    assert orders() == [1_000 + OVER - n for n in range(LIMIT)]


@pytest.mark.parametrize(("wallets", "which"), list(product(([], WALLETS), (None, "ended"))))
def test_a_page_far_back_reads_no_more_than_the_first(
    book: tuple[Market, list[BatchOrder]], wallets: list[str], which: str
) -> None:
    market, _ = book
    newest = 1_000 + OVER // 2

    def orders() -> list[int]:
        found = selectors.orders(market, caller(*wallets), LIMIT, which=which, before=newest)
        return [row.receipt_seq for row in found]

    assert rows_read(orders) < FEW
    assert orders() == [newest - 1 - n for n in range(LIMIT)]


@pytest.mark.parametrize("status", [None, "SETTLED"])
def test_a_page_of_batches_far_back_reads_no_more(
    markets: dict[str | None, Market | None], status: str | None
) -> None:
    newest = OVER // 2

    def page() -> list[Batch]:
        return list(selectors.batches(markets["busy"], status, newest)[:LIMIT])

    assert rows_read(page) < FEW
    assert [row.number for row in page()] == [newest - 1 - n for n in range(LIMIT)]
