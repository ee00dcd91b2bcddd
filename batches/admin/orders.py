"""Batch orders: what their owners signed, what was promised, and what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from solders.signature import Signature

from batches import representation
from batches.admin import amounts, deeds, pages
from batches.models import BatchFill, BatchOrder, Transfer
from batches.records import OrderType, Side, TimeInForce
from batches.states import OPEN_ORDER, ORDER
from fairlane.core.admin.base import EndlessAdmin, labelled, only, operation
from fairlane.core.admin.deeds import DeedAdmin

COLOURS = {
    "OPEN": "info",
    "FILLED": "success",
    "REJECTED": "danger",
    "REVIEW": "warning",
}


@admin.register(BatchOrder)
class BatchOrderAdmin(EndlessAdmin, DeedAdmin):
    """All orders, newest first. Only their owners cancel and replace them."""

    list_display = (
        "short_hash",
        "status_label",
        "market",
        "side_text",
        "quantity_text",
        "limit_text",
        "left_text",
        "wallet",
        "created_at",
    )
    list_select_related = ("market",)
    list_filter = (
        pages.choice("status", ORDER.states, dict.fromkeys(OPEN_ORDER, Q(entry__isnull=False))),
        pages.MarketFilter,
    )
    list_filter_submit = True
    search_fields = ("hash",)
    search_help_text = "Hash, wallet or id"
    actions = ("go_on_selected",)
    actions_detail = ("go_on",)
    fieldsets = (
        (None, {"fields": (("market", "status_label"), "reason", "wallet", "created_by")}),
        (
            "Signed",
            {
                "fields": (
                    "whole_hash",
                    ("side_text", "type_text", "time_in_force_text"),
                    ("quantity_text", "limit_text"),
                    ("from_slot", "expiry_slot"),
                    "max_fee_bps",
                    "record_text",
                    "signature_text",
                )
            },
        ),
        (
            "Receipt",
            {"fields": (("receipt_seq", "batch_no"), "receipt_text", "receipt_signature_text")},
        ),
        (
            "Outcome",
            {
                "fields": (
                    ("left_text", "age"),
                    ("escrow_text", "escrow_left_text"),
                    ("batch_link", "cancelling"),
                    "replaces",
                    "fills_table",
                    "transfers_table",
                    "events",
                    ("created_at", "updated_at"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchOrder]:
        """With the market that its amounts are written in."""
        return super().get_queryset(request).select_related("market")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BatchOrder], search_term: str
    ) -> tuple[QuerySet[BatchOrder], bool]:
        """By whole hashes, wallets and ids, each of which has an index."""
        return _search(queryset, search_term.strip()), False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """None where it is known what became of its escrow."""
        found = self.get_object(request, str(object_id))
        sensible = {"go_on"} if found and found.status == "REVIEW" else set()
        return only(super().get_actions_detail(request, object_id), sensible)

    def describe(self, target: BatchOrder) -> str:
        return f"{target}: {target.status}, {target.reason}"

    @operation("Go on", icon="play_arrow")
    def go_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.GO_ON_WITH_ORDER, object_id)

    @operation("Go on")
    def go_on_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.GO_ON_WITH_ORDER)

    @admin.display(description="order")
    def short_hash(self, order: BatchOrder) -> str:
        return pages.short(order)

    @admin.display(description="hash")
    def whole_hash(self, order: BatchOrder) -> str:
        return str(order)

    @labelled("status", COLOURS)
    def status_label(self, order: BatchOrder) -> str:
        return order.status

    @admin.display(description="side")
    def side_text(self, order: BatchOrder) -> str:
        return Side(order.side).name.lower()

    @admin.display(description="type")
    def type_text(self, order: BatchOrder) -> str:
        return OrderType(order.type).name.lower()

    @admin.display(description="time in force")
    def time_in_force_text(self, order: BatchOrder) -> str:
        return TimeInForce(order.time_in_force).name.lower().replace("_", " ")

    @admin.display(description="quantity")
    def quantity_text(self, order: BatchOrder) -> str:
        return amounts.lots(order.market, order.quantity)

    @admin.display(description="left")
    def left_text(self, order: BatchOrder) -> str:
        return amounts.lots(order.market, order.remaining)

    @admin.display(description="limit")
    def limit_text(self, order: BatchOrder) -> str:
        return f"{representation.price(order.market, order.limit)} {order.market.quote_symbol}"

    @admin.display(description="record")
    def record_text(self, order: BatchOrder) -> str:
        return bytes(order.record).hex()

    @admin.display(description="signature")
    def signature_text(self, order: BatchOrder) -> str:
        return str(Signature.from_bytes(bytes(order.signature)))

    @admin.display(description="record")
    def receipt_text(self, order: BatchOrder) -> str:
        return bytes(order.receipt).hex()

    @admin.display(description="signature")
    def receipt_signature_text(self, order: BatchOrder) -> str:
        return str(Signature.from_bytes(bytes(order.receipt_signature)))

    @admin.display(description="escrow")
    def escrow_text(self, order: BatchOrder) -> str:
        return amounts.atoms(order.market, _escrow_mint(order), order.escrow)

    @admin.display(description="escrow left")
    def escrow_left_text(self, order: BatchOrder) -> str:
        return amounts.atoms(order.market, _escrow_mint(order), order.escrow_left)

    @admin.display(description="committed to")
    def batch_link(self, order: BatchOrder) -> SafeString | str:
        return (
            "" if order.batch is None else pages.link("batch", order.batch_id, order.batch.number)
        )

    @admin.display(description="fills")
    def fills_table(self, order: BatchOrder) -> SafeString:
        rows = BatchFill.objects.filter(order=order).select_related("batch").order_by("-batch_id")
        return pages.table(
            ("batch", "traded", "for", "fee"),
            (
                (
                    pages.link("batch", row.batch_id, row.batch.number),
                    amounts.lots(order.market, row.lots),
                    amounts.quote(order.market, row.quote),
                    amounts.quote(order.market, row.fee),
                )
                for row in pages.first(rows)
            ),
        )

    @admin.display(description="transfers")
    def transfers_table(self, order: BatchOrder) -> SafeString:
        rows = Transfer.objects.filter(order=order).select_related("packet").order_by("id")
        return pages.table(
            ("", "amount", "status", "reason", "transaction"),
            (
                (
                    pages.link("transfer", row.id, row.direction),
                    amounts.atoms(order.market, row.mint, row.amount),
                    row.status,
                    row.reason,
                    row.packet and pages.link("packet", row.packet_id, pages.short(row.packet)),
                )
                for row in pages.first(rows.defer("packet__transaction"))
            ),
        )

    @admin.display(description="history")
    def events(self, order: BatchOrder) -> SafeString:
        return pages.history(order.id)


def _escrow_mint(order: BatchOrder) -> str:
    """A buy puts in quote, a sell base."""
    return order.market.quote_mint if order.side == Side.BUY else order.market.base_mint


def _search(queryset: QuerySet[BatchOrder], term: str) -> QuerySet[BatchOrder]:
    if not term:
        return queryset
    hash_, id_ = pages.as_hash(term), pages.as_id(term)
    if hash_ is not None:
        return queryset.filter(hash=hash_)
    return queryset.filter(wallet=term) if id_ is None else queryset.filter(id=id_)
