"""Ticks with their anchors, and the block space that was asked for."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from batches.admin import deeds, pages
from batches.models import Batch, Lane, Packet, Reservation, ReservationReceipt, Tick
from batches.models.reservations import STATES
from batches.states import TICK
from fairlane.core.admin.base import EndlessAdmin, labelled, only, operation
from fairlane.core.admin.deeds import DeedAdmin

TICK_COLOURS = {"SETTLED": "success", "FAILED": "danger", "REVIEW": "warning"}
STATE_COLOURS = {
    "WON": "success",
    "INCLUDED": "success",
    "REJECTED": "danger",
    "REVERTED": "danger",
    "FAILED": "danger",
    "EXPIRED_UNUSED": "warning",
}


@admin.register(Tick)
class TickAdmin(EndlessAdmin, DeedAdmin):
    """All ticks, newest first. The signed anchor is left out: its signature names it."""

    list_display = (
        "number",
        "status_label",
        "cadence_ms",
        "target_slot",
        "cutoff_slot",
        "lane",
        "batches",
        "anchor_slot",
    )
    list_filter = (pages.choice("status", TICK.states), pages.choice("lane", Lane.values))
    list_filter_submit = True
    search_fields = ("number",)
    search_help_text = "Number, id or the anchor's signature"
    actions = ("go_on_selected",)
    actions_detail = ("go_on",)
    fields = (
        ("number", "cadence_ms"),
        ("status_label", "lane"),
        "last_error",
        ("target_slot", "cutoff_slot"),
        "root_text",
        "previous_text",
        "anchor_signature",
        ("anchor_slot", "anchor_first_slot"),
        "batches_table",
        "reservations_table",
        "packets_table",
        "events",
        ("created_at", "updated_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tick]:
        return super().get_queryset(request).defer("anchor_transaction")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Tick], search_term: str
    ) -> tuple[QuerySet[Tick], bool]:
        """By what has an index."""
        return _search_ticks(queryset, search_term.strip()), False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """None where it goes on by itself."""
        found = self.get_object(request, str(object_id))
        sensible = {"go_on"} if found and found.status == "REVIEW" else set()
        return only(super().get_actions_detail(request, object_id), sensible)

    def describe(self, target: Tick) -> str:
        return f"Tick {target.number}: {target.status}, {pages.last_error(target.id)}"

    @operation("Go on", icon="play_arrow")
    def go_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.GO_ON_WITH_TICK, object_id)

    @operation("Go on")
    def go_on_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.GO_ON_WITH_TICK)

    @admin.display(description="last error")
    def last_error(self, tick: Tick) -> str:
        return pages.last_error(tick.id)

    @labelled("status", TICK_COLOURS)
    def status_label(self, tick: Tick) -> str:
        return tick.status

    @admin.display(description="root")
    def root_text(self, tick: Tick) -> str:
        return bytes(tick.root or b"").hex()

    @admin.display(description="root of the tick before")
    def previous_text(self, tick: Tick) -> str:
        return bytes(tick.previous or b"").hex()

    @admin.display(description="batches")
    def batches_table(self, tick: Tick) -> SafeString:
        rows = Batch.objects.filter(tick=tick).select_related("market").defer("leaves", "header")
        return pages.table(
            ("batch", "status", "orders", "fills", "reason"),
            (
                (
                    pages.link("batch", row.id, f"{row.market.name}/{row.number}"),
                    row.status,
                    row.orders,
                    row.fills,
                    row.reason,
                )
                for row in pages.first(rows.order_by("index", "market__name"))
            ),
        )

    @admin.display(description="reservations")
    def reservations_table(self, tick: Tick) -> SafeString:
        rows = pages.first(tick.reservations.order_by("-created_at"))
        return pages.table(
            ("slot", "state", "lamports charged", "reason"),
            (
                (pages.link("reservation", row.id, row.slot), row.state, row.charged, row.reason)
                for row in rows
            ),
        )

    @admin.display(description="settlement")
    def packets_table(self, tick: Tick) -> SafeString:
        rows = Packet.objects.filter(tick=tick).defer("transaction").order_by("id")
        return pages.table(
            ("transaction", "status", "slot", "error"),
            (
                (pages.link("packet", row.id, pages.short(row)), row.status, row.slot, row.error)
                for row in pages.first(rows)
            ),
        )

    @admin.display(description="history")
    def events(self, tick: Tick) -> SafeString:
        return pages.history(tick.id)


@admin.register(Reservation)
class ReservationAdmin(EndlessAdmin):
    """Slots that were asked for, newest first, with what the venue told of them."""

    list_display = ("slot", "state_label", "tick_link", "units", "price", "charged", "created_at")
    list_select_related = ("tick",)
    list_filter = (pages.choice("state", STATES),)
    list_filter_submit = True
    ordering = ("-id",)
    search_fields = ("venue_id",)
    search_help_text = "Id here or at the venue"
    fields = (
        ("slot", "state_label"),
        "tick_link",
        "venue_id",
        ("units", "price"),
        "charged",
        "reason",
        "receipts",
        ("created_at", "updated_at"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Reservation], search_term: str
    ) -> tuple[QuerySet[Reservation], bool]:
        """By what has an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        id_ = pages.as_id(term)
        mine = queryset.filter(id=id_) if id_ is not None else queryset.none()
        return (mine if mine.exists() else queryset.filter(venue_id=term)), False

    @labelled("state", STATE_COLOURS)
    def state_label(self, row: Reservation) -> str:
        return row.state

    @admin.display(description="tick")
    def tick_link(self, row: Reservation) -> SafeString:
        return pages.link("tick", row.tick_id, row.tick.number)

    @admin.display(description="receipts")
    def receipts(self, row: Reservation) -> SafeString:
        found = ReservationReceipt.objects.none()
        if row.venue_id:
            found = ReservationReceipt.objects.filter(venue_id=row.venue_id).order_by("seq")
        return pages.table(
            ("seq", "kind", "slot", "lamports charged", "reason", "at"),
            ((r.seq, r.kind, r.slot, r.charged, r.reason, r.at) for r in pages.first(found)),
        )


def _search_ticks(queryset: QuerySet[Tick], term: str) -> QuerySet[Tick]:
    if not term:
        return queryset
    id_, number = pages.as_id(term), pages.as_number(term)
    if id_ is not None:
        return queryset.filter(id=id_)
    if number is not None:
        return queryset.filter(number=number)
    return queryset.filter(anchor_signature=term)
