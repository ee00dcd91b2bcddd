"""Orders whose last slot has passed, or that were cancelled while a batch had them: they end,
and get back what is left of their escrow."""

from django.db import transaction

from batches import refunds
from batches.ledger import Journal
from batches.models import BatchOrder
from batches.timekeeping import Now

# Few expire at once; more of them are found by the next pass.
LIMIT = 1_000


def expire(moment: Now) -> int:
    """End the orders in the book that can be in no batch any more; returns how many.

    A clock that is not to be relied on may be ahead of the chain: by it only those end that were
    cancelled, which have no slot left at all.
    """
    first = 1 if moment.degraded else moment.slot
    with transaction.atomic():
        found = (
            BatchOrder.objects.filter(status="OPEN", batch=None, entry__expiry_slot__lt=first)
            .select_related("market")
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
            .order_by("entry__expiry_slot")[:LIMIT]
        )
        orders = list(found)
        journal = Journal()
        refunds.end_each([_ending(order) for order in orders], journal)
        journal.post()
    return len(orders)


def _ending(order: BatchOrder) -> refunds.Ending:
    if order.cancelling:
        return refunds.Ending(order, "CANCELLED", "asked for")
    return refunds.Ending(order, "EXPIRED", "its last slot has passed")
