"""How the back office looks and what its navigation holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _list(title: str, icon: str, app: str, model: str, **more: Any) -> dict[str, Any]:
    """The entry of a model's list, for those who may see it."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _may(f"{app}.view_{model}"),
        **more,
    }


def _review(app: str, model: str, **more: Any) -> dict[str, Any]:
    """The entry of those rows of a list that wait for a person."""
    address = reverse_lazy(f"admin:{app}_{model}_changelist")
    return {
        "title": "In review",
        "icon": "rate_review",
        "link": lambda _: f"{address}?status=REVIEW",
        "active": lambda request: (
            request.path == str(address) and request.GET.get("status") == "REVIEW"
        ),
        "permission": _may(f"{app}.view_{model}"),
        **more,
    }


# For sites that run fair batches.
BATCHES = {
    "title": "Fair batches",
    "separator": True,
    "items": [
        _list("Markets", "storefront", "batches", "market"),
        _list("Batches", "stacks", "batches", "batch"),
        _list("Batch orders", "receipt_long", "batches", "batchorder"),
        _list("Ticks", "timer", "batches", "tick"),
        _review("batches", "tick"),
        _list("Reservations", "event_available", "batches", "reservation"),
        _list("Transfers", "sync_alt", "batches", "transfer"),
        _review("batches", "transfer"),
        _list("Transactions", "send", "batches", "packet"),
        _list("Vault checks", "balance", "batches", "vaultcheck"),
        _list("Vault balances", "savings", "batches", "vaultbalance"),
        _list("Vault entries", "menu_book", "batches", "vaultentry"),
    ],
}

# For sites that serve EVM chains.
STABLECOIN = {
    "title": "Stablecoin",
    "separator": True,
    "items": [
        _list("Requests", "currency_exchange", "stablecoin", "request"),
        _list("Transactions", "send", "stablecoin", "transaction"),
        _list("Chains", "link", "stablecoin", "chain"),
        _list("Accounts", "rule", "stablecoin", "addressrule"),
        _list("Reconciliation", "balance", "stablecoin", "reconciliation"),
        _list("Ledger", "menu_book", "stablecoin", "ledgerentry"),
        _list("Chain events", "hub", "stablecoin", "chainlog"),
        _list("Kuro", "verified_user", "stablecoin", "kuroevent"),
        _list("Relayers", "local_gas_station", "stablecoin", "relayer"),
    ],
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Fairlane",
    "SITE_HEADER": "Fairlane",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "swap_horiz",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("img/fairlane.svg")}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "orders.admin.dashboard.add_to_index",
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {
                        "title": "Dashboard",
                        "icon": "monitoring",
                        "link": reverse_lazy("admin:index"),
                    },
                ],
            },
            {
                "title": "Orders",
                "separator": True,
                "items": [
                    _list("Orders", "receipt_long", "orders", "order"),
                    _review(
                        "orders",
                        "order",
                        badge="orders.admin.dashboard.review_badge",
                        badge_variant="warning",
                    ),
                    _list("Tokens", "toll", "orders", "token"),
                    _list("Wallets", "wallet", "orders", "wallet"),
                ],
            },
            {
                "title": "Operation",
                "separator": True,
                "items": [
                    _list("Switches", "toggle_on", "core", "switch"),
                    _list("Work", "pending_actions", "core", "work"),
                    _list("Events", "timeline", "core", "event"),
                    _list("Workers", "ecg_heart", "core", "heartbeat"),
                    _list("Schedule", "schedule", "django_celery_beat", "periodictask"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _list("API keys", "key", "core", "apikey"),
                    _list("Users", "person", "auth", "user"),
                    _list("Groups", "group", "auth", "group"),
                    _list("Audit trail", "history", "core", "auditentry"),
                ],
            },
        ],
    },
}
