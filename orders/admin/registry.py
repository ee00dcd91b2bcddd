"""Tokens and wallets: what orders may name."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from fairlane.core.admin.base import AuditedAdmin
from orders import registry
from orders.models import Token, Wallet


class RegistryAdmin(AuditedAdmin):
    """Rows that orders name: their identity is fixed, and they are never deleted."""

    identity: tuple[str, ...] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.identity if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: orders name them. They are made inactive instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(registry.forget)


@admin.register(Token)
class TokenAdmin(RegistryAdmin):
    """What may be swapped; amounts of orders are counted in these decimals."""

    identity = ("mint", "symbol", "decimals", "token2022")
    list_display = ("symbol", "name", "mint", "decimals", "token2022", "active")
    list_filter = ("active", "token2022")
    search_fields = ("symbol", "name", "mint")
    fields = ("symbol", "name", "mint", "decimals", "token2022", "active")


@admin.register(Wallet)
class WalletAdmin(RegistryAdmin):
    """The wallets whose keys the workers hold."""

    identity = ("address",)
    list_display = ("address", "label", "active")
    list_filter = ("active",)
    search_fields = ("label", "address")
    fields = ("label", "address", "active")
