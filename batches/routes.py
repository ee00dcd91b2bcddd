"""Paths of the batches app."""

from typing import Any, cast

from django.urls import path

from batches import api, orders_api
from batches.consumers import MarketConsumer

# Django's `path` is typed for views; Channels' router takes applications.
websocket_routes: list[Any] = [
    path("ws/batches/<str:market>", cast(Any, MarketConsumer.as_asgi())),
]

api_routes = [
    path("markets", api.Markets.as_view(), name="markets"),
    path("batches", api.Batches.as_view(), name="batches"),
    path("batches/<str:market>/prices", api.Prices.as_view(), name="prices"),
    path("batches/<str:market>/orders", orders_api.BatchOrders.as_view(), name="batch-orders"),
    path(
        "batches/<str:market>/orders/<str:order_hash>",
        orders_api.OneBatchOrder.as_view(),
        name="batch-order",
    ),
    path(
        "batches/<str:market>/orders/<str:order_hash>/replace",
        orders_api.ReplaceBatchOrder.as_view(),
        name="batch-order-replace",
    ),
    path("batches/<str:market>/<int:number>", api.OneBatch.as_view(), name="batch"),
    path("batches/<str:market>/<int:number>/bundle", api.BundleOf.as_view(), name="batch-bundle"),
    path("batches/<str:market>/<int:number>/verify", api.VerifyOf.as_view(), name="batch-verify"),
    path(
        "batches/<str:market>/<int:number>/proof/<str:order_hash>",
        api.ProofOf.as_view(),
        name="batch-proof",
    ),
]
