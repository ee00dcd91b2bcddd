"""Reads of the orders app."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from fairlane.core import history
from fairlane.core.errors import not_found
from fairlane.core.models import RelayCursor, Work
from fairlane.core.principals import AllWallets, Principal
from orders import representation
from orders.models import Attempt, Order, Quote, Wallet
from orders.states import ORDER


def visible(principal: Principal) -> QuerySet[Order]:
    """The orders this principal may see."""
    if isinstance(principal.wallets, AllWallets):
        return Order.objects.all()
    return Order.objects.filter(wallet__in=list(principal.wallets))


def with_status(orders: QuerySet[Order], status: str) -> QuerySet[Order]:
    """Those that have this status. Unless it ends an order, or an order may wait in it, they are
    among the few that have open work, so that no history is searched for them."""
    found = orders.filter(status=status)
    if status in ORDER.terminal or status == "PENDING":
        return found
    return found.filter(id__in=_with_open_work())


def get(order_id: UUID, principal: Principal) -> Order:
    """One order.

    Raises:
        Problem: 404, it is not there or not this principal's.
    """
    order = visible(principal).filter(id=order_id).first()
    if order is None:
        raise not_found("There is no such order")
    return order


def detail(order_id: UUID, principal: Principal, *, since: int = 0) -> dict[str, Any]:
    """One order as the API shows it, its history from after ``since``.

    The history is read first: the order is never older than it, so whoever follows the feed from
    the history's last ``seq`` misses nothing.

    Raises:
        Problem: 404, it is not there or not this principal's.
    """
    events = history.of(order_id, since)
    order = get(order_id, principal)
    return representation.detail(
        order,
        Quote.objects.filter(order=order).order_by("round", "venue"),
        Attempt.objects.filter(order=order).order_by("number"),
        events,
    )


def open_orders(principal: Principal, limit: int) -> Sequence[Order]:
    """The newest orders that have not ended."""
    return list(visible(principal).filter(id__in=_with_open_work())[:limit])


def _with_open_work() -> QuerySet[Work, Any]:
    return Work.objects.filter(stage__startswith="orders.").values("object_id")


def recent(principal: Principal, limit: int) -> dict[str, Any]:
    """The newest orders, and the feed's position from which on to follow what becomes of them.

    The position is read first: an event after it may be in the orders already, which their
    ``seq`` tells, but none is missing.
    """
    position = RelayCursor.objects.values_list("position", flat=True).get()
    orders = [representation.summary(order) for order in visible(principal)[:limit]]
    return {"position": position, "orders": orders}


def wallets(principal: Principal) -> QuerySet[Wallet]:
    """The wallets this principal may order for."""
    active = Wallet.objects.filter(active=True)
    if isinstance(principal.wallets, AllWallets):
        return active
    return active.filter(address__in=list(principal.wallets))
