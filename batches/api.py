"""The REST API of fair batches: markets, batches, and what proves them."""

from typing import Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches import proofs, published, selectors, serializers
from batches.curves import curves
from batches.leaves import Leaves
from batches.models import Batch
from batches.records import Header
from batches.states import BATCH
from batches.terms import INT64_MAX
from fairlane.core.queries import Query
from fairlane.core.rest.permissions import needs
from fairlane.core.rest.throttles import charge

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_PRICES = 1_000
# Orders whose curves are drawn in the time of one request.
_CURVE_ORDERS = 10_000
# What is private stays in the caller's own cache: a proxy would show it to whoever asks.
_FOR_EVER = f"private, max-age={365 * 24 * 3600}, immutable"
_ASK_AGAIN = "private, no-cache"


class _Public(APIView):
    """What whoever may see markets may see."""

    permission_classes = (needs("batches:read"),)


class Markets(_Public):
    """Markets."""

    @extend_schema(summary="List the markets", responses={200: serializers.MarketsSerializer})
    def get(self, request: Request) -> Response:
        """List the markets."""
        Query(request.query_params).finish()
        return Response({"markets": selectors.markets()})


class Batches(_Public):
    """Batches."""

    @extend_schema(
        operation_id="batches_list",
        summary="List batches, newest first",
        parameters=[
            OpenApiParameter("market", str),
            OpenApiParameter("status", str, enum=list(BATCH.states)),
            OpenApiParameter("before", int, description="The market's batches below this batchNo."),
            OpenApiParameter("limit", int),
        ],
        responses={200: serializers.BatchPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """List batches, newest first."""
        query = Query(request.query_params)
        name = query.text("market")
        status = query.word("status", BATCH.states)
        before = query.number("before", 1, INT64_MAX)
        query.requires("before", "market")
        limit = query.number("limit", 1, MAX_PAGE_SIZE) or PAGE_SIZE
        query.finish()
        of = selectors.market(name) if name is not None else None
        rows = list(selectors.batches(of, status, before)[: limit + 1])
        return Response(
            {
                "batches": selectors.shown(rows[:limit]),
                "limit": limit,
                "hasMore": len(rows) > limit,
            }
        )


class OneBatch(_Public):
    """One batch."""

    @extend_schema(
        summary="Get a batch with its demand and supply",
        responses={200: serializers.BatchDetailSerializer},
    )
    def get(self, request: Request, market: str, number: int) -> Response:
        """One batch with its demand and supply."""
        Query(request.query_params).finish()
        row = selectors.batch(selectors.market(market), number)
        charge(request, row.orders // _CURVE_ORDERS)
        (shown,) = selectors.shown([row])
        return Response({**shown, "curve": _curve(row)})


def _curve(row: Batch) -> dict[str, Any] | None:
    if not proofs.is_open(row):
        return None
    header = Header.parse(bytes(row.header or b""))
    found = curves(header, Leaves(bytes(row.leaves or b"")))
    return {
        "firstTick": header.first_tick,
        "ticks": header.ticks,
        "demand": found.demand,
        "supply": found.supply,
    }


class Prices(_Public):
    """What a market's batches traded at."""

    @extend_schema(
        summary="Get the last clearing prices, the oldest first",
        parameters=[
            OpenApiParameter("before", int, description="Of batches below this batchNo."),
            OpenApiParameter("limit", int),
        ],
        responses={200: serializers.PricesSerializer},
    )
    def get(self, request: Request, market: str) -> Response:
        """The last clearing prices."""
        query = Query(request.query_params)
        before = query.number("before", 1, INT64_MAX)
        limit = query.number("limit", 1, MAX_PRICES) or 200
        query.finish()
        return Response({"prices": selectors.prices(selectors.market(market), limit, before)})


class BundleOf(_Public):
    """A batch as it is published."""

    @extend_schema(
        summary="Get the canonical bundle of a batch that has cleared",
        description="For `python -m batches.verify`; the ETag is the SHA-256 of its bytes, which"
        " never change once the batch is settled.",
        responses={200: OpenApiTypes.OBJECT, 304: None},
    )
    def get(self, request: Request, market: str, number: int) -> HttpResponse:
        """The canonical bundle."""
        row = selectors.batch(selectors.market(market), number)
        response = _answer(request, published.bundle(row))
        response["Content-Disposition"] = f'attachment; filename="{market}-{number}.json"'
        return response


class VerifyOf(_Public):
    """A batch's verification."""

    @extend_schema(
        summary="Verify a batch against the chain, step by step",
        responses={200: serializers.VerdictSerializer, 304: None},
    )
    def get(self, request: Request, market: str, number: int) -> HttpResponse:
        """The verdict on a batch."""
        row = selectors.batch(selectors.market(market), number)
        return _answer(request, published.verdict(row))


class ProofOf(_Public):
    """Whether an order is in a batch."""

    @extend_schema(
        summary="Prove that an order is in a batch, or that it is not",
        responses={200: OpenApiTypes.OBJECT, 304: None},
    )
    def get(self, request: Request, market: str, number: int, order_hash: str) -> HttpResponse:
        """The proof, up to the root that the tick has put on chain."""
        row = selectors.batch(selectors.market(market), number)
        return _answer(request, published.proof(row, order_hash))


def _answer(request: Request, wanted: published.Published) -> HttpResponse:
    """What is kept, or else made at the caller's cost; 304 where the caller has it already."""
    Query(request.query_params).finish()
    answer = wanted.kept()
    if answer is None:
        charge(request, wanted.cost)
        answer = wanted.make()
    response = HttpResponse(answer.body, content_type="application/json")
    response["Cache-Control"] = _FOR_EVER if answer.final else _ASK_AGAIN
    response["ETag"] = etag = f'"{answer.digest}"'
    found = get_conditional_response(request._request, etag=etag, response=response)
    assert found is not None
    return found
