"""How much may be in a market's book, so that no batch costs more than it can."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Count, F, Sum, When
from django.db.models.functions import Cast

from batches import registry, terms
from batches.models import BatchOrder, Market
from batches.offers import Offer
from batches.records import Side
from fairlane.core.errors import Problem
from fairlane.core.models.fields import Amount


def require_room(market: Market, offers: Sequence[Offer]) -> None:
    """See that these may be added to the book of a market that the caller holds.

    Raises:
        Problem: 409, an owner's orders would be more, or worth more, than the market allows, or
            the book is full.
    """
    if registry.book_size(market.id) + len(offers) > settings.BATCH_MAX_ORDERS:
        raise Problem(409, "book_full", "The market has as many open orders as a batch takes")
    require_within(market, offers)


def require_within(
    market: Market, offers: Sequence[Offer], *, without: Collection[UUID] = ()
) -> None:
    """See that owners keep to what the market allows each.

    Args:
        without: orders that end with this.

    Raises:
        Problem: 409, an owner's orders would be more, or worth more.
    """
    counts: dict[str, int] = {}
    stakes: dict[str, int] = {}
    for offer in offers:
        stake = terms.stake(offer.order, reference=market.reference, tick=market.tick)
        counts[offer.wallet] = counts.get(offer.wallet, 0) + 1
        stakes[offer.wallet] = stakes.get(offer.wallet, 0) + stake
    for wallet, count, stake in _standing(market, stakes, without):
        counts[wallet] += count
        stakes[wallet] += int(stake)
    if max(counts.values()) > market.max_open_orders:
        message = f"An owner has {market.max_open_orders} open orders in this market at most"
        raise Problem(409, "too_many_orders", message)
    if market.owner_cap is not None and max(stakes.values()) > int(market.owner_cap):
        raise Problem(409, "over_cap", "The owner's open orders would be worth more than allowed")


def _standing(
    market: Market, wallets: Collection[str], without: Collection[UUID]
) -> Iterable[tuple[str, int, int]]:
    """How many open orders each wallet has, and their stakes."""
    price = Case(When(side=Side.BUY, then=F("limit")), default=market.reference)
    its = BatchOrder.objects.filter(entry__market=market, entry__wallet__in=wallets)
    return (
        its.exclude(id__in=without)
        .order_by()
        .values_list("wallet")
        .annotate(
            count=Count("id"),
            stake=Sum(Cast("remaining", Amount()) * price * market.tick, output_field=Amount()),
        )
    )
