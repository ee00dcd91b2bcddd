"""Filters of the order list. None reads the orders to know its choices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter
from unfold.utils import parse_datetime_str

from fairlane.core.models import Work
from orders.models import Order, Token, Wallet
from orders.routing import FailureKind
from orders.states import ORDER

# What may befall an order beyond having no route.
_LATER_FAILURES = ("balance", "chain", "expired", "network", "review", "slippage", "venue")
# Orders in these states always have work, and open work is a small table.
_AT_WORK = ("ROUTING", "BUILDING", "SUBMITTED", "REVIEW")


class StatusFilter(DropdownFilter):  # type: ignore[misc]
    """One status; those on their way are found through their work."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state) for state in ORDER.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        status = self.value()
        if not status:
            return queryset
        if status in _AT_WORK:
            queryset = queryset.filter(id__in=Work.objects.values("object_id"))
        return queryset.filter(status=status)


class VenueFilter(DropdownFilter):  # type: ignore[misc]
    """The chosen venue."""

    title = "venue"
    parameter_name = "venue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in settings.RFQ_MAKERS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(venue=self.value()) if self.value() else queryset


class FailureFilter(DropdownFilter):  # type: ignore[misc]
    """Why it failed."""

    title = "failure"
    parameter_name = "failure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in sorted({*get_args(FailureKind), *_LATER_FAILURES})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if not self.value():
            return queryset
        return queryset.filter(status="FAILED", failure_kind=self.value())


class WalletFilter(DropdownFilter):  # type: ignore[misc]
    """The wallet that swaps."""

    title = "wallet"
    parameter_name = "wallet"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(wallet.address, str(wallet)) for wallet in Wallet.objects.all()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(wallet=self.value()) if self.value() else queryset


class TokenFilter(DropdownFilter):  # type: ignore[misc]
    """A token on either side."""

    title = "token"
    parameter_name = "token"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(token.mint, token.symbol) for token in Token.objects.all()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        mint = self.value()
        if not mint:
            return queryset
        return queryset.filter(Q(input_token=mint) | Q(output_token=mint))


class MomentFilter(RangeDateTimeFilter):  # type: ignore[misc]
    """From and to, in UTC; a day without a time begins at midnight."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        for edge, lookup in (("from", "gte"), ("to", "lte")):
            moment = self._moment(edge)
            if moment is not None:
                queryset = queryset.filter(**{f"{self.field_path}__{lookup}": moment})
        return queryset

    def _moment(self, edge: str) -> datetime | None:
        day, time = (
            self.used_parameters.get(f"{self.field_path}_{edge}_{part}") for part in (0, 1)
        )
        moment = parse_datetime_str(f"{day} {time or '00:00:00'}") if day else None
        return moment and moment.replace(tzinfo=UTC)
