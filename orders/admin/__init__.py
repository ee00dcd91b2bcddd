"""The back office of the orders app."""

from django.conf import settings

from fairlane.core.admin.topics import topics
from orders.admin import orders, registry

topics.pages["order"] = "admin:orders_order_change"
topics.stages["orders"] = "order"
topics.switches["orders.intake"] = "New orders; while it is paused they are answered with 503."
for _venue in settings.RFQ_MAKERS:
    topics.switches[f"venue.{_venue}"] = f"Quotes of {_venue}, for orders and comparisons."

__all__ = ["orders", "registry"]
