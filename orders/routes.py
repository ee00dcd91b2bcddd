"""Paths of the orders app: WebSockets and REST."""

from typing import Any, cast

from django.urls import path

from orders import api
from orders.consumers import FeedOfOrders, OrderConsumer, TopicsConsumer

# Django's `path` is typed for views; Channels' router takes applications.
websocket_routes: list[Any] = [
    path(route, cast(Any, consumer.as_asgi()))
    for route, consumer in (
        ("ws/orders/<str:order_id>", OrderConsumer),
        ("orders/<str:order_id>", OrderConsumer),
        ("api/orders/ws", FeedOfOrders),
        ("ws/feed", TopicsConsumer),
    )
]

api_routes = [
    path("orders", api.Orders.as_view(), name="orders"),
    path("orders/execute", api.ExecuteNewOrder.as_view(), name="orders-execute"),
    path("orders/bulk", api.BulkOrders.as_view(), name="orders-bulk"),
    path("orders/user/<str:wallet>", api.OrdersOfWallet.as_view(), name="orders-of-wallet"),
    path("orders/<uuid:order_id>", api.OneOrder.as_view(), name="order"),
    path("orders/<uuid:order_id>/execute", api.ExecuteOrder.as_view(), name="order-execute"),
    path("orders/<uuid:order_id>/cancel", api.CancelOrder.as_view(), name="order-cancel"),
    path("quotes", api.Quotes.as_view(), name="quotes"),
    path("tokens", api.Tokens.as_view(), name="tokens"),
]
