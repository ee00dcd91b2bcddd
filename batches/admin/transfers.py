"""Money on its way between owners and the vault: what is in review waits for a person."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from batches.admin import amounts, deeds, pages
from batches.models import Direction, Packet, Transfer
from batches.states import PACKET, TRANSFER
from fairlane.core.admin.base import EndlessAdmin, labelled, only, operation
from fairlane.core.admin.deeds import DeedAdmin

COLOURS = {
    "DONE": "success",
    "CONFIRMED": "success",
    "FAILED": "danger",
    "EXPIRED": "danger",
    "REVIEW": "warning",
}


@admin.register(Transfer)
class TransferAdmin(EndlessAdmin, DeedAdmin):
    """Amounts that owners pay in or are paid, newest first."""

    list_display = (
        "created_at",
        "direction",
        "status_label",
        "total",
        "wallet",
        "market",
        "tries",
        "reason",
    )
    list_select_related = ("market",)
    list_filter = (
        pages.choice("status", TRANSFER.states),
        pages.choice("direction", Direction.values),
        pages.MarketFilter,
    )
    list_filter_submit = True
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = "Id, transaction signature or order hash"
    actions = ("look_again_selected", "try_again_selected", "pay_anyway_selected")
    actions_detail = ("look_again", "try_again", "pay_anyway")
    fields = (
        ("direction", "status_label"),
        "reason",
        "last_error",
        ("total", "market"),
        "mint",
        "wallet",
        "batch_link",
        "order_link",
        "packet_link",
        ("position", "tries"),
        "opens_account",
        "created_at",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Transfer], search_term: str
    ) -> tuple[QuerySet[Transfer], bool]:
        """By what has an index."""
        return _search(queryset, search_term.strip()), False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What is unknown is looked up; what is known not to have happened is done again."""
        found = self.get_object(request, str(object_id))
        return only(super().get_actions_detail(request, object_id), _sensible(found))

    def describe(self, target: Transfer) -> str:
        amount = amounts.atoms(target.market, target.mint, target.amount)
        return f"{target.direction} {amount} for {target.wallet}: {target.status}, {target.reason}"

    @operation("Look again", icon="search")
    def look_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.LOOK_FOR, object_id)

    @operation("Try again", icon="redo")
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.TRY_AGAIN, object_id)

    @operation("Pay anyway", icon="payments")
    def pay_anyway(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.PAY_ANYWAY, object_id)

    @operation("Look again")
    def look_again_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.LOOK_FOR)

    @operation("Try again")
    def try_again_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.TRY_AGAIN)

    @operation("Pay anyway")
    def pay_anyway_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.PAY_ANYWAY)

    @admin.display(description="last error")
    def last_error(self, row: Transfer) -> str:
        return pages.last_error(row.id)

    @labelled("status", COLOURS)
    def status_label(self, row: Transfer) -> str:
        return row.status

    @admin.display(description="amount")
    def total(self, row: Transfer) -> str:
        return amounts.atoms(row.market, row.mint, row.amount)

    @admin.display(description="batch that it pays")
    def batch_link(self, row: Transfer) -> SafeString | str:
        return "" if row.batch is None else pages.link("batch", row.batch_id, row.batch.number)

    @admin.display(description="order whose escrow it is")
    def order_link(self, row: Transfer) -> SafeString | str:
        return "" if row.order is None else pages.link("batchorder", row.order_id, row.order)

    @admin.display(description="transaction")
    def packet_link(self, row: Transfer) -> SafeString | str:
        return "" if row.packet is None else pages.link("packet", row.packet_id, row.packet)


# What a transaction under review carries waits with it.
_CARRIES_REVIEWED = Q(id__in=Transfer.objects.filter(status="REVIEW").values("packet_id"))


@admin.register(Packet)
class PacketAdmin(EndlessAdmin, DeedAdmin):
    """Transactions of transfers, newest first, without their bytes: the signature names one."""

    list_display = ("short", "direction", "status_label", "slot", "error", "sent_at", "created_at")
    list_filter = (
        pages.choice("status", PACKET.states, {"REVIEW": _CARRIES_REVIEWED}),
        pages.choice("direction", Direction.values),
    )
    list_filter_submit = True
    ordering = ("-id",)
    search_fields = ("signature",)
    search_help_text = "Signature or id"
    actions = ("look_again_selected",)
    actions_detail = ("look_again", "accept")
    fields = (
        "signature",
        ("direction", "status_label"),
        "error",
        "last_error",
        "tick_link",
        ("slot", "fee"),
        ("first_slot", "last_valid_block_height"),
        "transfers_table",
        ("sent_at", "looked_at", "created_at"),
        "accepted",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Packet]:
        return super().get_queryset(request).defer("transaction")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Packet], search_term: str
    ) -> tuple[QuerySet[Packet], bool]:
        """By what has an index."""
        term = search_term.strip()
        id_ = pages.as_id(term)
        if id_ is not None:
            return queryset.filter(id=id_), False
        return (queryset.filter(signature=term) if term else queryset), False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """None where it is known what happened."""
        found = self.get_object(request, str(object_id))
        sensible = {"look_again", "accept"} if found and found.status == "REVIEW" else set()
        return only(super().get_actions_detail(request, object_id), sensible)

    def describe(self, target: Packet) -> str:
        return f"{target.signature}: {target.status}, {target.error}"

    @operation("Look again", icon="search")
    def look_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.LOOK_AGAIN, object_id)

    @operation("Take as it is", icon="done")
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.ACCEPT, object_id)

    @operation("Look again")
    def look_again_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.LOOK_AGAIN)

    @admin.display(description="last error")
    def last_error(self, packet: Packet) -> str:
        return pages.last_error(packet.id)

    @admin.display(description="transaction")
    def short(self, packet: Packet) -> str:
        return pages.short(packet)

    @labelled("status", COLOURS)
    def status_label(self, packet: Packet) -> str:
        return packet.status

    @admin.display(description="tick that it settles")
    def tick_link(self, packet: Packet) -> SafeString | str:
        return "" if packet.tick is None else pages.link("tick", packet.tick_id, packet.tick.number)

    @admin.display(description="transfers")
    def transfers_table(self, packet: Packet) -> SafeString:
        rows = Transfer.objects.filter(packet=packet).select_related("market").order_by("position")
        return pages.table(
            ("owner", "amount", "status", "reason"),
            (
                (
                    pages.link("transfer", row.id, row.wallet),
                    amounts.atoms(row.market, row.mint, row.amount),
                    row.status,
                    row.reason,
                )
                for row in pages.first(rows)
            ),
        )


def _sensible(row: Transfer | None) -> set[str]:
    """The deeds that make sense for a transfer; the services decide in the end."""
    if row is None or row.status not in ("DUE", "REVIEW"):
        return set()
    if row.status == "DUE":
        return {"pay_anyway"} if row.reason and row.direction == Direction.PAY else set()
    if row.packet is not None and row.packet.status == "REVIEW":
        return {"look_again"}
    return {"try_again", "pay_anyway"} if row.direction == Direction.PAY else {"try_again"}


def _search(queryset: QuerySet[Transfer], term: str) -> QuerySet[Transfer]:
    if not term:
        return queryset
    hash_, id_ = pages.as_hash(term), pages.as_id(term)
    if hash_ is not None:
        return queryset.filter(order__hash=hash_)
    return queryset.filter(packet__signature=term) if id_ is None else queryset.filter(id=id_)
