"""The page of fair batches: it shows what the API and the sockets tell."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from batches import selectors
from fairlane.core.pages import Page
from orders.selectors import wallets


class Batches(Page):
    """Markets: their coming batches, the last clearing, prices, one's orders, and proofs."""

    template_name = "batches/batches.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            self.principal.require("batches:read")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        mine = [
            {"address": wallet.address, "name": str(wallet)} for wallet in wallets(self.principal)
        ]
        page = {
            "markets": selectors.markets(),
            "wallets": {wallet["address"]: wallet["name"] for wallet in mine},
        }
        may_trade = self.principal.has("batches:write")
        return super().get_context_data(page=page, wallets=mine, may_trade=may_trade, **context)
