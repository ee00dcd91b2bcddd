"""The venue's memory, its limits, and what it takes for a transaction."""

import httpx
import pytest
from aiohttp.test_utils import TestServer
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.transaction import Transaction

from chains.blockspace import Bid
from chains.solana import programs
from chains.tests.raiku_support import Chain
from sandbox.services.raiku import book as book_module
from sandbox.services.raiku.book import Book
from sandbox.services.raiku.engine import Engine
from sandbox.services.raiku.feed import Feed
from sandbox.services.raiku.reservations import RefusedError, Reservation, transaction
from sandbox.services.raiku.server import Server

LEAD = 12
NOW = 1000
PAYER = Keypair()
MEMO = programs.memo("hello")


def a_book() -> Book:
    book = Book(seed=1, share=100, lead=LEAD, feed=Feed(seed=1, first_seq=1))
    book.advance(NOW)
    return book


def state(book: Book, name: str, slot: int) -> str:
    return str(book.bid(Bid(name, slot, 1000, 10**6))["state"])


def test_what_is_forgotten_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MAX_RESERVATIONS", 2)
    book = a_book()
    slots = [NOW + LEAD + 5 + n for n in range(3)]
    for slot in slots:
        assert state(book, f"b{slot}", slot) == "BIDDING"
    book.advance(NOW + 1)
    assert state(book, f"b{slots[0]}", slots[0]) == "BIDDING"
    for now in range(NOW + 2, slots[-1] + 2):
        book.advance(now)
    assert state(book, f"b{slots[0]}", slots[0]) == "UNKNOWN"
    assert [state(book, f"b{slot}", slot) for slot in slots[1:]] == ["EXPIRED_UNUSED"] * 2


def test_a_life_has_no_other_steps() -> None:
    reservation = Reservation("r", "c", NOW, 1, 1)
    with pytest.raises(RuntimeError, match="NEW never is INCLUDED"):
        reservation.move("INCLUDED")


def raw(*instructions: Instruction) -> bytes:
    message = Message.new_with_blockhash(list(instructions), PAYER.pubkey(), Hash.default())
    return bytes(Transaction([PAYER], message, Hash.default()))


@pytest.mark.parametrize(
    ("instructions", "units"),
    [
        ([MEMO], 200_000),
        ([MEMO, MEMO], 400_000),
        ([MEMO] * 9, 1_400_000),
        ([set_compute_unit_limit(5), MEMO], 5),
        ([set_compute_unit_price(9), MEMO], 200_000),
        ([MEMO, set_compute_unit_price(9), set_compute_unit_limit(7)], 7),
        ([set_compute_unit_limit(2_000_000), MEMO], 1_400_000),
    ],
)
def test_a_transaction_may_use_what_solana_allows_it(
    instructions: list[Instruction], units: int
) -> None:
    assert transaction(raw(*instructions)).cu == units


def test_what_is_no_transaction_is_refused() -> None:
    for nonsense in (b"", b"\x01", raw(MEMO)[:-1]):
        with pytest.raises(RefusedError, match="no signed transaction"):
            transaction(nonsense)


BID = {"clientId": "b", "slot": 1, "cu": 1, "maxMicroLamportsPerCu": 1}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/bids", b"{"),
        ("/bids", b"{}"),
        ("/bids", [None]),
        ("/bids", [BID] * 501),
        ("/bids", [BID | {"clientId": "two words"}]),
        ("/bids", [BID | {"cu": 0}]),
        ("/bids", [BID | {"slot": True}]),
        ("/bids", [BID | {"slot": 2**64}]),
        ("/submit", {"reservationId": "r", "transactions": [7]}),
        ("/submit", {"reservationId": "r", "transactions": ["?"]}),
        ("/submit", {"reservationId": "r", "transactions": "text"}),
        ("/slots?first=a&last=2", None),
        ("/slots?first=1", None),
        ("/receipts?after=-1&limit=1", None),
    ],
)
async def test_a_malformed_request_is_a_bad_one(path: str, body: object) -> None:
    server = TestServer(Server(Engine(a_book(), Chain())).application())
    await server.start_server()
    async with httpx.AsyncClient(base_url=str(server.make_url("")), trust_env=False) as client:
        if body is None:
            answer = await client.get(path)
        elif isinstance(body, bytes):
            answer = await client.post(path, content=body)
        else:
            answer = await client.post(path, json=body)
    await server.close()
    assert answer.status_code == 400


async def test_a_venue_is_healthy_once_it_knows_the_slot() -> None:
    book = Book(seed=1, share=100, lead=LEAD, feed=Feed(seed=1, first_seq=1))
    server = TestServer(Server(Engine(book, Chain())).application())
    await server.start_server()
    async with httpx.AsyncClient(base_url=str(server.make_url("")), trust_env=False) as client:
        assert (await client.get("/health")).status_code == 503
        book.advance(NOW)
        assert (await client.get("/health")).json() == {"status": "ok", "slot": NOW}
    await server.close()
