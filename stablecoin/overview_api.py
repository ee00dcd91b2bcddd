"""The overview of all chains over REST."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fairlane.core.rest.authentication import principal_of
from fairlane.core.rest.permissions import needs
from stablecoin import overview
from stablecoin.overview_serializers import OverviewSerializer


class Chains(APIView):
    """How every chain is."""

    permission_classes = (needs("stablecoin:read"),)

    @extend_schema(
        summary="Show every chain: supply, caps, health, relayer",
        description="Amounts are base units, fees and the relayer's balance wei, all as text.",
        responses={200: OverviewSerializer},
    )
    def get(self, request: Request) -> Response:
        """Every chain with its supply, caps, health and relayer."""
        principal_of(request).require_all_wallets()
        return Response(overview.read())
