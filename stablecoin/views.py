"""Pages for operators: they show what the API and the feeds tell."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from fairlane.core.pages import Page
from stablecoin import overview, selectors

RECENT_REQUESTS = 30


class StablecoinPage(Page):
    """A page for whoever may see mints and redeems."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            self.principal.require("stablecoin:read")
        return super().dispatch(request, *args, **kwargs)


class Stablecoin(StablecoinPage):
    """Chains, and requests moving through their states."""

    template_name = "stablecoin/stablecoin.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        self.principal.require_all_wallets()
        found = overview.read()
        page = {
            "limit": RECENT_REQUESTS,
            "overview": found,
            **selectors.recent(self.principal, RECENT_REQUESTS),
        }
        return super().get_context_data(page=page, chains=found["chains"], **context)


class RequestPage(StablecoinPage):
    """One request: timeline, approvals, transactions."""

    template_name = "stablecoin/request.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        id: UUID = self.kwargs["id"]
        shown = selectors.detail(id, self.principal)
        office = reverse("admin:stablecoin_request_change", args=[id])
        return super().get_context_data(shown=shown, office=office, **context)
