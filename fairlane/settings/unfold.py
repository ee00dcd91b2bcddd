"""How the back office looks and what its navigation holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


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


UNFOLD = {
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
                    {
                        "title": "In review",
                        "icon": "rate_review",
                        "link": lambda _: (
                            f"{reverse('admin:orders_order_changelist')}?status=REVIEW"
                        ),
                        "active": lambda request: request.GET.get("status") == "REVIEW",
                        "permission": _may("orders.view_order"),
                        "badge": "orders.admin.dashboard.review_badge",
                        "badge_variant": "warning",
                    },
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
