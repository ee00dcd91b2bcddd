"""The REST API of the orders app."""

from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fairlane.core import idempotency, switches, validation
from fairlane.core.errors import FieldError, Problem, invalid
from fairlane.core.rest.authentication import principal_of
from fairlane.core.rest.idempotent import IDEMPOTENCY_KEY, respond
from fairlane.core.rest.pagination import CursorPage
from fairlane.core.rest.permissions import needs
from orders import (
    acceptance,
    comparison,
    parsing,
    registry,
    representation,
    selectors,
    serializers,
    services,
)
from orders.acceptance import Door
from orders.amounts import to_text
from orders.models import Order
from orders.parsing import Terms, parse_terms
from orders.requests import BulkRequest, ChangeRequest, OrderRequest, QuoteComparisonRequest
from orders.states import ORDER


def _take(request: Request, door: Door) -> HttpResponse:
    switches.require_on("orders.intake")
    prepared = acceptance.prepare(
        door,
        request.data,
        principal=principal_of(request),
        key=request.headers.get(idempotency.HEADER),
        registry=registry.current(),
    )
    (outcome,) = acceptance.accept([prepared])
    if isinstance(outcome, Problem):
        raise outcome
    return respond(outcome)


class Orders(APIView):
    """The orders of the wallets the caller may act for."""

    pagination_class = CursorPage

    def get_permissions(self) -> list[Any]:
        scope = "orders:write" if self.request.method == "POST" else "orders:read"
        return [needs(scope)()]

    @extend_schema(
        summary="Create an order that waits",
        description="It is executed when `POST /api/orders/{orderId}/execute` is called.",
        request=OrderRequest,
        parameters=[IDEMPOTENCY_KEY],
        responses={201: serializers.AcceptedOrderSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Create an order that waits."""
        return _take(request, acceptance.WAIT)

    @extend_schema(
        summary="List orders, newest first",
        parameters=[
            OpenApiParameter("status", str, enum=sorted(ORDER.states)),
            OpenApiParameter("wallet", str),
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
        ],
        responses={200: serializers.OrderSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """List orders, newest first."""
        orders = selectors.visible(principal_of(request))
        unknown = set(request.query_params) - {"status", "wallet", "limit", "cursor"}
        if unknown:
            raise invalid(*(FieldError(n, "unknown_field", "No such filter.") for n in unknown))
        if status := request.query_params.get("status"):
            if status not in ORDER.states:
                raise invalid(FieldError("status", "invalid", "There is no such status."))
            orders = selectors.with_status(orders, status)
        if wallet := request.query_params.get("wallet"):
            orders = orders.filter(wallet=parsing.address("wallet", wallet))
        return _page(orders, request, self)


class OrdersOfWallet(APIView):
    """The orders of one wallet."""

    pagination_class = CursorPage
    permission_classes = (needs("orders:read"),)

    @extend_schema(
        summary="List a wallet's orders, newest first",
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: serializers.OrderSerializer(many=True)},
    )
    def get(self, request: Request, wallet: str) -> Response:
        """List a wallet's orders."""
        principal_of(request).require_wallet(parsing.address("wallet", wallet))
        return _page(Order.objects.filter(wallet=wallet), request, self)


def _page(orders: Any, request: Request, view: APIView) -> Response:
    paginator = CursorPage()
    page = paginator.paginate_queryset(orders, request, view=view)
    return paginator.get_paginated_response([representation.summary(order) for order in page])


class ExecuteNewOrder(APIView):
    """Create an order and execute it."""

    permission_classes = (needs("orders:write"),)

    @extend_schema(
        operation_id="orders_execute_new",
        summary="Create an order and execute it",
        request=OrderRequest,
        parameters=[IDEMPOTENCY_KEY],
        responses={202: serializers.AcceptedOrderSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Create an order and queue it."""
        return _take(request, acceptance.EXECUTE)


class BulkOrders(APIView):
    """Create many orders and execute them."""

    permission_classes = (needs("orders:write"),)

    @extend_schema(
        summary="Create up to 1,000 orders and execute them",
        description="Answered order by order: 202 where all were accepted, 207 otherwise.",
        request=BulkRequest,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            202: serializers.BulkAnswerSerializer,
            207: serializers.BulkAnswerSerializer,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Create orders and queue them."""
        return _take(request, acceptance.BULK)


class OneOrder(APIView):
    """One order."""

    def get_permissions(self) -> list[Any]:
        return [needs("orders:write" if self.request.method == "PATCH" else "orders:read")()]

    @extend_schema(
        summary="Get an order with its quotes, attempts and history",
        responses={200: serializers.OrderDetailSerializer},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """One order with its quotes, attempts and history."""
        return Response(selectors.detail(order_id, principal_of(request)))

    @extend_schema(
        summary="Replace the terms of an order that waits",
        request=ChangeRequest,
        responses={200: serializers.OrderSerializer},
    )
    def patch(self, request: Request, order_id: UUID) -> Response:
        """Give an order that waits other terms."""
        principal = principal_of(request)
        change = validation.parse(ChangeRequest, request.data)
        order = selectors.get(order_id, principal)
        terms = _changed(order, change)
        changed = services.replace(order_id=order_id, terms=terms, seen=order.seq, by=principal)
        return Response(representation.summary(changed))


def _changed(order: Order, change: ChangeRequest) -> Terms:
    sold = registry.tokens().by_mint[order.input_token_id]
    amount = change.input_amount
    if amount is None:
        amount = Decimal(to_text(order.input_amount, sold.decimals))
    errors: list[FieldError] = []
    terms = parse_terms(
        change.input_token or order.input_token_id,
        change.output_token or order.output_token_id,
        amount,
        order.slippage_bps if change.slippage_bps is None else change.slippage_bps,
        registry.tokens(),
        errors,
    )
    if terms is None:
        raise invalid(*errors)
    return terms


class ExecuteOrder(APIView):
    """Execute an order that waits."""

    permission_classes = (needs("orders:write"),)

    @extend_schema(
        summary="Execute an order that waits",
        description="Exactly once, however often it is called.",
        request=None,
        responses={202: serializers.OrderSerializer},
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Queue an order that waits."""
        switches.require_on("orders.intake")
        order = services.execute(order_id=order_id, by=principal_of(request))
        return Response(representation.summary(order), status=HTTPStatus.ACCEPTED)


class CancelOrder(APIView):
    """Cancel an order."""

    permission_classes = (needs("orders:write"),)

    @extend_schema(
        summary="Cancel an order while nothing of it can land",
        request=None,
        responses={200: serializers.OrderSerializer},
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Cancel an order that nobody has signed for yet."""
        order = services.cancel(order_id=order_id, by=principal_of(request))
        return Response(representation.summary(order))


class Quotes(APIView):
    """Compare the venues without an order."""

    permission_classes = (needs("quotes:read"),)

    @extend_schema(
        summary="Compare the venues' quotes for a swap",
        request=QuoteComparisonRequest,
        responses={200: serializers.QuoteComparisonSerializer},
    )
    def post(self, request: Request) -> Response:
        """All venues' quotes, and the one an order would take."""
        asked = validation.parse(QuoteComparisonRequest, request.data)
        errors: list[FieldError] = []
        terms = parse_terms(
            asked.input_token,
            asked.output_token,
            asked.input_amount,
            asked.slippage_bps,
            registry.tokens(),
            errors,
        )
        if terms is None:
            raise invalid(*errors)
        return Response(comparison.compare(terms))


class Tokens(APIView):
    """The token registry."""

    permission_classes = (needs("quotes:read"),)

    @extend_schema(
        summary="List the tokens", responses={200: serializers.TokenSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """Every token that orders may name."""
        return Response(
            [
                {
                    "symbol": token.symbol,
                    "mint": token.mint,
                    "decimals": token.decimals,
                    "token2022": token.token2022,
                }
                for token in registry.tokens().by_mint.values()
                if token.active
            ]
        )
