"""The sandbox's venue in this process, beside a chain that does what a test says."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp.test_utils import TestServer
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message
from solders.transaction import Transaction, VersionedTransaction

from chains.blockspace import Bid, Reservation
from chains.errors import Transient
from chains.http import Http
from chains.ports import SendOutcome, SignatureStatus
from chains.raiku import RaikuClient
from chains.solana import programs
from sandbox.services.raiku.auction import terms
from sandbox.services.raiku.book import Book
from sandbox.services.raiku.engine import Engine
from sandbox.services.raiku.feed import Feed
from sandbox.services.raiku.server import Server

SEED = 1
LEAD = 12
NOW = 10_000
SLOT = NOW + 50
CU = 200_000
# More than any rival bids.
HIGH = 1_000_000
TOKEN = "secret"

_payer = Keypair()
_numbers = itertools.count()


def transaction(cu: int = CU) -> bytes:
    """A signed transaction that no other test has, and that may use `cu` units."""
    instructions = [set_compute_unit_limit(cu), programs.memo(f"transaction {next(_numbers)}")]
    message = Message.new_with_blockhash(instructions, _payer.pubkey(), Hash.default())
    return bytes(Transaction([_payer], message, Hash.default()))


def signature(raw: bytes) -> str:
    return str(VersionedTransaction.from_bytes(raw).signatures[0])


def bid(client_id: str = "b1", *, slot: int = SLOT, cu: int = CU, price: int = HIGH) -> Bid:
    return Bid(client_id, slot, cu, price)


@dataclass
class Chain:
    """Executes what it is sent in `slot`, unless it is told to drop it."""

    slot: int = NOW
    drops: bool = False
    refuses: str | None = None
    unreachable: bool = False
    err: object | None = None
    sent: list[str] = field(default_factory=list)
    landed: dict[str, SignatureStatus] = field(default_factory=dict)

    async def send(self, transactions: Sequence[bytes]) -> list[SendOutcome]:
        signatures = [signature(raw) for raw in transactions]
        self.sent += signatures
        if self.refuses is not None:
            return [SendOutcome(None, self.refuses) for _ in signatures]
        if not self.drops:
            for one in signatures:
                self.landed[one] = SignatureStatus(self.slot, "confirmed", self.err)
        return [SendOutcome(one, None) for one in signatures]

    async def statuses(
        self, signatures: Sequence[str], *, not_before_slot: int = 0
    ) -> list[SignatureStatus | None]:
        # Others are served meanwhile.
        await asyncio.sleep(0)
        if self.unreachable:
            raise Transient("the node could not be reached")
        return [self.landed.get(one) for one in signatures]

    def finalize(self) -> None:
        for one, status in self.landed.items():
            self.landed[one] = replace(status, confirmation="finalized")


@dataclass
class Venue:
    chain: Chain
    book: Book
    engine: Engine
    client: RaikuClient
    http: Http
    url: str

    def turn(self, **knobs: Any) -> None:
        self.book.knobs = self.book.knobs.changed(knobs)

    async def reach(self, slot: int) -> None:
        """Slots pass, each of them told, until this one has begun."""
        for each in range(self.chain.slot + 1, slot + 1):
            await self.jump(each)

    async def jump(self, slot: int) -> None:
        """This slot begins, and those before it were skipped."""
        self.chain.slot = slot
        await self.engine.step(slot)
        await self.engine.look()

    async def finalize(self) -> None:
        self.chain.finalize()
        await self.engine.look()

    async def state(self, asked: Bid) -> Reservation:
        (answer,) = await self.client.bid_aot([asked])
        return answer

    async def won(self, asked: Bid) -> Reservation:
        """A bid that has won, its auction having just closed."""
        await self.state(asked)
        await self.reach(asked.slot - LEAD)
        answer = await self.state(asked)
        assert answer.state == "WON"
        return answer

    async def delivered(self, asked: Bid) -> Reservation:
        """A bid that won, and whose transaction was sent in its slot."""
        reservation = await self.won(asked)
        await self.client.submit(reservation.id, [transaction()])
        await self.reach(asked.slot)
        return reservation

    async def kinds(self) -> list[str]:
        return [receipt.kind for receipt in await self.client.receipts(0, 1000)]


@asynccontextmanager
async def running(
    *,
    share: int = 100,
    chain: Chain | None = None,
    first_seq: int = 1,
    started: bool = True,
) -> AsyncIterator[Venue]:
    chain = chain or Chain()
    book = Book(seed=SEED, share=share, lead=LEAD, feed=Feed(seed=SEED, first_seq=first_seq))
    engine = Engine(book, chain)
    server = TestServer(Server(engine, token=TOKEN).application())
    await server.start_server()
    http = Http(timeout_s=5)
    url = str(server.make_url("")).rstrip("/")
    venue = Venue(chain, book, engine, RaikuClient(url, http, token=TOKEN), http, url)
    if started:
        await engine.step(chain.slot)
    yield venue
    await engine.aclose()
    await http.aclose()
    await server.close()


def rivalled(first: int, *, rival: bool) -> int:
    """The first slot from there on that others bid for, or do not."""
    slots = itertools.count(first)
    return next(slot for slot in slots if bool(terms(SEED, slot, lead=LEAD).rival) is rival)
