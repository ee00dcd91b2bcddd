"""Reserve: bid for the slots of coming ticks, and learn what became of the bids."""

from collections.abc import Sequence
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from batches import reservations, venues
from batches.choosing import Wanted, choose
from batches.models import Batch, BatchOrder, Lane, Market, Reservation, Tick
from batches.models.reservations import ASKED_STATES, OPEN_STATES
from batches.states import TICK
from batches.timekeeping import Now
from chains.blockspace import Bid, BlockspaceVenue, SlotOffer
from chains.errors import Ambiguous, ChainError, Definitive
from fairlane.core import bulk, checkpoints, switches

logger = structlog.get_logger(__name__)

RECEIPTS = 500
# The chain has finalized a slot so long after it, and the venue has told of it.
OVERDUE_SLOTS = 100
FORGOTTEN_SLOTS = 1_000
# No auction is open for slots further ahead, and a venue tells of as many at once.
HORIZON_SLOTS = 4_000


def reserve(moment: Now) -> int:
    """Bid for the ticks that have orders and no slot; returns how many bids were made.

    Nothing new is bid for while the clock of slots is not to be relied on, and nothing is asked of
    a venue that is left alone.
    """
    venue = venues.at_hand()
    if venue is None:
        return 0
    try:
        reservations.take(venues.ask(venue.receipts(reservations.last_receipt(), RECEIPTS)))
        _ask_again(venue, moment)
        _withdraw(venue)
        return 0 if moment.degraded else _bid(venue, moment)
    except ChainError as error:
        logger.warning("reserving.waits", reason=str(error))
        return 0


def _ask_again(venue: BlockspaceVenue, moment: Now) -> None:
    """What became of bids that no receipt has told of; those that were only stored are made."""
    asked = Q(state__in=ASKED_STATES)
    overdue = Q(state__in=OPEN_STATES, slot__lt=moment.slot - OVERDUE_SLOTS)
    # What was bought just in time is no bid: of one whose answer was not heard receipts alone tell.
    bought = Q(state="SUBMITTED", venue_id="")
    rows = list(Reservation.objects.filter(asked | overdue).exclude(bought).order_by("id"))
    if rows:
        _place(venue, rows)
    # What the venue has forgotten it will not tell any more; the chain has told what landed.
    forgotten = Reservation.objects.filter(
        state__in=OPEN_STATES, slot__lt=moment.slot - FORGOTTEN_SLOTS
    )
    forgotten.update(
        state="FAILED", reason="the venue told of no outcome", updated_at=timezone.now()
    )


def _withdraw(venue: BlockspaceVenue) -> None:
    """Take bids back whose ticks have ended: what is won for them would be charged unused."""
    standing = Reservation.objects.filter(state="BIDDING", tick__status__in=TICK.terminal)
    for row in standing.exclude(venue_id="").order_by("id"):
        same = Reservation.objects.filter(id=row.id)
        try:
            venues.ask(venue.cancel(row.venue_id))
        except Definitive as error:
            # Too late, as a rule: what became of it is asked for in the next pass.
            logger.warning("reserving.stands", reservation=str(row.id), reason=str(error))
        except Ambiguous as error:
            # It was restarted: what it does not know it cannot charge, and will not tell of.
            reservations.go_on(same, "FAILED", str(error), 0)
        else:
            reservations.go_on(same, "CANCELLED", "nobody has an order in its tick", 0)


def _bid(venue: BlockspaceVenue, moment: Now) -> int:
    horizon = moment.slot + HORIZON_SLOTS
    ticks = list(
        Tick.objects.filter(status="PLANNED", lane=Lane.NORMAL)
        .filter(_is_awaited(), target_slot__gt=moment.slot, target_slot__lte=horizon)
        .exclude(reservations__isnull=False)
        # Numbers count a cadence's own milliseconds: across cadences only slots tell the order.
        .order_by("target_slot")
    )
    if not ticks:
        return 0
    wanted = [_wanted(tick, moment) for tick in ticks]
    offers = venues.ask(venue.slots(wanted[0].first, min(horizon, max(w.last for w in wanted))))
    open_rows = Reservation.objects.filter(state__in=OPEN_STATES, slot__gte=moment.slot)
    chosen = choose(
        wanted,
        offers,
        slot=moment.slot,
        units=settings.BATCH_RESERVED_UNITS,
        most=settings.BATCH_MAX_BID,
        taken=set(open_rows.values_list("slot", flat=True)),
    )
    checkpoints.reach("batches.reserve.chosen")
    rows = _stored({tick.id: chosen[tick.number] for tick in ticks if tick.number in chosen})
    checkpoints.reach("batches.reserve.persisted")
    if rows:
        _place(venue, rows)
    checkpoints.reach("batches.reserve.placed")
    return len(rows)


def _is_awaited() -> Exists:
    """Whether somebody has an order that its closing would take: others' slots are a waste."""
    paused = [m.name for m in Market.objects.all() if not switches.is_on(m.switch)]
    orders = BatchOrder.objects.filter(
        entry__market=OuterRef("market"),
        cancelling=False,
        batch_no__lte=OuterRef("number"),
        from_slot__lte=OuterRef("tick__target_slot"),
        expiry_slot__gte=OuterRef("tick__target_slot"),
        max_fee_bps__gte=OuterRef("market__fee_bps"),
    )
    batches = Batch.objects.filter(tick=OuterRef("pk"), status="PLANNED")
    return Exists(batches.exclude(market__name__in=paused).filter(Exists(orders)))


def _wanted(tick: Tick, moment: Now) -> Wanted:
    """A tick's slots are those of its own time: the next one's begin with its target."""
    assert tick.target_slot is not None
    slots = max(1, int(tick.cadence_ms / moment.pace.slot_ms))
    return Wanted(tick.number, tick.target_slot, tick.target_slot + slots - 1)


def _stored(chosen: dict[UUID, SlotOffer]) -> list[Reservation]:
    """Bids as rows, before any is made; a tick that somebody else bids for gets no second one, and
    one that is closed or gone by now none."""
    with transaction.atomic():
        planned = Tick.objects.filter(id__in=chosen, status="PLANNED").order_by("id")
        held = planned.select_for_update(no_key=True).values_list("id", flat=True)
        return _insert({tick_id: chosen[tick_id] for tick_id in held})


def _insert(chosen: dict[UUID, SlotOffer]) -> list[Reservation]:
    rows = [
        {
            "id": uuid7(),
            "tick_id": tick_id,
            "venue_id": "",
            "slot": offer.slot,
            "units": settings.BATCH_RESERVED_UNITS,
            "price": settings.BATCH_MAX_BID,
            "state": "NEW",
            "reason": "",
            "charged": 0,
        }
        for tick_id, offer in chosen.items()
    ]
    bulk.insert(Reservation, rows, ignore_conflicts=True)
    return list(Reservation.objects.filter(id__in=[row["id"] for row in rows]))


def _place(venue: BlockspaceVenue, rows: Sequence[Reservation]) -> None:
    """Make bids, which count once however often they are made, and record what is said."""
    bids = [Bid(str(row.id), row.slot, row.units, row.price) for row in rows]
    answers = venues.ask(venue.bid_aot(bids))
    with transaction.atomic():
        reservations.hold(Reservation.objects.filter(id__in=[row.id for row in rows]))
        for row, answer in zip(rows, answers, strict=True):
            if answer.state == "UNKNOWN":
                continue
            same = Reservation.objects.filter(id=row.id)
            same.filter(venue_id="", state__in=ASKED_STATES).update(venue_id=answer.id)
            reservations.go_on(same, answer.state, answer.reason, answer.charged)
