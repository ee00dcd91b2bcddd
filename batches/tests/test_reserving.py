"""Slots bid for at a real venue beside a real node, which misbehaves as it is told."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.db import connection
from pytest_django import Settings
from uuid_utils.compat import uuid7

from batches import coordinator, registry, reserving, timekeeping, venues
from batches.models import (
    Batch,
    BatchOrder,
    Lane,
    Market,
    Packet,
    ReceiptCursor,
    Reservation,
    ReservationReceipt,
    Tick,
)
from batches.models.reservations import GIVEN_STATES
from batches.moving import lanes
from batches.records import Side
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.outside import BASE, OWNERS, QUOTE, Chain
from batches.tests.waiting import until
from chains import registry as adapters
from chains.blockspace import TRANSITIONS, Bid, BlockspaceVenue
from chains.blockspace import Reservation as Bought
from chains.errors import Ambiguous, ChainError, Definitive
from chains.raiku import RaikuClient
from chains.solana import anchor, transfers
from chains.solana.anchor import Anchor
from fairlane.core import checkpoints, switches
from fairlane.core.tests.concurrency import at_the_same_time
from fairlane.settings.env import Secret
from sandbox.raiku import start_raiku

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "tests"
WELL_BEHAVED = {
    "duplicates": 0.0,
    "reordered": 0.0,
    "lost": 0.0,
    "delay_slots": 0,
    "skipped": 0.0,
    "outbid": False,
    "outage": False,
}
ENDED = {state for state, following in TRANSITIONS.items() if not following}


@pytest.fixture(scope="module")
def venue_url(node: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A venue that leads every slot, and whose auctions close in time for the schedule."""
    part = start_raiku(
        tmp_path_factory.mktemp("raiku"),
        rpc_url=node.url,
        rpc_websocket_url=node.websocket_url,
        token=TOKEN,
        share=100,
    )
    yield part.url
    part.stop()


@pytest.fixture
def venue(
    venue_url: str, chain: Chain, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The venue as this process knows it; on a busy machine it is slow without being silent."""
    monkeypatch.setattr(venues, "PATIENCE_S", 60)
    settings.RAIKU_URL = venue_url
    settings.RAIKU_TOKEN = Secret(TOKEN)
    adapters.forget()
    until(lambda: not timekeeping.now().degraded)
    yield venue_url
    turn(venue_url, **WELL_BEHAVED)


def turn(url: str, **knobs: Any) -> None:
    httpx.post(f"{url}/sandbox/knobs", json=knobs, trust_env=False).raise_for_status()


def trade(market: Market) -> Batch:
    """Two orders that meet, through to their payouts."""
    orders = [
        place(market, limit=500, quantity=5),
        place(market, OWNERS[1], side=Side.SELL, limit=500, quantity=5),
    ]
    driving.run_until(lambda: all(read(order).status == "FILLED" for order in orders))
    driving.quiet()
    return driving.settled(Batch.objects.get(fills__gt=0).id)


def reserve_until(done: Callable[[], object]) -> None:
    """Plan and reserve, and nothing else, until something is so."""

    def step() -> bool:
        coordinator.plan()
        coordinator.reserve()
        return bool(done())

    until(step)


def test_a_slot_that_is_won_is_the_ticks(venue: str, market: Market) -> None:
    place(market, limit=400)
    # A tick that is closed by now may have been too late for its slot.
    won = Reservation.objects.filter(state="WON", tick__status="PLANNED").select_related("tick")
    reserve_until(won.exists)
    for reservation in won.all():
        assert reservation.tick.lane == Lane.AOT
        assert reservation.tick.target_slot == reservation.slot
    slots = list(Reservation.objects.exclude(state="REJECTED").values_list("slot", flat=True))
    assert len(slots) == len(set(slots))


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"duplicates": 1.0, "reordered": 0.5},
        {"lost": 1.0},
        {"delay_slots": 40},
        {"skipped": 1.0},
        {"outbid": True},
        {"outage": True},
    ],
    ids=lambda knobs: "-".join(knobs) or "well-behaved",
)
def test_money_moves_once_whatever_the_venue_does(
    venue: str, chain: Chain, market: Market, knobs: dict[str, Any]
) -> None:
    vault = (chain.vault(BASE), chain.vault(QUOTE))
    turn(venue, **knobs)
    batch = trade(market)
    assert batch.volume == 5
    driving.assert_books_agree(chain, vault)
    if knobs.get("outbid") or knobs.get("outage"):
        assert batch.tick.lane != Lane.AOT
    if batch.tick.lane == Lane.AOT:
        won = Reservation.objects.get(tick=batch.tick, state__in=GIVEN_STATES)
        paid = Packet.objects.filter(tick=batch.tick, status="CONFIRMED")
        assert {packet.slot for packet in paid} == {won.slot}
    kinds = ReservationReceipt.objects.values_list("venue_id", "kind")
    assert len(kinds) == len(set(kinds))
    cursor = ReceiptCursor.objects.first()
    newest = ReservationReceipt.objects.order_by("-seq").first()
    assert newest is None or (cursor is not None and cursor.seq >= newest.seq)


def test_what_no_receipt_tells_is_asked_for(venue: str, market: Market) -> None:
    place(market, limit=400)
    turn(venue, lost=1.0)
    reserve_until(lambda: Reservation.objects.filter(state="WON").exists())
    mine = Reservation.objects.values("venue_id")
    assert not ReservationReceipt.objects.filter(venue_id__in=mine).exists()
    reserve_until(lambda: Reservation.objects.filter(state__in=ENDED).exists())


def test_two_passes_at_the_same_time_bid_once_for_a_tick(venue: str, market: Market) -> None:
    place(market, limit=400)
    until(lambda: not timekeeping.now().degraded)
    stored = threading.Barrier(2, timeout=20)

    def meet(name: str) -> None:
        # Both have chosen by then, and neither knows of the other's rows.
        if name == "batches.reserve.chosen":
            stored.wait()

    checkpoints.observe(meet)
    try:
        with at_the_same_time(coordinator.reserve) as theirs:
            mine = coordinator.reserve()
    finally:
        checkpoints._observers.remove(meet)
    ticks = list(Reservation.objects.values_list("tick_id", flat=True))
    assert ticks and len(ticks) == len(set(ticks)) == mine + theirs.result()


def test_nothing_is_reserved_by_a_clock_that_is_degraded(venue: str, market: Market) -> None:
    place(market, limit=400)
    moment = timekeeping.now()
    assert reserving.reserve(replace(moment, degraded=True)) == 0
    assert not Reservation.objects.exists()
    reserve_until(Reservation.objects.exists)


def test_a_bid_that_was_stored_and_not_made_is_made_once(venue: str, market: Market) -> None:
    place(market, limit=400)
    reserve_until(Reservation.objects.exists)
    # As if the process had died before it heard the answers.
    Reservation.objects.update(state="NEW", venue_id="")
    reserve_until(lambda: not Reservation.objects.filter(state="NEW").exists())
    assert not Reservation.objects.filter(venue_id="").exists()
    assert Tick.objects.filter(reservations__isnull=False).count() == Reservation.objects.count()


def test_nobody_pays_for_the_slots_of_a_market_without_orders(
    venue: str, chain: Chain, market: Market
) -> None:
    other = chain.open_market("JUP-USDC-2", cadence_ms=700)
    coordinator.plan()
    until(lambda: not timekeeping.now().degraded)
    assert coordinator.reserve() == 0
    # These are nobody's yet: they begin far away, or the market takes none.
    asleep = place(market, limit=400, from_slot=10**8)
    paused = place(other, limit=400)
    switches.set_switch(name=other.switch, on=False, by="user:ada", reason="looking")
    assert coordinator.reserve() == 0
    BatchOrder.objects.filter(id=asleep.id).update(from_slot=0)
    reserve_until(Reservation.objects.exists)
    awaited = Tick.objects.filter(reservations__isnull=False)
    assert set(awaited.values_list("cadence_ms", flat=True)) == {market.cadence_ms}
    assert not awaited.filter(number__lt=asleep.batch_no).exists()
    switches.set_switch(name=other.switch, on=True, by="user:ada", reason="looked")
    theirs = awaited.filter(cadence_ms=other.cadence_ms, number__gte=paused.batch_no)
    reserve_until(theirs.exists)


@pytest.mark.parametrize(("cadence_ms", "look_ahead"), [(20_000, 2), (300_000, 10)])
def test_slots_are_bid_for_beside_a_market_that_is_slow(
    venue: str, chain: Chain, market: Market, cadence_ms: int, look_ahead: int
) -> None:
    slow = chain.open_market("JUP-USDC-2", cadence_ms=cadence_ms, look_ahead=look_ahead)
    for each in (slow, market):
        place(each, limit=400)
    reserve_until(Reservation.objects.filter(tick__cadence_ms=market.cadence_ms).exists)


def test_no_bid_is_stored_for_a_tick_that_is_gone_or_closed(venue: str, market: Market) -> None:
    moment = timekeeping.now()
    offers = adapters.run(venue_client().slots(moment.slot + 20, moment.slot + 22))
    ticks = [
        Tick.objects.create(id=uuid7(), cadence_ms=600, number=number, status=status)
        for number, status in enumerate(("PLANNED", "CLOSED"))
    ]
    wanted = [ticks[0].id, ticks[1].id, uuid7()]
    stored = reserving._stored(dict(zip(wanted, offers, strict=True)))
    assert [row.tick_id for row in stored] == [ticks[0].id]


def test_bids_of_ticks_in_which_nobody_has_an_order_are_taken_back(
    venue: str, market: Market
) -> None:
    place(market, limit=400)
    reserve_until(Reservation.objects.filter(state="BIDDING").exists)
    bid = Reservation.objects.filter(state="BIDDING").latest("slot")
    Tick.objects.filter(id=bid.tick_id).update(status="EMPTY")
    reserve_until(lambda: not Reservation.objects.filter(id=bid.id, state="BIDDING").exists())
    assert Reservation.objects.get(id=bid.id).state == "CANCELLED"
    (answer,) = adapters.run(
        venue_client().bid_aot([Bid(str(bid.id), bid.slot, bid.units, bid.price)])
    )
    assert (answer.state, answer.charged) == ("CANCELLED", 0)


def test_a_bid_that_the_venue_does_not_know_ends_and_holds_up_no_other(
    venue: str, market: Market
) -> None:
    place(market, limit=400)
    reserve_until(lambda: Reservation.objects.filter(state="BIDDING").count() >= 2)
    latest = Reservation.objects.filter(state="BIDDING").order_by("-slot")[:2]
    lost, other = sorted(latest, key=lambda row: row.id)
    Reservation.objects.filter(id=lost.id).update(venue_id="nobody")
    Tick.objects.filter(id__in=[lost.tick_id, other.tick_id]).update(status="EMPTY")
    both = Reservation.objects.filter(id__in=[lost.id, other.id])
    reserve_until(lambda: not both.filter(state="BIDDING").exists())
    assert [row.state for row in both.order_by("id")] == ["FAILED", "CANCELLED"]
    assert "no such reservation" in both.get(state="FAILED").reason


def venue_client() -> BlockspaceVenue:
    found = adapters.blockspace()
    assert found is not None
    return found


class Watched(RaikuClient):
    """The venue; what was known here of a purchase when it was made is told afterwards."""

    def __init__(self, error: ChainError | None = None) -> None:
        self.__dict__.update(vars(venue_client()))
        self.error = error
        self.known: list[str] = []

    async def bid_jit(
        self, client_id: str, transactions: Sequence[bytes], cu: int, micro_lamports_per_cu: int
    ) -> Bought:
        self.known += await asyncio.to_thread(known_as, client_id)
        bought = await super().bid_jit(client_id, transactions, cu, micro_lamports_per_cu)
        if self.error is not None:
            raise self.error
        return bought


def known_as(client_id: str) -> list[str]:
    """The states of what has this id here, and no name at the venue yet."""
    try:
        rows = Reservation.objects.filter(id=client_id, venue_id="")
        return list(rows.values_list("state", flat=True))
    finally:
        connection.close()


def transaction() -> bytes:
    payer = registry.address_of(registry.COORDINATOR)
    blockhash = adapters.run(adapters.solana().latest_blockhash())
    memo = Anchor(1, 2, 3, 1, bytes(32), bytes(32))
    message = anchor.build(memo, payer=payer, blockhash=blockhash.value)
    return transfers.sign(message, adapters.batch_keys()).raw


def test_what_is_bought_just_in_time_is_a_row_before(venue: str, market: Market) -> None:
    tick = Tick.objects.create(id=uuid7(), cadence_ms=600, number=1, status="CLEARED")
    watched = Watched()
    assert lanes._buy_now(watched, tick.id, [transaction()])
    assert watched.known == ["SUBMITTED"]
    bought = Reservation.objects.get(tick=tick)
    assert bought.venue_id and bought.tick_id == tick.id
    # Another part of the settlement goes like any other while this one is open.
    assert not lanes._buy_now(watched, tick.id, [transaction()])
    driving.run_until(lambda: Reservation.objects.get(tick=tick).state == "INCLUDED")
    assert Reservation.objects.get(tick=tick).charged > 0


def test_what_was_bought_just_in_time_is_not_asked_for_as_a_bid(venue: str, market: Market) -> None:
    tick = Tick.objects.create(id=uuid7(), cadence_ms=600, number=1, status="CLEARED")
    with pytest.raises(Ambiguous):
        lanes._buy_now(Watched(Ambiguous("no answer")), tick.id, [transaction()])
    row = Reservation.objects.get(tick=tick)
    moment = timekeeping.now()
    overdue = replace(moment.pace, slot=moment.pace.slot + reserving.OVERDUE_SLOTS + 50)
    reserving._ask_again(venue_client(), replace(moment, pace=overdue))
    assert Reservation.objects.get(id=row.id).venue_id == ""
    # Nor does it take over what a refusal calls it.
    reserving._place(venue_client(), [row])
    assert Reservation.objects.get(id=row.id).venue_id == ""
    driving.run_until(lambda: Reservation.objects.get(tick=tick).state == "INCLUDED")


@pytest.mark.parametrize("error", [Ambiguous("no answer"), Definitive("no")])
def test_what_may_have_been_bought_is_on_the_books_once_the_venue_tells(
    venue: str, market: Market, error: ChainError
) -> None:
    tick = Tick.objects.create(id=uuid7(), cadence_ms=600, number=1, status="CLEARED")
    watched = Watched(error)
    with pytest.raises(type(error)):
        lanes._buy_now(watched, tick.id, [transaction()])
    assert watched.known == ["SUBMITTED"]
    if isinstance(error, Definitive):
        assert (
            Reservation.objects.get(tick=tick).state,
            Reservation.objects.get(tick=tick).reason,
        ) == (
            "REJECTED",
            "no",
        )
        return
    assert Reservation.objects.get(tick=tick).state == "SUBMITTED"
    driving.run_until(lambda: Reservation.objects.get(tick=tick).state == "INCLUDED")
    bought = Reservation.objects.get(tick=tick)
    assert bought.venue_id and bought.charged > 0
