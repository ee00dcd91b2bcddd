"""The client of block space against the sandbox's venue: bids, money, the slot, receipts."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from chains.blockspace import RECEIPT_STATES, TRANSITIONS, SlotOffer
from chains.errors import Ambiguous, Definitive, Transient
from chains.raiku import RaikuClient
from chains.tests.raiku_support import (
    CU,
    HIGH,
    LEAD,
    NOW,
    SEED,
    SLOT,
    Venue,
    bid,
    rivalled,
    running,
    signature,
    transaction,
)
from sandbox.services.raiku.auction import OPEN_SLOTS, SLOT_CU, lamports, terms
from sandbox.services.raiku.leaders import leader

FLOOR = terms(SEED, SLOT, lead=LEAD).floor


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with running() as venue:
        yield venue


async def test_offers_are_the_venues_slots_with_their_terms(venue: Venue) -> None:
    offers = await venue.client.slots(SLOT, SLOT + 9)
    assert [offer.slot for offer in offers] == list(range(SLOT, SLOT + 10))
    assert offers[0] == SlotOffer(
        slot=SLOT,
        leader=leader(SEED, 100, SLOT) or "",
        opens_at_slot=SLOT - LEAD - OPEN_SLOTS,
        closes_at_slot=SLOT - LEAD,
        min_micro_lamports_per_cu=FLOOR,
        cu_free=SLOT_CU,
    )


async def test_slots_of_other_validators_are_not_offered() -> None:
    async with running(share=50) as venue:
        offered = {offer.slot for offer in await venue.client.slots(NOW, NOW + 399)}
    assert 100 < len(offered) < 300
    assert {slot // 4 for slot in offered} == {slot // 4 for slot in offered if slot % 4 == 0}


async def test_too_many_slots_are_refused(venue: Venue) -> None:
    assert await venue.client.slots(5, 4) == []
    with pytest.raises(Definitive):
        await venue.client.slots(0, 5000)


async def test_a_slot_that_was_won_includes_what_was_submitted(venue: Venue) -> None:
    asked = bid()
    reservation = await venue.state(asked)
    assert (reservation.state, reservation.client_id, reservation.slot) == ("BIDDING", "b1", SLOT)
    await venue.reach(SLOT - LEAD - 1)
    assert (await venue.state(asked)).state == "BIDDING"
    await venue.reach(SLOT - LEAD)
    assert await venue.state(asked) == replace(reservation, state="WON")

    raw = transaction()
    await venue.client.submit(reservation.id, [raw])
    assert (await venue.state(asked)).state == "SUBMITTED"
    await venue.reach(SLOT - 1)
    assert (await venue.state(asked)).state == "PRECONFIRMED"
    assert venue.chain.sent == []
    await venue.reach(SLOT)
    assert venue.chain.sent == [signature(raw)]
    assert (await venue.state(asked)).state == "PRECONFIRMED"
    await venue.finalize()

    conditions = terms(SEED, SLOT, lead=LEAD)
    paid = lamports(CU, max(conditions.rival, conditions.floor))
    assert await venue.state(asked) == replace(reservation, state="INCLUDED", charged=paid)
    receipts = await venue.client.receipts(0, 10)
    assert [(r.kind, r.slot, r.charged_lamports) for r in receipts] == [
        ("won", SLOT, 0),
        ("pre-confirmation", SLOT, 0),
        ("final-inclusion", SLOT, paid),
    ]
    assert {(r.reservation_id, r.client_id) for r in receipts} == {(reservation.id, "b1")}


async def test_space_that_was_sold_is_not_free(venue: Venue) -> None:
    await venue.won(bid(cu=CU))
    (offer,) = await venue.client.slots(SLOT, SLOT)
    assert offer.cu_free == SLOT_CU - CU


async def test_several_transactions_are_sent_in_their_order(venue: Venue) -> None:
    reservation = await venue.won(bid(cu=3 * CU))
    raws = [transaction() for _ in range(3)]
    await venue.client.submit(reservation.id, raws)
    await venue.reach(SLOT)
    assert venue.chain.sent == [signature(raw) for raw in raws]


async def test_a_bid_counts_once(venue: Venue) -> None:
    assert await venue.state(bid()) == await venue.state(bid())
    await venue.reach(SLOT - LEAD)
    assert await venue.kinds() == ["won"]


@pytest.mark.parametrize(
    "other", [bid(slot=SLOT + 1), bid(cu=CU + 1), bid(price=HIGH + 1)], ids=["slot", "cu", "price"]
)
async def test_another_bid_of_the_same_name_is_a_duplicate(venue: Venue, other: object) -> None:
    first = await venue.state(bid())
    second = await venue.state(other)  # type: ignore[arg-type]
    assert (second.state, second.reason) == ("REJECTED", "duplicate")
    assert second.id != first.id
    assert await venue.state(bid()) == first


async def test_a_large_set_is_asked_in_parts_and_answered_in_order(venue: Venue) -> None:
    bids = [bid(f"b{n}", slot=SLOT + n % 50) for n in range(1100)]
    answers = await venue.client.bid_aot(bids)
    assert [answer.client_id for answer in answers] == [one.client_id for one in bids]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (bid(slot=NOW + LEAD + OPEN_SLOTS + 1), "too early"),
        (bid(slot=SLOT, price=FLOOR - 1), "below minimum"),
        (bid(cu=SLOT_CU + 1), "CU limit"),
    ],
)
async def test_a_bid_is_rejected_with_its_reason(venue: Venue, asked: object, reason: str) -> None:
    answer = await venue.state(asked)  # type: ignore[arg-type]
    assert (answer.state, answer.reason, answer.charged) == ("REJECTED", reason, 0)
    assert await venue.kinds() == []


async def test_a_bid_at_the_limits_is_taken(venue: Venue) -> None:
    asked = bid(slot=NOW + LEAD + OPEN_SLOTS, cu=SLOT_CU)
    assert (await venue.state(asked)).state == "BIDDING"
    assert (await venue.state(bid("b2", price=FLOOR))).state == "BIDDING"


async def test_a_bid_after_the_auction_is_too_late(venue: Venue) -> None:
    await venue.reach(SLOT - LEAD)
    answer = await venue.state(bid())
    assert (answer.state, answer.reason) == ("REJECTED", "too late")


async def test_a_slot_of_another_leader_is_not_sold() -> None:
    async with running(share=0) as venue:
        answer = await venue.state(bid())
    assert (answer.state, answer.reason) == ("REJECTED", "not a Raiku leader")


async def test_a_rival_outbids_and_nothing_is_charged(venue: Venue) -> None:
    slot = rivalled(SLOT, rival=True)
    asked = bid(slot=slot, price=terms(SEED, slot, lead=LEAD).rival)
    await venue.state(asked)
    await venue.reach(slot - LEAD)
    assert ((await venue.state(asked)).state, (await venue.state(asked)).charged) == ("OUTBID", 0)
    assert await venue.kinds() == ["outbid"]


async def test_the_floor_wins_where_nobody_else_bids(venue: Venue) -> None:
    slot = rivalled(SLOT, rival=False)
    await venue.won(bid(slot=slot, price=terms(SEED, slot, lead=LEAD).floor))


async def test_a_bid_is_cancelled_while_its_auction_is_open(venue: Venue) -> None:
    asked = bid()
    reservation = await venue.state(asked)
    await venue.client.cancel(reservation.id)
    await venue.client.cancel(reservation.id)
    await venue.reach(SLOT)
    assert await venue.state(asked) == replace(reservation, state="CANCELLED")
    assert await venue.kinds() == []


async def test_a_slot_that_was_won_is_not_cancelled(venue: Venue) -> None:
    reservation = await venue.won(bid())
    with pytest.raises(Definitive, match="it is WON"):
        await venue.client.cancel(reservation.id)


async def test_submitting_is_refused_by_what_may_help(venue: Venue) -> None:
    raw, client = transaction(), venue.client
    reservation = await venue.state(bid())
    with pytest.raises(Transient, match="auction is open"):
        await client.submit(reservation.id, [raw])
    await venue.reach(SLOT - LEAD)
    with pytest.raises(Definitive, match="200000 units are reserved"):
        await client.submit(reservation.id, [raw, raw])
    for nonsense in ([b"nonsense"], [b""], []):
        with pytest.raises(Definitive):
            await client.submit(reservation.id, nonsense)
    await client.submit(reservation.id, [raw])
    await client.submit(reservation.id, [raw])
    with pytest.raises(Definitive, match="other transactions"):
        await client.submit(reservation.id, [transaction()])
    with pytest.raises(Ambiguous, match="no such reservation"):
        await client.submit("r-unknown", [raw])
    with pytest.raises(Ambiguous, match="no such reservation"):
        await client.cancel("r-unknown")
    await venue.reach(SLOT)
    assert venue.chain.sent == [signature(raw)]


async def test_a_venue_that_has_just_started_sells_nothing() -> None:
    async with running(started=False) as venue:
        with pytest.raises(Transient, match="just started"):
            await venue.state(bid())
        with pytest.raises(Transient, match="just started"):
            await venue.client.bid_jit("j1", [transaction()], CU, HIGH)


async def test_a_wrong_token_says_nothing_of_the_request(venue: Venue) -> None:
    stranger = RaikuClient(venue.url, venue.http, token="wrong")
    with pytest.raises(Transient, match="401"):
        await stranger.bid_aot([bid()])
    assert repr(stranger) == "<RaikuClient>"
    assert (await venue.kinds(), venue.book.offers(1, 0)) == ([], [])


def test_every_state_has_its_place() -> None:
    reached = {state for following in TRANSITIONS.values() for state in following}
    assert reached | {"NEW"} == set(TRANSITIONS)
    assert set(RECEIPT_STATES.values()) <= reached
