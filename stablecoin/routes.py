"""Paths of the stablecoin app: WebSockets and REST."""

from typing import Any, cast

from django.urls import path

from stablecoin import api, overview_api
from stablecoin.consumers import RequestConsumer, RequestsConsumer

# Django's `path` is typed for views; Channels' router takes applications.
websocket_routes: list[Any] = [
    path("ws/stablecoin", cast(Any, RequestsConsumer.as_asgi())),
    path("ws/stablecoin/<path:request_id>", cast(Any, RequestConsumer.as_asgi())),
]

# Names may hold slashes.
status_routes = [
    path("status", api.Statuses.as_view(), name="statuses"),
    path("status/<path:request_id>", api.OneStatus.as_view(), name="status"),
]

api_routes = [
    path("stablecoin/chains", overview_api.Chains.as_view(), name="chains"),
    path("stablecoin/mints", api.Mints.as_view(), name="mints"),
    path("stablecoin/redeems", api.Redeems.as_view(), name="redeems"),
]
