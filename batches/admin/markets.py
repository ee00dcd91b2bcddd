"""Markets: looked at, paused, closed, and open again. `create_market` opens them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from batches import fees, representation, reserves
from batches.admin import amounts, deeds
from batches.models import Market, VaultCheck
from batches.reserves import Reserves
from fairlane.core import switches
from fairlane.core.admin.base import labelled, only, operation
from fairlane.core.admin.deeds import DeedAdmin
from fairlane.core.models import Switch


@admin.register(Market)
class MarketAdmin(DeedAdmin):
    """All markets with their terms, which stay as they are: orders are signed for them."""

    list_display = ("name", "state", "price", "fee_bps", "cadence_ms", "lot_text", "tick_text")
    search_fields = ("name",)
    actions = ("pause_selected", "resume_selected")
    actions_detail = (
        "pause",
        "resume",
        "close",
        "reopen",
        "use_pool",
        "leave_pool",
        "drain_pool",
    )
    fieldsets = (
        (None, {"fields": (("state", "active"), "reason", "vaults", "price")}),
        (
            "Terms",
            {
                "fields": (
                    "address",
                    "base_mint",
                    "quote_mint",
                    ("lot_text", "tick_text"),
                    ("fee_bps", "collar_bps"),
                    ("least", "cap", "max_open_orders"),
                    ("cadence_ms", "lock_ms"),
                    ("look_ahead", "cutoff_lead_ms"),
                    ("uses_pool", "pool_fee_bps"),
                    "pool",
                    "earned",
                )
            },
        ),
        (
            "Keys and counters",
            {
                "fields": (
                    "coordinator",
                    "receipt_key",
                    ("planned_until", "receipt_seq"),
                    "created_at",
                )
            },
        ),
    )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what changes something."""
        market = self.get_object(request, str(object_id))
        sensible = {"resume" if market and _switch(market) else "pause"}
        if market:
            sensible.add("close" if market.active else "reopen")
            sensible.add("leave_pool" if market.uses_pool else "use_pool")
            if reserves.held([market.id])[market.id] != Reserves():
                sensible.add("drain_pool")
        return only(super().get_actions_detail(request, object_id), sensible)

    def describe(self, target: Market) -> str:
        parts = [f"{target.name}: {self.state(target)}", self.reason(target), self.vaults(target)]
        return "; ".join(part for part in parts if part)

    @operation("Pause", icon="pause")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.PAUSE, object_id)

    @operation("Resume", icon="play_arrow")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.RESUME, object_id)

    @operation("Close", icon="lock")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.CLOSE_MARKET, object_id)

    @operation("Open again", icon="lock_open")
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.REOPEN_MARKET, object_id)

    @operation("Use the pool", icon="water_drop")
    def use_pool(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.USE_POOL, object_id)

    @operation("Leave the pool out", icon="format_color_reset")
    def leave_pool(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.LEAVE_POOL, object_id)

    @operation("Drain the pool", icon="logout")
    def drain_pool(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, deeds.DRAIN_POOL, object_id)

    @operation("Pause")
    def pause_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.PAUSE)

    @operation("Resume")
    def resume_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self.on_selected(request, deeds.RESUME)

    @labelled("state", {"trading": "success", "paused": "danger", "closed": "warning"})
    def state(self, market: Market) -> str:
        if not market.active:
            return "closed"
        return "trading" if switches.is_on(market.switch) else "paused"

    @admin.display(description="why it is paused")
    def reason(self, market: Market) -> str:
        off = _switch(market)
        return f"{off.by}: {off.reason}" if off else ""

    @admin.display(description="vaults that lack what the ledger says")
    def vaults(self, market: Market) -> str:
        its = Q(mint=market.base_mint) | Q(mint=market.quote_mint)
        checks = VaultCheck.objects.filter(its).exclude(differs_since=None).order_by("mint")
        return "; ".join(
            f"{amounts.atoms(market, c.mint, c.on_chain)} in the vault,"
            f" {amounts.atoms(market, c.mint, c.in_ledger)} in the ledger"
            for c in checks
        )

    @admin.display(description="what the pool holds")
    def pool(self, market: Market) -> str:
        its = reserves.held([market.id])[market.id]
        base = amounts.atoms(market, market.base_mint, its.base)
        return f"{base} and {amounts.quote(market, its.quote)}"

    @admin.display(description="fees in the vault")
    def earned(self, market: Market) -> str:
        its = fees.held(market).items()
        return " and ".join(amounts.atoms(market, mint, amount) for mint, amount in its)

    @admin.display(description="reference price")
    def price(self, market: Market) -> str:
        return f"{representation.price(market, market.reference)} {market.quote_symbol}"

    @admin.display(description="lot")
    def lot_text(self, market: Market) -> str:
        return amounts.lots(market, 1)

    @admin.display(description="tick")
    def tick_text(self, market: Market) -> str:
        return f"{representation.price(market, 1)} {market.quote_symbol}"

    @admin.display(description="least an order is worth")
    def least(self, market: Market) -> str:
        return amounts.quote(market, market.minimum_notional)

    @admin.display(description="most an owner's orders are worth")
    def cap(self, market: Market) -> str:
        return "" if market.owner_cap is None else amounts.quote(market, market.owner_cap)


def _switch(market: Market) -> Switch | None:
    """The market's switch, if it is off."""
    return Switch.objects.filter(name=market.switch, on=False).first()
