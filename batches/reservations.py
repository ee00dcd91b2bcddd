"""What the venue says of reservations: stored once each, and never believed over the chain."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from batches.models import Lane, ReceiptCursor, Reservation, ReservationReceipt, Tick
from chains import blockspace as market
from chains.blockspace import Receipt, State
from fairlane.core import bulk


def last_receipt() -> int:
    """Where reading the venue's receipts resumes."""
    found = ReceiptCursor.objects.first()
    return found.seq if found else 0


def take(receipts: Sequence[Receipt]) -> None:
    """Store what is new, each kind once; a reservation goes on where its receipt allows."""
    if not receipts:
        return
    with transaction.atomic():
        bulk.insert(
            ReservationReceipt,
            [
                {
                    "seq": receipt.seq,
                    "venue_id": receipt.reservation_id,
                    "kind": receipt.kind,
                    "slot": receipt.slot,
                    "reason": receipt.reason[:200],
                    "charged": receipt.charged_lamports,
                }
                for receipt in receipts
            ],
            ignore_conflicts=True,
        )
        _hold_told(receipts)
        # Those that came again leave no row, and are not asked for again.
        ReceiptCursor.objects.update_or_create(id=1, defaults={"seq": receipts[-1].seq})
        for receipt in receipts:
            state = market.RECEIPT_STATES.get(receipt.kind)
            if state is not None:
                rows = Reservation.objects.filter(venue_id=receipt.reservation_id)
                go_on(rows, state, receipt.reason, receipt.charged_lamports)


def _hold_told(receipts: Sequence[Receipt]) -> None:
    """Lock the reservations that are told of; one whose answer was not heard gets its name."""
    names = {receipt.client_id: receipt.reservation_id for receipt in receipts}
    nameless = Reservation.objects.filter(state="SUBMITTED", venue_id="")
    found = [id_ for id_ in nameless.values_list("id", flat=True) if str(id_) in names]
    told = {receipt.reservation_id for receipt in receipts}
    hold(Reservation.objects.filter(Q(id__in=found) | Q(venue_id__in=told)))
    rows = [{"id": id_, "venue_id": names[str(id_)]} for id_ in found]
    bulk.update(Reservation, rows, key="id")


def hold(rows: QuerySet[Reservation]) -> None:
    """Lock reservations in one order everywhere, so that no two wait for each other."""
    list(rows.select_for_update(no_key=True).order_by("id").values_list("id"))


def go_on(rows: QuerySet[Reservation], state: str, reason: str, charged: int) -> None:
    """Move reservations to a state that may follow theirs, however many steps were missed."""
    before = [s for s in market.TRANSITIONS if state in _following(s)]
    with transaction.atomic():
        held = list(rows.filter(state__in=before).select_for_update(no_key=True).order_by("id"))
        Reservation.objects.filter(id__in=[row.id for row in held]).update(
            state=state, reason=reason[:200], charged=charged, updated_at=timezone.now()
        )
        for row in held if state == "WON" else ():
            # The slot freezes; from here on the time that it is at floats.
            Tick.objects.filter(id=row.tick_id, status="PLANNED").update(
                target_slot=row.slot, lane=Lane.AOT
            )


def _following(state: State) -> set[State]:
    """The states that may come after one, at any distance."""
    found: set[State] = set()
    fresh = set(market.TRANSITIONS[state])
    while fresh - found:
        found |= fresh
        fresh = {after for each in fresh for after in market.TRANSITIONS[each]}
    return found


def catch_up(reservation: Reservation) -> None:
    """Take in what the venue told of a reservation before there was a row of it."""
    for receipt in ReservationReceipt.objects.filter(venue_id=reservation.venue_id).order_by("seq"):
        state = market.RECEIPT_STATES.get(receipt.kind)
        if state is not None:
            rows = Reservation.objects.filter(id=reservation.id)
            go_on(rows, state, receipt.reason, receipt.charged)
