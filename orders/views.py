"""Pages for traders: they show what the API and the feeds tell."""

from typing import Any
from uuid import UUID

from django.conf import settings

from fairlane.core.pages import Page
from orders import registry, selectors

# What the form shows first, where the registry has them.
USUAL_PAIR = ("SOL", "USDC")
RECENT_ORDERS = 25


class Trade(Page):
    """Compare quotes, send an order, watch it and the others."""

    template_name = "orders/trade.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        wallets = [
            {"address": wallet.address, "name": _name(wallet.label, wallet.address)}
            for wallet in selectors.wallets(self.principal)
        ]
        tokens = sorted(t.symbol for t in registry.tokens().by_mint.values() if t.active)
        sold, bought = _pair(tokens)
        page = {
            "limit": RECENT_ORDERS,
            "wallets": {wallet["address"]: wallet["name"] for wallet in wallets},
            "maxSlippageBps": settings.ORDERS_MAX_SLIPPAGE_BPS,
            "mayReadOrders": self.principal.has("orders:read"),
            **selectors.recent(self.principal, RECENT_ORDERS),
        }
        return super().get_context_data(
            page=page,
            wallets=wallets,
            tokens=tokens,
            input_token=sold,
            output_token=bought,
            slippage_percent=f"{settings.ORDERS_DEFAULT_SLIPPAGE_BPS / 100:g}",
            **context,
        )


class OrderPage(Page):
    """One order: timeline, quotes, attempts."""

    template_name = "orders/order.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        order_id: UUID = self.kwargs["order_id"]
        return super().get_context_data(order=selectors.detail(order_id, self.principal), **context)


def _name(label: str, address: str) -> str:
    short = f"{address[:4]}…{address[-4:]}"
    return f"{label} · {short}" if label else short


def _pair(tokens: list[str]) -> tuple[str, str]:
    """The pair the form starts with; the same token twice only where there is no other."""
    sold, bought = USUAL_PAIR
    if sold not in tokens:
        sold = tokens[0] if tokens else ""
    others = [token for token in tokens if token != sold]
    if bought not in others:
        bought = others[0] if others else sold
    return sold, bought
