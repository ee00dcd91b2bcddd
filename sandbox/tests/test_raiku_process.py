"""A real venue process beside a real node."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from chains.blockspace import Bid, Reservation, SlotOffer
from chains.http import Http
from chains.raiku import RaikuClient
from chains.solana.client import SolanaClient
from sandbox.parts import Part
from sandbox.raiku import raiku_environment, start_raiku
from sandbox.tests.solana_support import WALLETS, Node, memo, running, signed

TOKEN = "secret"
# A loaded machine still sends within the slot.
SLOT_MS = 200
CU = 400_000
HIGH = 1_000_000


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("raiku-node"), slot_ms=SLOT_MS) as node:
        yield node


@pytest.fixture(scope="module")
def venue(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    part = start_raiku(
        tmp_path_factory.mktemp("raiku"),
        rpc_url=node.url,
        rpc_websocket_url=node.url.replace("http", "ws", 1),
        token=TOKEN,
    )
    yield part
    part.stop()


@pytest.fixture
async def client(venue: Part) -> AsyncIterator[RaikuClient]:
    named = raiku_environment(venue.url, token=TOKEN)
    client = RaikuClient(named["RAIKU_URL"], Http(timeout_s=5), token=named["RAIKU_TOKEN"])
    yield client
    await client.aclose()


@pytest.fixture
async def chain(node: Node) -> AsyncIterator[SolanaClient]:
    chain = SolanaClient(node.url, Http(timeout_s=5))
    yield chain
    await chain.aclose()


async def next_offer(client: RaikuClient, chain: SolanaClient) -> SlotOffer:
    """A slot whose auction stays open for long enough to bid in it."""
    now = await chain.slot("processed")
    return next(
        offer
        for offer in await client.slots(now, now + 200)
        if offer.opens_at_slot <= now and offer.closes_at_slot > now + 5
    )


async def reached(client: RaikuClient, chain: SolanaClient, bid: Bid, state: str) -> Reservation:
    """The reservation once it is in that state."""
    last = bid.slot + 100
    while True:
        (answer,) = await client.bid_aot([bid])
        if answer.state == state:
            return answer
        assert await chain.slot("processed") < last, answer
        await asyncio.sleep(0.02)


async def test_a_transaction_lands_in_the_slot_that_was_won(
    node: Node, client: RaikuClient, chain: SolanaClient
) -> None:
    offer = await next_offer(client, chain)
    bid = Bid("lands", offer.slot, CU, HIGH)
    reservation = await reached(client, chain, bid, "WON")
    transaction = signed(node.blockhash(), [WALLETS[0]], memo())
    await client.submit(reservation.id, [bytes(transaction)])
    ended = await reached(client, chain, bid, "INCLUDED")
    assert ended.charged > 0
    status = node.status(transaction)
    assert (status["slot"], status["err"]) == (offer.slot, None)
    kinds = [r.kind for r in await client.receipts(0, 1000) if r.client_id == "lands"]
    assert kinds == ["won", "pre-confirmation", "final-inclusion"]


async def test_a_transaction_is_included_just_in_time(
    node: Node, client: RaikuClient, chain: SolanaClient
) -> None:
    for attempt in range(100):
        transaction = signed(node.blockhash(), [WALLETS[1]], memo())
        answer = await client.bid_jit(f"now-{attempt}", [bytes(transaction)], CU, HIGH)
        if answer.state != "REJECTED":
            break
        assert answer.reason == "not a Raiku leader"
        first = await chain.slot("processed")
        while await chain.slot("processed") == first:
            await asyncio.sleep(0.02)
    assert answer.state == "PRECONFIRMED"
    assert node.status(transaction)["slot"] >= answer.slot


async def test_skipped_slots_are_paid_back(
    node: Node, client: RaikuClient, chain: SolanaClient
) -> None:
    offer = await next_offer(client, chain)
    bid = Bid("skipped", offer.slot, CU, HIGH)
    reservation = await reached(client, chain, bid, "WON")
    await client.submit(reservation.id, [bytes(signed(node.blockhash(), [WALLETS[2]], memo()))])
    now = await chain.slot("processed")
    node.post({"skipSlots": offer.slot - now + 5}, "/faults")
    ended = await reached(client, chain, bid, "FAILED")
    assert (ended.reason, ended.charged) == ("slot skipped", 0)


def test_strangers_are_refused_and_health_is_open(venue: Part) -> None:
    assert httpx.get(f"{venue.url}/health", trust_env=False).json()["status"] == "ok"
    for path in ("/slots?first=1&last=2", "/receipts?after=0&limit=1"):
        assert httpx.get(venue.url + path, trust_env=False).status_code == 401
