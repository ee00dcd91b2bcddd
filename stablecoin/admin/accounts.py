"""Chains with their limits, and accounts with their rules: what people decide."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from fairlane.core.admin.base import AuditedAdmin
from stablecoin import registry
from stablecoin.admin.amounts import tokens
from stablecoin.models import AddressRule, Chain

LIMITS = ("per_request_cap", "per_address_daily_cap", "daily_cap", "four_eyes_above")


@admin.register(Chain)
class ChainAdmin(AuditedAdmin):
    """Limits, in base units. Where the contract is, its deployment decides."""

    list_display = ("chain_id", "name", "contract", "request_cap", "day_cap", "people_above")
    fields = (
        ("chain_id", "name", "profile"),
        "contract",
        "kyc_registry",
        *LIMITS,
        "allow_listed_only",
    )
    readonly_fields = ("chain_id", "name", "profile", "contract", "kyc_registry")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(registry.forget)

    @admin.display(description="per request")
    def request_cap(self, chain: Chain) -> str:
        return tokens(chain.per_request_cap)

    @admin.display(description="per day")
    def day_cap(self, chain: Chain) -> str:
        return tokens(chain.daily_cap)

    @admin.display(description="two people above")
    def people_above(self, chain: Chain) -> str:
        return tokens(chain.four_eyes_above)


@admin.register(AddressRule)
class AddressRuleAdmin(AuditedAdmin):
    """Who is allowed or denied, on every chain."""

    list_display = ("wallet", "effect", "reason")
    list_filter = ("effect",)
    search_fields = ("wallet",)
