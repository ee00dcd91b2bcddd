"""Orders: found, looked at in full, and helped along. Their history is nobody's to change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from fairlane.core.admin.base import EndlessAdmin, labelled, only, operation
from fairlane.core.admin.deeds import DeedAdmin
from orders.admin import deeds, sections
from orders.admin.filters import (
    FailureFilter,
    MomentFilter,
    StatusFilter,
    TokenFilter,
    VenueFilter,
    WalletFilter,
)
from orders.amounts import price_text, to_text
from orders.models import Attempt, Order, Token, Wallet

STATUS_COLOURS = {
    "PENDING": "primary",
    "ROUTING": "info",
    "BUILDING": "info",
    "SUBMITTED": "info",
    "CONFIRMED": "success",
    "FAILED": "danger",
    "REVIEW": "warning",
}

# The deeds that make sense for an order of this status; the services decide in the end.
OPERATIONS = {
    "PENDING": {"cancel"},
    "ROUTING": {"cancel"},
    "BUILDING": {"cancel"},
    "FAILED": {"retry"},
    "REVIEW": {"let_go_on", "fail"},
}


@admin.register(Order)
class OrderAdmin(EndlessAdmin, DeedAdmin):
    """All orders, newest first."""

    list_display = (
        "short_id",
        "status_label",
        "sold",
        "bought",
        "wallet_label",
        "venue",
        "failure_kind",
        "created_at",
    )
    list_display_links = ("short_id",)
    list_select_related = ("input_token", "output_token")
    list_filter = (
        StatusFilter,
        VenueFilter,
        FailureFilter,
        WalletFilter,
        TokenFilter,
        ("created_at", MomentFilter),
    )
    list_filter_submit = True
    search_fields = ("id", "wallet", "signature")
    search_help_text = "Order id, wallet or signature"
    actions = ("retry_selected", "cancel_selected", "fail_selected")
    actions_detail = ("retry", "let_go_on", "fail", "cancel")
    change_form_outer_after_template = "admin/fairlane/order_history.html"
    fieldsets = (
        (None, {"fields": (("status_label", "type"), "whole_wallet", "created_by")}),
        (
            "Terms",
            {
                "fields": (
                    ("sold", "slippage_bps"),
                    ("minimum", "quoted"),
                    ("queued_at", "expires_at"),
                )
            },
        ),
        (
            "Outcome",
            {
                "fields": (
                    ("spent", "received"),
                    ("price", "fee"),
                    ("venue", "tries"),
                    "signature",
                    ("failure_kind", "failure_reason"),
                    ("created_at", "updated_at"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """With the tokens its amounts are written in."""
        return super().get_queryset(request).select_related("input_token", "output_token")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """By whole ids, addresses and signatures, each of which has an index."""
        return _search(queryset, search_term.strip()), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One order with its work, history, quotes and attempts."""
        order = self.get_object(request, object_id)
        context = {**(extra_context or {}), **(sections.of(order) if order else {})}
        return super().change_view(request, object_id, form_url, context)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what makes sense for the order as it is."""
        order = self.get_object(request, str(object_id))
        sensible = OPERATIONS.get(order.status, set()) if order else set()
        return only(super().get_actions_detail(request, object_id), sensible)

    def describe(self, target: Order) -> str:
        return f"{target.id}: {target.status}, {self.sold(target)} to {self.bought(target)}"

    @operation("Retry", icon="replay")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.RETRY, object_id)

    @operation("Let go on", icon="play_arrow")
    def let_go_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.LET_GO_ON, object_id)

    @operation("Fail", icon="dangerous")
    def fail(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.FAIL, object_id)

    @operation("Cancel", icon="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.CANCEL, object_id)

    @operation("Retry, or let go on after a review")
    def retry_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.RETRY)

    @operation("Cancel")
    def cancel_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.CANCEL)

    @operation("Fail after a review")
    def fail_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.FAIL)

    @admin.display(description="order")
    def short_id(self, order: Order) -> SafeString:
        """The end tells orders of one second apart; their beginning is the time."""
        return format_html(
            '<span class="whitespace-nowrap" title="{}">…{}</span>', order.id, str(order.id)[-12:]
        )

    @labelled("status", STATUS_COLOURS)
    def status_label(self, order: Order) -> str:
        return order.status

    @admin.display(description="sells")
    def sold(self, order: Order) -> str:
        return _amount(order.input_amount, order.input_token)

    @admin.display(description="gets")
    def bought(self, order: Order) -> str:
        if order.output_amount is not None:
            return _amount(order.output_amount, order.output_token)
        if order.quoted_amount is not None:
            return f"≈ {_amount(order.quoted_amount, order.output_token)}"
        return str(order.output_token)

    @admin.display(description="at least")
    def minimum(self, order: Order) -> str:
        return _amount(order.min_output_amount, order.output_token)

    @admin.display(description="quoted")
    def quoted(self, order: Order) -> str:
        return _amount(order.quoted_amount, order.output_token)

    @admin.display(description="spent")
    def spent(self, order: Order) -> str:
        return _amount(order.spent_amount, order.input_token)

    @admin.display(description="received")
    def received(self, order: Order) -> str:
        return _amount(order.output_amount, order.output_token)

    @admin.display(description="price")
    def price(self, order: Order) -> str:
        if order.output_amount is None or not order.spent_amount:
            return ""
        sold, bought = order.input_token, order.output_token
        text = price_text(order.output_amount, bought.decimals, order.spent_amount, sold.decimals)
        return f"{text} {bought.symbol} per {sold.symbol}"

    @admin.display(description="network fee")
    def fee(self, order: Order) -> str:
        return "" if order.network_fee is None else f"{order.network_fee} lamports"

    @admin.display(description="wallet")
    def whole_wallet(self, order: Order) -> SafeString:
        """It breaks on a phone's width."""
        return format_html('<span style="word-break: break-all">{}</span>', order.wallet)

    @admin.display(description="wallet")
    def wallet_label(self, order: Order) -> SafeString:
        label = f"{order.wallet[:4]}…{order.wallet[-4:]}"
        return format_html(
            '<span class="whitespace-nowrap" title="{}">{}</span>', order.wallet, label
        )


def _amount(units: int | None, token: Token) -> str:
    return "" if units is None else f"{to_text(units, token.decimals)} {token.symbol}"


def _search(queryset: QuerySet[Order], term: str) -> QuerySet[Order]:
    if not term:
        return queryset
    try:
        return queryset.filter(id=UUID(term))
    except ValueError:
        pass
    wallets = list(Wallet.objects.filter(label__iexact=term).values_list("address", flat=True))
    of_signature = Attempt.objects.filter(signature=term).values_list("order_id", flat=True)
    found = list(of_signature)
    return queryset.filter(id__in=found) if found else queryset.filter(wallet__in=[term, *wallets])
