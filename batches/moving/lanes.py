"""How settlements get into their block: in a slot that was won, just in time, or like any other."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone
from uuid_utils.compat import uuid7

from batches import reservations, timekeeping, venues
from batches.models import Lane, Packet, Reservation, Tick
from batches.models.reservations import GIVEN_STATES
from chains import registry as adapters
from chains.blockspace import BlockspaceVenue
from chains.errors import Ambiguous, ChainError
from fairlane.core import bulk

logger = structlog.get_logger(__name__)

# So wide is the place that a lane reserves: one slot ahead of time, and what a leader has in a row.
_SLOTS = {Lane.AOT: 1, Lane.JIT: 4}


def send(settlements: Mapping[UUID, Sequence[bytes]]) -> set[UUID]:
    """Give stored settlements to the venue, tick by tick; returns the ticks that it has taken.

    What it says settles nothing: what is not seen on chain is sent again like any other.
    """
    if adapters.blockspace() is None:
        return set()
    return {tick_id for tick_id, raw in settlements.items() if _takes(tick_id, raw)}


def _takes(tick_id: UUID, transactions: Sequence[bytes]) -> bool:
    venue = venues.at_hand()
    if venue is None:
        return _as_any_other(tick_id)
    won = Reservation.objects.filter(tick_id=tick_id, state="WON").first()
    try:
        if won is not None and timekeeping.now().slot < won.slot:
            lane = Lane.AOT
            venues.ask(venue.submit(won.venue_id, transactions))
            Reservation.objects.filter(id=won.id, state="WON").update(state="SUBMITTED")
        elif _leads_now(venue):
            lane = Lane.JIT
            if not _buy_now(venue, tick_id, transactions):
                return _as_any_other(tick_id)
        else:
            return _as_any_other(tick_id)
    except Ambiguous as error:
        logger.warning("lane.uncertain", tick=str(tick_id), reason=str(error))
    except ChainError as error:
        logger.warning("lane.refused", tick=str(tick_id), reason=str(error))
        return _as_any_other(tick_id)
    Tick.objects.filter(id=tick_id).update(lane=lane)
    # It may have landed, elsewhere, before the venue answered.
    decide([tick_id])
    return True


def decide(tick_ids: Collection[UUID]) -> None:
    """Take the lane from ticks that have paid anything outside of what was reserved for them: what
    the chain shows counts, and not what the venue has promised."""
    ticks = Tick.objects.filter(id__in=tick_ids, lane__in=_SLOTS)
    slots = {tick_id: _SLOTS[Lane(lane)] for tick_id, lane in ticks.values_list("id", "lane")}
    if not slots:
        return
    given = Reservation.objects.filter(tick_id__in=slots, state__in=GIVEN_STATES)
    reserved = {
        (tick_id, slot + n)
        for tick_id, slot in given.values_list("tick_id", "slot")
        for n in range(slots[tick_id])
    }
    paid = Packet.objects.filter(tick_id__in=slots, status="CONFIRMED")
    places = set(paid.values_list("tick_id", "slot"))
    outside = {tick_id for tick_id, _ in places - reserved}
    Tick.objects.filter(id__in=outside).update(lane=Lane.NORMAL)


def _leads_now(venue: BlockspaceVenue) -> bool:
    slot = timekeeping.now().slot
    return any(offer.slot == slot for offer in venues.ask(venue.slots(slot, slot)))


def _buy_now(venue: BlockspaceVenue, tick_id: UUID, transactions: Sequence[bytes]) -> bool:
    """Immediate inclusion, once for these transactions; what may be charged has a row before."""
    row = _stored(tick_id)
    if row is None:
        return False
    same = Reservation.objects.filter(id=row.id)
    try:
        bought = venues.ask(
            venue.bid_jit(str(row.id), transactions, row.units, settings.BATCH_MAX_BID)
        )
    except Ambiguous:
        raise
    except ChainError as error:
        same.update(state="REJECTED", reason=str(error)[:200], updated_at=timezone.now())
        raise
    row.venue_id = bought.id
    same.update(venue_id=bought.id, slot=bought.slot)
    if bought.state in ("REJECTED", "OUTBID"):
        same.update(state=bought.state, reason=bought.reason[:200], updated_at=timezone.now())
        return False
    reservations.catch_up(row)
    return True


def _stored(tick_id: UUID) -> Reservation | None:
    """A reservation as if its transactions had been given to the venue; None where another one of
    the tick is open."""
    id_ = uuid7()
    row = {
        "id": id_,
        "tick_id": tick_id,
        "venue_id": "",
        "slot": timekeeping.now().slot,
        "units": settings.BATCH_RESERVED_UNITS,
        "price": settings.BATCH_MAX_BID,
        "state": "SUBMITTED",
        "reason": "",
        "charged": 0,
    }
    bulk.insert(Reservation, [row], ignore_conflicts=True)
    return Reservation.objects.filter(id=id_).first()


def _as_any_other(tick_id: UUID) -> bool:
    """The tick's lane is normal, unless the venue has another part of its settlement."""
    given = Reservation.objects.filter(tick_id=tick_id, state__in=GIVEN_STATES)
    if not given.exists():
        Tick.objects.filter(id=tick_id).update(lane=Lane.NORMAL)
    return False
