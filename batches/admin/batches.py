"""Batches: looked at, and called off before they have cleared."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from batches import representation
from batches.admin import amounts, deeds, pages
from batches.models import Batch, BatchFill, Transfer
from batches.records import Side
from batches.states import BATCH, OPEN_BATCH
from fairlane.core.admin.base import EndlessAdmin, labelled, operation
from fairlane.core.admin.deeds import Deed, DeedAdmin

GONE = "There is no such batch: one in which nobody had an order is not kept."
COLOURS = {
    "CLOSED": "info",
    "COMMITTED": "info",
    "CLEARED": "primary",
    "SETTLED": "success",
    "ROLLED": "warning",
    "VOIDED": "danger",
}


@admin.register(Batch)
class BatchAdmin(EndlessAdmin, DeedAdmin):
    """All batches, newest first."""

    list_display = (
        "number",
        "market",
        "status_label",
        "orders",
        "price_text",
        "volume_text",
        "fills",
        "slot",
        "reason",
    )
    list_select_related = ("market", "tick")
    list_filter = (pages.choice("status", BATCH.states), pages.MarketFilter)
    list_filter_submit = True
    search_fields = ("number",)
    search_help_text = "Number, MARKET/NUMBER or id"
    actions = ("roll_selected", "void_selected")
    actions_detail = ("roll", "void")
    fieldsets = (
        (None, {"fields": (("market", "number"), ("status_label", "tick_link"), "reason")}),
        (
            "Commitment",
            {"fields": (("orders", "index"), ("slot", "cutoff"), "root", "anchor")},
        ),
        (
            "Outcome",
            {
                "fields": (
                    ("price_text", "volume_text"),
                    ("turnover_text", "fees_text"),
                    ("pool_used", "pool_text"),
                    "result",
                    "fills_table",
                    "payouts",
                    "events",
                    ("created_at", "updated_at"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        """With market and tick, without the bytes that only proofs need."""
        found = super().get_queryset(request).select_related("market", "tick")
        return found.defer("leaves", "tick__anchor_transaction")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return self._gone(request)
        return super().change_view(request, object_id, form_url, extra_context)

    def on_one(self, request: HttpRequest, deed: Deed, key: str) -> HttpResponse:
        if self.get_object(request, key) is None:
            return self._gone(request)
        return super().on_one(request, deed, key)

    def _gone(self, request: HttpRequest) -> HttpResponse:
        self.message_user(request, GONE, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:batches_batch_changelist"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Batch], search_term: str
    ) -> tuple[QuerySet[Batch], bool]:
        """By what has an index."""
        return _search(queryset, search_term.strip()), False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """None where the fills are fixed."""
        batch = self.get_object(request, str(object_id))
        if batch is None or batch.status not in OPEN_BATCH:
            return []
        return super().get_actions_detail(request, object_id)

    def describe(self, target: Batch) -> str:
        return f"{target.market.name}/{target.number}: {target.status}, {target.orders} orders"

    @operation("Roll", icon="redo")
    def roll(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.ROLL, object_id)

    @operation("Void", icon="block")
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.VOID, object_id)

    @operation("Roll")
    def roll_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.ROLL)

    @operation("Void")
    def void_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.VOID)

    @labelled("status", COLOURS)
    def status_label(self, batch: Batch) -> str:
        return batch.status

    @admin.display(description="tick")
    def tick_link(self, batch: Batch) -> SafeString:
        return pages.link("tick", batch.tick_id, batch.tick.number)

    @admin.display(description="slot")
    def slot(self, batch: Batch) -> int | None:
        return batch.tick.target_slot

    @admin.display(description="cutoff slot")
    def cutoff(self, batch: Batch) -> int | None:
        return batch.tick.cutoff_slot

    @admin.display(description="anchor")
    def anchor(self, batch: Batch) -> str:
        return batch.tick.anchor_signature or ""

    @admin.display(description="root")
    def root(self, batch: Batch) -> str:
        return representation.root(batch) or ""

    @admin.display(description="price")
    def price_text(self, batch: Batch) -> str:
        if not batch.price:
            return ""
        return f"{representation.price(batch.market, batch.price)} {batch.market.quote_symbol}"

    @admin.display(description="volume")
    def volume_text(self, batch: Batch) -> str:
        return amounts.lots(batch.market, batch.volume)

    @admin.display(description="turnover")
    def turnover_text(self, batch: Batch) -> str:
        return amounts.quote(batch.market, batch.turnover)

    @admin.display(description="fees")
    def fees_text(self, batch: Batch) -> str:
        return amounts.quote(batch.market, batch.fees)

    @admin.display(description="the pool's part")
    def pool_text(self, batch: Batch) -> str:
        lots = amounts.lots(batch.market, batch.pool_lots)
        return f"{lots} for {amounts.quote(batch.market, batch.pool_quote)}"

    @admin.display(description="root of the fills")
    def result(self, batch: Batch) -> str:
        return bytes(batch.result_root or b"").hex()

    @admin.display(description="fills")
    def fills_table(self, batch: Batch) -> SafeString:
        rows = BatchFill.objects.filter(batch=batch).select_related("order").order_by("order")
        return pages.table(
            ("order", "", "traded", "for", "fee"),
            (
                (
                    pages.link("batchorder", row.order_id, pages.short(row.order)),
                    "buys" if row.order.side == Side.BUY else "sells",
                    amounts.lots(batch.market, row.lots),
                    amounts.quote(batch.market, row.quote),
                    amounts.quote(batch.market, row.fee),
                )
                for row in pages.first(rows)
            ),
        )

    @admin.display(description="payouts")
    def payouts(self, batch: Batch) -> SafeString:
        rows = Transfer.objects.filter(batch=batch).order_by("id")
        return pages.table(
            ("to", "amount", "status", "reason"),
            (
                (
                    pages.link("transfer", row.id, row.wallet),
                    amounts.atoms(batch.market, row.mint, row.amount),
                    row.status,
                    row.reason,
                )
                for row in pages.first(rows)
            ),
        )

    @admin.display(description="history")
    def events(self, batch: Batch) -> SafeString:
        return pages.history(batch.id)


def _search(queryset: QuerySet[Batch], term: str) -> QuerySet[Batch]:
    if not term:
        return queryset
    id_ = pages.as_id(term)
    if id_ is not None:
        return queryset.filter(id=id_)
    market, _, rest = term.rpartition("/")
    number = pages.as_number(rest)
    if number is None:
        return queryset.none()
    found = queryset.filter(number=number)
    return found.filter(market__name=market) if market else found
