"""Immediate inclusion: in the slot of now, at the price that is bid."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from chains.blockspace import Reservation
from chains.errors import Definitive, Transient
from chains.tests.raiku_support import (
    CU,
    HIGH,
    LEAD,
    NOW,
    SEED,
    Venue,
    running,
    signature,
    transaction,
)
from sandbox.services.raiku.auction import SLOT_CU, jit_floor, lamports, terms
from sandbox.services.raiku.landing import PATIENCE_SLOTS

FLOOR = jit_floor(terms(SEED, NOW, lead=LEAD).floor)
RAW = transaction()


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with running() as venue:
        yield venue


async def buy(
    venue: Venue, *, raw: bytes = RAW, cu: int = CU, price: int = HIGH, name: str = "j1"
) -> Reservation:
    return await venue.client.bid_jit(name, [raw], cu, price)


async def test_it_is_sent_at_once_and_costs_what_was_bid(venue: Venue) -> None:
    bought = await buy(venue, price=FLOOR)
    assert (bought.state, bought.slot, bought.charged) == ("PRECONFIRMED", NOW, 0)
    assert venue.chain.sent == [signature(RAW)]
    await venue.finalize()
    ended = replace(bought, state="INCLUDED", charged=lamports(CU, FLOOR))
    assert await buy(venue, price=FLOOR) == ended
    assert await venue.kinds() == ["won", "pre-confirmation", "final-inclusion"]


async def test_it_may_land_a_slot_later(venue: Venue) -> None:
    venue.chain.slot = NOW + 1
    await buy(venue)
    await venue.finalize()
    assert (await buy(venue)).state == "INCLUDED"
    assert (await venue.client.receipts(0, 10))[-1].slot == NOW + 1


async def test_it_is_sent_once(venue: Venue) -> None:
    first = await buy(venue)
    assert await buy(venue) == first
    assert len(venue.chain.sent) == 1
    raw = transaction()
    once, again = await asyncio.gather(*(buy(venue, raw=raw, name="j2") for _ in range(2)))
    assert once.id == again.id
    assert len(venue.chain.sent) == 2
    other = await buy(venue, price=HIGH + 1)
    assert (other.state, other.reason) == ("REJECTED", "duplicate")
    assert other.id != first.id
    assert len(venue.chain.sent) == 2


@pytest.mark.parametrize(
    ("terms_", "reason"),
    [
        ({"price": FLOOR - 1}, "below minimum"),
        ({"cu": CU - 1}, "CU limit"),
        ({"cu": SLOT_CU + 1}, "CU limit"),
    ],
)
async def test_a_bid_is_rejected_with_its_reason(
    venue: Venue, terms_: dict[str, int], reason: str
) -> None:
    answer = await buy(venue, price=terms_.get("price", HIGH), cu=terms_.get("cu", CU))
    assert (answer.state, answer.reason, answer.charged) == ("REJECTED", reason, 0)
    assert venue.chain.sent == []


async def test_a_slot_is_sold_once(venue: Venue) -> None:
    await buy(venue, cu=SLOT_CU)
    answer = await buy(venue, raw=transaction(), name="j2")
    assert (answer.state, answer.reason) == ("REJECTED", "CU limit")


async def test_only_the_venues_leaders_include() -> None:
    async with running(share=0) as venue:
        answer = await buy(venue)
        assert (answer.state, answer.reason) == ("REJECTED", "not a Raiku leader")
        assert venue.chain.sent == []


async def test_it_is_outbid_where_others_outbid_everything(venue: Venue) -> None:
    venue.turn(outbid=True)
    answer = await buy(venue)
    assert (answer.state, answer.charged) == ("OUTBID", 0)
    assert (venue.chain.sent, await venue.kinds()) == ([], ["outbid"])


async def test_what_does_not_land_costs_nothing(venue: Venue) -> None:
    venue.chain.drops = True
    await buy(venue)
    await venue.reach(NOW + PATIENCE_SLOTS)
    answer = await buy(venue)
    assert (answer.state, answer.reason, answer.charged) == ("FAILED", "not landed", 0)


async def test_a_node_that_cannot_be_asked_is_sent_nothing(venue: Venue) -> None:
    venue.chain.unreachable = True
    with pytest.raises(Transient, match="could not be reached"):
        await buy(venue)
    venue.chain.unreachable = False
    assert (await buy(venue)).state == "PRECONFIRMED"


async def test_nonsense_is_refused(venue: Venue) -> None:
    with pytest.raises(Definitive, match="no signed transaction"):
        await buy(venue, raw=b"nonsense")
    with pytest.raises(Definitive, match="400"):
        await buy(venue, name="two words")


async def test_a_venue_that_forgot_does_not_contradict_itself() -> None:
    async with running() as before:
        assert (await buy(before)).state == "PRECONFIRMED"
    async with running(chain=before.chain) as after:
        assert (await buy(after)).state == "UNKNOWN"
        assert len(after.chain.sent) == 1
