"""The REST API of the stablecoin app."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fairlane.core import idempotency
from fairlane.core.errors import FieldError, invalid
from fairlane.core.rest.authentication import principal_of
from fairlane.core.rest.idempotent import IDEMPOTENCY_KEY, respond
from fairlane.core.rest.permissions import needs
from stablecoin import acceptance, representation, selectors, serializers
from stablecoin.filters import Filters, name_from
from stablecoin.models import Kind
from stablecoin.requests import StablecoinRequest
from stablecoin.states import PHASES

_WHICH = [OpenApiParameter("type", str, enum=Kind.values), OpenApiParameter("chainId", int)]


class Statuses(APIView):
    """Mints and redeems."""

    permission_classes = (needs("stablecoin:read"),)

    @extend_schema(
        operation_id="status_list",
        summary="List mints and redeems, newest first",
        parameters=[
            *_WHICH,
            OpenApiParameter("status", str, enum=list(PHASES)),
            OpenApiParameter("phase", str, enum=sorted(set(PHASES.values()))),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses={200: serializers.RequestPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """List mints and redeems, newest first."""
        filters = Filters.parse(request.query_params)
        found = filters.applied(selectors.visible(principal_of(request)))
        rows = list(found[filters.offset : filters.offset + filters.limit + 1])
        return Response(
            {
                "requests": [representation.summary(row) for row in rows[: filters.limit]],
                "limit": filters.limit,
                "offset": filters.offset,
                "hasMore": len(rows) > filters.limit,
            }
        )


class OneStatus(APIView):
    """One mint or redeem."""

    permission_classes = (needs("stablecoin:read"),)

    @extend_schema(
        summary="Get a mint or redeem with its approvals, transactions and history",
        description="A redeem's name is unique on its chain only: `chainId` and `type` tell which.",
        parameters=_WHICH,
        responses={200: serializers.RequestDetailSerializer},
    )
    def get(self, request: Request, request_id: str) -> Response:
        """One request with its approvals, transactions and history."""
        principal = principal_of(request)
        found = selectors.find(name_from(request_id, request.query_params), principal)
        return Response(selectors.detail(found.id, principal))


class _NewRequests(APIView):
    """What both kinds have in common."""

    kind: str
    permission_classes = (needs("stablecoin:write"),)

    def accept(self, request: Request) -> HttpResponse:
        """Store it, or answer with what is stored under its name."""
        unknown = [FieldError(name, "unknown_field", "No such parameter.") for name in request.GET]
        if unknown:
            raise invalid(*unknown)
        answer = acceptance.accept(
            self.kind,
            request.path,
            request.data,
            by=principal_of(request),
            key=request.headers.get(idempotency.HEADER),
        )
        return respond(answer)


_ACCEPTS: dict[str, Any] = {
    "request": StablecoinRequest,
    "parameters": [IDEMPOTENCY_KEY],
    "responses": {202: serializers.RequestSerializer},
}


class Mints(_NewRequests):
    """Mints that the back office asks for."""

    kind = Kind.MINT

    @extend_schema(
        summary="Ask for a mint",
        description="It is judged by the policies like one of the compliance service.",
        **_ACCEPTS,
    )
    def post(self, request: Request) -> HttpResponse:
        """Ask for a mint."""
        return self.accept(request)


class Redeems(_NewRequests):
    """Redeems that the back office tells of before the chain does."""

    kind = Kind.REDEEM

    @extend_schema(
        summary="Tell of a redeem",
        description="It goes on once the chain's final event says that its tokens are given up.",
        **_ACCEPTS,
    )
    def post(self, request: Request) -> HttpResponse:
        """Tell of a redeem."""
        return self.accept(request)
