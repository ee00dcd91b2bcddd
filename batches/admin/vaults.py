"""The vault's books, and what they were compared with: looked at, never changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from batches.admin import amounts, pages
from batches.models import Account, VaultBalance, VaultCheck, VaultEntry
from fairlane.core.admin.base import EndlessAdmin, OperatedAdmin, labelled
from orders.amounts import to_text


@admin.register(VaultEntry)
class VaultEntryAdmin(EndlessAdmin):
    """Both sides of every posting, newest first."""

    list_display = ("id", "market", "account", "total", "reference", "created_at")
    list_select_related = ("market",)
    list_filter = (pages.choice("account", Account.values), pages.MarketFilter)
    list_filter_submit = True
    ordering = ("-id",)
    search_fields = ("reference",)
    search_help_text = "The whole reference, such as packet:…"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[VaultEntry], search_term: str
    ) -> tuple[QuerySet[VaultEntry], bool]:
        """By the whole reference, which has an index."""
        term = search_term.strip()
        return (queryset.filter(reference=term) if term else queryset), False

    @admin.display(description="amount")
    def total(self, row: VaultEntry) -> str:
        return amounts.atoms(row.market, row.mint, row.amount)


@admin.register(VaultBalance)
class VaultBalanceAdmin(OperatedAdmin):
    """What the entries add up to, market by market."""

    list_display = ("market", "account", "total", "mint")
    list_select_related = ("market",)
    list_filter = (pages.choice("account", Account.values), pages.MarketFilter)
    list_filter_submit = True
    ordering = ("market__name", "mint", "account")

    @admin.display(description="balance")
    def total(self, row: VaultBalance) -> str:
        return amounts.atoms(row.market, row.mint, row.amount)


@admin.register(VaultCheck)
class VaultCheckAdmin(OperatedAdmin):
    """Vault and ledger, side by side."""

    list_display = ("token", "state", "vault", "ledger", "beyond", "slot", "at", "mint")
    fields = (
        "token",
        "mint",
        "state",
        ("vault", "ledger", "beyond"),
        "differs_since",
        ("slot", "at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[VaultCheck]:
        """With the tokens its amounts are written in."""
        return amounts.with_token(super().get_queryset(request))

    @labelled("state", {"agree": "success", "more": "info", "lacks": "danger"})
    def state(self, row: VaultCheck) -> str:
        if row.differs_since is not None:
            return "lacks"
        return "more" if row.difference else "agree"

    @admin.display(description="token")
    def token(self, row: Any) -> str:
        return str(row.symbol)

    @admin.display(description="in the vault")
    def vault(self, row: Any) -> str:
        return to_text(int(row.on_chain), row.decimals)

    @admin.display(description="in the ledger")
    def ledger(self, row: Any) -> str:
        return to_text(int(row.in_ledger), row.decimals)

    @admin.display(description="beyond the ledger")
    def beyond(self, row: Any) -> str:
        return to_text(int(row.difference), row.decimals)
