"""Pages for traders: they show what the API and the feeds tell."""

from typing import Any
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import TemplateView

from fairlane.core.auth import principal_of_user
from orders import selectors


class Trade(LoginRequiredMixin, TemplateView):
    """Compare quotes, send an order, watch it and the others."""

    template_name = "orders/trade.html"


class OrderPage(LoginRequiredMixin, TemplateView):
    """One order: timeline, quotes, attempts."""

    template_name = "orders/order.html"

    def get_context_data(self, order_id: UUID, **context: Any) -> dict[str, Any]:
        detail = selectors.detail(order_id, principal_of_user(self.request.user))
        return super().get_context_data(order=detail, **context)
