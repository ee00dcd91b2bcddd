"""Requests and their transactions: found, looked at, and helped along."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from fairlane.core.admin.base import EndlessAdmin, labelled, only, operation
from fairlane.core.admin.deeds import DeedAdmin
from stablecoin.admin import deeds
from stablecoin.admin.amounts import tokens
from stablecoin.models import Attempt, Request, Transaction

COLOURS = {
    "COMPLETED": "success",
    "FAILED": "danger",
    "REJECTED": "danger",
    "REVIEW": "warning",
    "AWAITING_APPROVAL": "warning",
}

# The deeds that make sense for a request of this status; the services decide in the end.
OPERATIONS = {
    "AWAITING_APPROVAL": {"agree", "decline"},
    "FAILED": {"go_on"},
    "REVIEW": {"go_on", "fail"},
}


@admin.register(Request)
class RequestAdmin(EndlessAdmin, DeedAdmin):
    """All requests, newest first."""

    list_display = ("request_id", "status_label", "kind", "chain", "total", "wallet", "created_at")
    list_select_related = ("chain",)
    list_filter = ("status", "kind", "chain")
    search_fields = ("request_id", "wallet")
    search_help_text = "Id, request id, account or transaction hash"
    actions = ("agree_selected",)
    actions_detail = ("agree", "decline", "go_on", "fail")
    fieldsets = (
        (None, {"fields": (("status_label", "rule"), ("kind", "chain"), "request_id")}),
        ("Terms", {"fields": ("wallet", "total", ("reference", "source"), "created_by")}),
        (
            "Outcome",
            {
                "fields": (
                    "transaction_hash",
                    ("block_number", "lock_hash"),
                    ("failure_kind", "failure_reason"),
                    "consents_text",
                    ("created_at", "updated_at"),
                )
            },
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Request], search_term: str
    ) -> tuple[QuerySet[Request], bool]:
        """By whole ids, accounts and hashes, each of which has an index."""
        return _search(queryset, search_term.strip()), False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what makes sense for the request as it is."""
        found = self.get_object(request, str(object_id))
        sensible = OPERATIONS.get(found.status, set()) if found else set()
        return only(super().get_actions_detail(request, object_id), sensible)

    def describe(self, target: Request) -> str:
        return (
            f"{target.kind} of {tokens(target.amount)} for {target.wallet} on {target.chain_id}:"
            f" {target.status}"
        )

    @operation("Agree", icon="how_to_reg")
    def agree(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.AGREE, object_id)

    @operation("Decline", icon="block")
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.DECLINE, object_id)

    @operation("Go on", icon="play_arrow")
    def go_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.RETRY, object_id)

    @operation("Fail", icon="dangerous")
    def fail(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.FAIL, object_id)

    @operation("Agree")
    def agree_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.AGREE)

    @labelled("status", COLOURS)
    def status_label(self, row: Request) -> str:
        return row.status

    @admin.display(description="amount")
    def total(self, row: Request) -> str:
        return tokens(row.amount)

    @admin.display(description="people")
    def consents_text(self, row: Request) -> str:
        consents = row.consents.select_related("user").order_by("at")
        return "; ".join(f"{c.user}: {'yes' if c.agreed else 'no'}, {c.reason}" for c in consents)


@admin.register(Transaction)
class TransactionAdmin(EndlessAdmin, DeedAdmin):
    """What the relayers sent. The signed bytes are nobody's to read: they carry approvals."""

    list_display = ("relayer", "nonce", "state_label", "request", "mined_hash", "created_at")
    list_select_related = ("relayer", "request")
    list_filter = ("state",)
    actions_detail = ("speed_up", "cancel")
    fields = (
        ("relayer", "nonce"),
        ("state", "wish"),
        "request",
        ("mined_hash", "block_number"),
        ("succeeded", "gas", "gas_used"),
        "attempts_text",
        "created_at",
    )

    @operation("Speed up", icon="fast_forward")
    def speed_up(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.SPEED_UP, object_id)

    @operation("Cancel", icon="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.CANCEL, object_id)

    @labelled("state", {"FINAL": "success", "REPLACED": "danger", "MINED": "info"})
    def state_label(self, row: Transaction) -> str:
        return row.state

    @admin.display(description="attempts")
    def attempts_text(self, row: Transaction) -> str:
        found = Attempt.objects.filter(transaction=row).defer("raw").order_by("number")
        return "; ".join(
            f"{a.number}: {a.hash}, at most {a.max_fee} wei, {a.answer}" for a in found
        )


def _search(queryset: QuerySet[Request], term: str) -> QuerySet[Request]:
    if not term:
        return queryset
    try:
        return queryset.filter(id=UUID(term))
    except ValueError:
        pass
    carried = list(
        Attempt.objects.filter(hash=term.lower()).values_list("transaction__request_id", flat=True)
    )
    if carried:
        return queryset.filter(id__in=carried)
    named = queryset.filter(request_id=term)
    return named if named.exists() else queryset.filter(wallet=term)
