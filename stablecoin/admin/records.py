"""What was heard, booked and compared: looked at, never changed."""

from __future__ import annotations

from django.contrib import admin

from fairlane.core.admin.base import EndlessAdmin, OperatedAdmin, labelled
from stablecoin.admin.amounts import tokens
from stablecoin.models import (
    ChainLog,
    KuroEvent,
    LedgerBalance,
    LedgerEntry,
    Reconciliation,
    Relayer,
)


@admin.register(KuroEvent)
class KuroEventAdmin(EndlessAdmin):
    """Frames of the compliance service."""

    list_display = ("id", "outcome_label", "request_id", "reason", "created_at")
    list_filter = ("outcome",)
    fields = ("outcome", "reason", "request_id", "frame", "created_at")

    @labelled("outcome", {"accepted": "success", "conflict": "danger", "rejected": "warning"})
    def outcome_label(self, event: KuroEvent) -> str:
        return event.outcome


@admin.register(ChainLog)
class ChainLogAdmin(EndlessAdmin):
    """Events of the contracts."""

    list_display = ("block_number", "chain_id", "kind", "request_id", "wallet", "total", "problem")
    list_filter = ("chain", "kind")
    ordering = ("-id",)

    @admin.display(description="amount")
    def total(self, log: ChainLog) -> str:
        return tokens(log.amount)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(EndlessAdmin):
    """Both sides of every posting."""

    list_display = ("id", "chain_id", "account", "total", "log_id", "created_at")
    list_filter = ("chain", "account")
    ordering = ("-id",)

    @admin.display(description="amount")
    def total(self, entry: LedgerEntry) -> str:
        return tokens(entry.amount)


@admin.register(LedgerBalance)
class LedgerBalanceAdmin(OperatedAdmin):
    """What the entries add up to."""

    list_display = ("chain_id", "account", "total")

    @admin.display(description="balance")
    def total(self, balance: LedgerBalance) -> str:
        return tokens(balance.amount)


@admin.register(Reconciliation)
class ReconciliationAdmin(OperatedAdmin):
    """Chain and ledger, side by side."""

    list_display = ("chain_id", "block_number", "state", "on_chain", "in_ledger", "at")

    @labelled("state", {"agree": "success", "differ": "danger"})
    def state(self, row: Reconciliation) -> str:
        return "agree" if row.differs_since is None else "differ"

    @admin.display(description="supply on chain")
    def on_chain(self, row: Reconciliation) -> str:
        return tokens(row.supply_on_chain)

    @admin.display(description="supply in the ledger")
    def in_ledger(self, row: Reconciliation) -> str:
        return tokens(row.supply_in_ledger)


@admin.register(Relayer)
class RelayerAdmin(OperatedAdmin):
    """The gas wallets."""

    list_display = ("chain", "address", "next_nonce", "coins", "error", "updated_at")

    @admin.display(description="balance")
    def coins(self, relayer: Relayer) -> str:
        return tokens(relayer.balance)
