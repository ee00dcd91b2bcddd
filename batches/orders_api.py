"""The REST API of orders in batches: send, replace, cancel, and read them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches import acceptance, offers, representation, requests, selectors, serializers
from batches.models import BatchOrder, Market
from batches.offers import Offer
from batches.terms import INT64_MAX
from fairlane.core import idempotency, switches
from fairlane.core.errors import Problem
from fairlane.core.principals import Principal
from fairlane.core.queries import Query
from fairlane.core.rest.authentication import principal_of
from fairlane.core.rest.idempotent import IDEMPOTENCY_KEY, respond
from fairlane.core.rest.permissions import needs
from orders import parsing

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200

_STATUSES = ("open", "ended")

_BODY = PolymorphicProxySerializer(
    component_name="NewBatchOrder",
    serializers=[requests.SignedOrder, requests.HeldOrder],  # type: ignore[list-item]
    resource_type_field_name=None,
)


class _OrdersView(APIView):
    """Reading needs one scope, everything else the other."""

    def get_permissions(self) -> list[object]:  # type: ignore[override]
        scope = "batches:read" if self.request.method == "GET" else "batches:write"
        return [needs(scope)()]


class BatchOrders(_OrdersView):
    """Orders in batches."""

    @extend_schema(
        operation_id="batch_orders_list",
        summary="List one's orders in a market, newest first",
        parameters=[
            OpenApiParameter("wallet", str),
            OpenApiParameter("status", str, enum=_STATUSES),
            OpenApiParameter("before", int, description="Orders with a `receipt.seq` below it."),
            OpenApiParameter("limit", int),
        ],
        responses={200: serializers.BatchOrderPageSerializer},
    )
    def get(self, request: Request, market: str) -> Response:
        """List one's orders in a market, newest first."""
        query = Query(request.query_params)
        wallet = query.text("wallet")
        which = query.word("status", _STATUSES)
        before = query.number("before", 1, INT64_MAX)
        limit = query.number("limit", 1, MAX_PAGE_SIZE) or PAGE_SIZE
        query.finish()
        if wallet is not None:
            parsing.address("wallet", wallet)
        rows = selectors.orders(
            selectors.market(market),
            principal_of(request),
            limit + 1,
            wallet=wallet,
            which=which,
            before=before,
        )
        return Response(
            {
                "orders": [representation.order(row) for row in rows[:limit]],
                "limit": limit,
                "hasMore": len(rows) > limit,
            }
        )

    @extend_schema(
        summary="Send an order",
        description="A record that its owner has signed; or its terms, for a wallet whose key is"
        " held here. The same order sent again is the same order.",
        request=_BODY,
        parameters=[IDEMPOTENCY_KEY],
        responses={201: serializers.BatchOrderSerializer},
    )
    def post(self, request: Request, market: str) -> HttpResponse:
        """Send an order."""

        def accept(its: Market, offer: Offer, by: Principal) -> UUID:
            return acceptance.accept(its.id, [offer], by=by.ref)[0]

        return _take(request, market, accept)


class OneBatchOrder(_OrdersView):
    """One order."""

    @extend_schema(
        summary="Get an order with its fills, transfers and history",
        responses={200: serializers.BatchOrderDetailSerializer},
    )
    def get(self, request: Request, market: str, order_hash: str) -> Response:
        """One order with everything that happened to it."""
        Query(request.query_params).finish()
        row = selectors.order(selectors.market(market), order_hash, principal_of(request))
        return Response(selectors.order_detail(row))

    @extend_schema(
        summary="Cancel an order",
        description="Its escrow is paid back; while that is on its way, once it is known. While a"
        " batch is committed to the order, it ends with what that batch leaves: `cancelling` says"
        " so.",
        responses={202: serializers.BatchOrderSerializer},
    )
    def delete(self, request: Request, market: str, order_hash: str) -> Response:
        """Cancel an order."""
        row = selectors.order(selectors.market(market), order_hash, principal_of(request))
        acceptance.cancel(row.id, reason="cancelled by its owner")
        return Response(_shown(row.id), status=HTTPStatus.ACCEPTED)


class ReplaceBatchOrder(APIView):
    """An order that takes another's place."""

    permission_classes = (needs("batches:write"),)

    @extend_schema(
        summary="Let an order take the place of another, with its escrow",
        request=_BODY,
        parameters=[IDEMPOTENCY_KEY],
        responses={201: serializers.BatchOrderSerializer},
    )
    def post(self, request: Request, market: str, order_hash: str) -> HttpResponse:
        """Replace an order."""
        before = selectors.order(selectors.market(market), order_hash, principal_of(request))

        def replace(_: Market, offer: Offer, by: Principal) -> UUID:
            return acceptance.replace(before.id, offer, by=by.ref)

        return _take(request, market, replace)


def _take(
    request: Request, name: str, do: Callable[[Market, Offer, Principal], UUID]
) -> HttpResponse:
    """Store the order of a request once, and answer with it."""
    by, its = principal_of(request), selectors.market(name)
    key = idempotency.key_of(request.headers.get(idempotency.HEADER))

    def store() -> tuple[int, str]:
        if not its.active:
            raise Problem(409, "closed", "The market takes no orders any more")
        switches.require_on(its.switch)
        id_ = do(its, offers.read(its, request.data, by=by), by)
        return HTTPStatus.CREATED, orjson.dumps(_shown(id_)).decode()

    print_ = idempotency.fingerprint("POST", request.path, request.data)
    return respond(idempotency.run_once(principal=by, key=key, print_=print_, do=store))


def _shown(id_: UUID) -> dict[str, Any]:
    return representation.order(BatchOrder.objects.select_related("market").get(id=id_))
