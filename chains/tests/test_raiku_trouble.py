"""A venue that misbehaves, or was restarted: what was told is told again or can be asked for."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from chains.errors import Ambiguous, Transient
from chains.tests.raiku_support import CU, HIGH, LEAD, NOW, SLOT, Venue, bid, running, transaction


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with running() as venue:
        yield venue


async def told(venue: Venue) -> list[tuple[str, str]]:
    return [(r.client_id, r.kind) for r in await venue.client.receipts(0, 1000)]


async def test_reading_resumes_behind_what_was_read(venue: Venue) -> None:
    await venue.client.bid_aot([bid(f"b{n}", price=HIGH + n) for n in range(5)])
    await venue.reach(SLOT - LEAD)
    read, after = [], 0
    while page := await venue.client.receipts(after, 2):
        assert len(page) <= 2
        read += [receipt.client_id for receipt in page]
        after = page[-1].seq
    assert read == [f"b{n}" for n in range(5)]
    assert await venue.client.receipts(after + 1000, 2) == []


async def test_receipts_come_twice(venue: Venue) -> None:
    venue.turn(duplicates=1)
    await venue.won(bid())
    first, second = await venue.client.receipts(0, 10)
    assert first.seq < second.seq
    assert (first.reservation_id, first.kind) == (second.reservation_id, second.kind)


async def test_receipts_come_late(venue: Venue) -> None:
    venue.turn(delay_slots=3)
    await venue.won(bid())
    await venue.reach(SLOT - LEAD + 2)
    assert await told(venue) == []
    await venue.reach(SLOT - LEAD + 3)
    assert await told(venue) == [("b1", "won")]


async def test_a_receipt_comes_after_the_next_one(venue: Venue) -> None:
    venue.turn(reordered=1)
    await venue.client.bid_aot([bid("b1", price=HIGH + 1), bid("b2")])
    await venue.reach(SLOT - LEAD)
    assert await told(venue) == [("b2", "won"), ("b1", "won")]


async def test_a_lost_receipt_can_be_asked_for(venue: Venue) -> None:
    venue.turn(lost=1)
    await venue.delivered(bid())
    await venue.finalize()
    assert await told(venue) == []
    assert (await venue.state(bid())).state == "INCLUDED"


async def test_a_share_of_receipts_is_lost_and_the_same_ones_each_time() -> None:
    async def lost() -> set[str]:
        async with running() as venue:
            venue.turn(lost=0.5)
            bids = [bid(f"b{n}", slot=SLOT + n) for n in range(60)]
            await venue.client.bid_aot(bids)
            await venue.reach(SLOT + 60 - LEAD)
            heard = {name for name, kind in await told(venue) if kind == "won"}
            return {one.client_id for one in bids} - heard

    first = await lost()
    assert 15 < len(first) < 45
    assert await lost() == first


async def test_an_outage_is_told_by_the_reaction_it_asks_for(venue: Venue) -> None:
    reservation = await venue.won(bid())
    venue.turn(outage=True)
    for question in (
        venue.client.slots(SLOT, SLOT),
        venue.client.bid_aot([bid()]),
        venue.client.cancel(reservation.id),
        venue.client.receipts(0, 1),
    ):
        with pytest.raises(Transient, match="503"):
            await question
    with pytest.raises(Ambiguous, match="503"):
        await venue.client.submit(reservation.id, [transaction()])
    with pytest.raises(Ambiguous, match="503"):
        await venue.client.bid_jit("j1", [transaction()], CU, HIGH)
    venue.turn(outage=False)
    assert (await venue.state(bid())).state == "WON"


async def test_a_missed_slot_is_paid_back(venue: Venue) -> None:
    venue.turn(skipped=1)
    await venue.delivered(bid())
    answer = await venue.state(bid())
    assert (answer.state, answer.reason, answer.charged) == ("FAILED", "slot skipped", 0)
    assert venue.chain.sent == []


async def test_others_may_outbid_everything(venue: Venue) -> None:
    venue.turn(outbid=True)
    await venue.client.bid_aot([bid()])
    await venue.reach(SLOT - LEAD)
    assert (await venue.state(bid())).state == "OUTBID"


async def test_bids_in_an_open_auction_survive_a_restart_by_being_made_again() -> None:
    async with running() as before:
        first = await before.state(bid())
    async with running(chain=before.chain) as after:
        assert await after.state(bid()) == first
        await after.reach(SLOT - LEAD)
        assert (await after.state(bid())).state == "WON"


async def test_a_restarted_venue_does_not_know_what_it_sold() -> None:
    async with running() as before:
        won = await before.won(bid())
        last = (await before.client.receipts(0, 10))[-1].seq
    async with running(chain=before.chain, first_seq=1_000_000) as after:
        answer = await after.state(bid())
        assert (answer.state, answer.id, answer.charged) == ("UNKNOWN", won.id, 0)
        assert (await after.state(bid())).state == "UNKNOWN"
        with pytest.raises(Ambiguous):
            await after.client.submit(won.id, [transaction()])
        await after.won(bid("b2", slot=SLOT + 1))
        assert [r.client_id for r in await after.client.receipts(last, 10)] == ["b2"]
        late = await after.state(bid("b3", slot=SLOT + 1))
        assert (late.state, late.reason) == ("REJECTED", "too late")


async def knob(venue: Venue, given: Any) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{venue.url}/sandbox/knobs", json=given) as response,
    ):
        return response.status


async def test_knobs_turn_over_http(venue: Venue) -> None:
    assert await knob(venue, {"lost": 0.5, "delay_slots": 4, "outage": True}) == 200
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{venue.url}/sandbox/knobs") as response,
    ):
        assert await response.json() == {
            "duplicates": 0.0,
            "reordered": 0.0,
            "lost": 0.5,
            "delay_slots": 4,
            "skipped": 0.0,
            "outbid": False,
            "outage": True,
        }


@pytest.mark.parametrize(
    "given",
    [
        [],
        {"unknown": 1},
        {"lost": 1.1},
        {"lost": -0.1},
        {"lost": True},
        {"lost": "1"},
        {"delay_slots": 0.5},
        {"delay_slots": -1},
        {"outage": 1},
    ],
)
async def test_a_knob_does_not_turn_everywhere(venue: Venue, given: Any) -> None:
    before = venue.book.knobs
    assert await knob(venue, given) == 400
    assert venue.book.knobs == before


async def test_slots_that_go_back_are_passed_over(venue: Venue) -> None:
    await venue.won(bid())
    assert venue.book.advance(NOW) == []
    assert venue.book.now == SLOT - LEAD
