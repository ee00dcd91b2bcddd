"""Reads of the batches app, in sets."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from batches import representation, reserves
from batches.models import (
    Batch,
    BatchFill,
    BatchOrder,
    BookEntry,
    Market,
    Reservation,
    SlotReading,
    Transfer,
)
from batches.reserves import Reserves
from batches.states import ORDER
from batches.terms import INT64_MAX
from fairlane.core import history, switches
from fairlane.core.errors import not_found
from fairlane.core.principals import AllWallets, Principal

# An order that rests for a day may be filled in tens of thousands of batches.
SHOWN_FILLS = 200
ENDED_ORDERS = tuple(sorted(ORDER.terminal))

# Of each wallet on its own, so that nobody's history is read beyond what is shown.
_NEWEST_OF_EACH = """
    SELECT newest.id FROM unnest(%s::text[]) AS mine (wallet), LATERAL (
        SELECT id, receipt_seq FROM batches_batchorder
        WHERE wallet = mine.wallet AND market_id = %s AND status = ANY(%s) AND receipt_seq < %s
        ORDER BY receipt_seq DESC LIMIT %s
    ) AS newest
    ORDER BY newest.receipt_seq DESC LIMIT %s
"""


def markets() -> list[dict[str, Any]]:
    """Every market, as the API shows it."""
    rows = list(Market.objects.order_by("name"))
    held = reserves.held({row.id for row in rows if row.uses_pool})
    return [_market(row, held.get(row.id, Reserves())) for row in rows]


def terms(of: Market) -> dict[str, Any]:
    """One market, as the API shows it."""
    return _market(of, reserves.held({of.id})[of.id])


def _market(row: Market, its: Reserves) -> dict[str, Any]:
    return representation.market(row, paused=not switches.is_on(row.switch), reserves=its)


def market(name: str) -> Market:
    """One market.

    Raises:
        Problem: 404, there is none of this name.
    """
    # No text in PostgreSQL holds a NUL, which it would say with an error.
    found = None if "\0" in name else Market.objects.filter(name=name).first()
    if found is None:
        raise not_found("There is no such market")
    return found


def batches(
    of: Market | None = None, status: str | None = None, before: int | None = None
) -> QuerySet[Batch]:
    """Batches, newest first, without the bytes that only proofs need.

    Args:
        before: a market's batches below this number.
    """
    found = Batch.objects.select_related("market", "tick").defer(
        "leaves", "tick__anchor_transaction"
    )
    if status is not None:
        found = found.filter(status=status)
    if of is None:
        return found.order_by("-created_at", "-number", "market_id")
    found = found if before is None else found.filter(number__lt=before)
    return found.filter(market=of).order_by("-number")


def batch(of: Market, number: int) -> Batch:
    """One batch.

    Raises:
        Problem: 404, there is none of this number.
    """
    found = batches(of).filter(number=number).first()
    if found is None:
        raise not_found("There is no such batch")
    return found


def shown(rows: Iterable[Batch]) -> list[dict[str, Any]]:
    """Batches as the API shows them, with their reservations."""
    found = list(rows)
    reading = SlotReading.objects.first()
    reservations: dict[UUID, Reservation] = {}
    ticks = {row.tick_id for row in found}
    for reservation in Reservation.objects.filter(tick_id__in=ticks).order_by("created_at"):
        reservations[reservation.tick_id] = reservation
    return [representation.batch(row, reservations.get(row.tick_id), reading) for row in found]


def coming(of: Market, limit: int) -> list[dict[str, Any]]:
    """The next batches that nothing is decided about, the soonest first."""
    found = batches(of).filter(status__in=["PLANNED", "CLOSED", "COMMITTED"])
    return shown(found.order_by("number")[:limit])


def decided(of: Market) -> QuerySet[Batch]:
    """The batches that have executed or will not, newest first."""
    return batches(of).exclude(status__in=["PLANNED", "CLOSED", "COMMITTED"])


def prices(of: Market, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """What the last batches traded at, the oldest first."""
    rows = batches(of, before=before).filter(price__gt=0)[:limit]
    return [
        {
            "batchNo": row.number,
            "at": row.updated_at.isoformat(),
            "tick": row.price,
            "price": representation.price(of, row.price),
            "volumeLots": row.volume,
        }
        for row in reversed(rows)
    ]


def visible(principal: Principal) -> QuerySet[BatchOrder]:
    """The orders this principal may see."""
    found = BatchOrder.objects.select_related("market")
    if isinstance(principal.wallets, AllWallets):
        return found
    return found.filter(wallet__in=list(principal.wallets))


def orders(
    of: Market,
    principal: Principal,
    limit: int,
    *,
    wallet: str | None = None,
    which: str | None = None,
    before: int | None = None,
) -> Sequence[BatchOrder]:
    """The newest orders in a market that this principal may see.

    Args:
        which: ``open`` or ``ended``; both without it.
        before: those with receipts below this number.
    """
    its = BatchOrder.objects.select_related("market").order_by("-receipt_seq")
    wallets: list[str] | None = None
    if wallet is not None:
        wallets = [wallet] if principal.may_act_for(wallet) else []
    elif not isinstance(principal.wallets, AllWallets):
        wallets = sorted(principal.wallets)
    before = INT64_MAX if before is None else before
    if which == "open":
        return list(its.filter(id__in=_newest_open(wallets, of, before, limit)))
    statuses = ENDED_ORDERS if which == "ended" else ORDER.states
    if wallets is None:
        return list(its.filter(market=of, status__in=statuses, receipt_seq__lt=before)[:limit])
    return list(its.filter(id__in=_newest_of(wallets, of, statuses, before, limit)))


def _newest_open(wallets: list[str] | None, of: Market, before: int, limit: int) -> list[UUID]:
    found = BookEntry.objects.filter(market=of, receipt_seq__lt=before).order_by("-receipt_seq")
    if wallets is not None:
        found = found.filter(wallet__in=wallets)
    return list(found.values_list("order_id", flat=True)[:limit])


def _newest_of(
    wallets: list[str], of: Market, statuses: Collection[str], before: int, limit: int
) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_OF_EACH, [wallets, of.id, list(statuses), before, limit, limit])
        return [id_ for (id_,) in cursor.fetchall()]


def order(of: Market, order_hash: str, principal: Principal) -> BatchOrder:
    """One order by its hash.

    Raises:
        Problem: 404, it is not there or not this principal's.
    """
    try:
        data = bytes.fromhex(order_hash)
    except ValueError:
        raise not_found("There is no such order") from None
    found = visible(principal).filter(market=of, hash=data).first()
    if found is None:
        raise not_found("There is no such order")
    return found


def order_detail(row: BatchOrder, *, since: int = 0) -> dict[str, Any]:
    """An order with its newest fills and what happened to it; the history is read first."""
    events = history.of(row.id, since)
    fresh = BatchOrder.objects.select_related("market").get(id=row.id)
    fills = _newest_fills(row)
    transfers = Transfer.objects.select_related("packet")
    paid = transfers.filter(batch__in=[fill.batch_id for fill in fills], wallet=row.wallet)
    return representation.order_detail(
        fresh,
        fills,
        list(transfers.filter(order=row).order_by("id")),
        list(paid.order_by("batch_id", "mint")),
        events,
    )


def _newest_fills(row: BatchOrder) -> list[BatchFill]:
    """The oldest of them first."""
    its = BatchFill.objects.filter(order=row).select_related("batch")
    newest = its.defer("batch__leaves").order_by("-batch_id")[:SHOWN_FILLS]
    return list(newest)[::-1]
