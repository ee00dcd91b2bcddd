"""What a REST view asks of its callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from fairlane.core.rest.authentication import principal_of

if TYPE_CHECKING:
    from rest_framework.views import APIView


def needs(scope: str) -> type[BasePermission]:
    """A permission class: the caller was granted the scope.

    permission_classes = [needs("orders:read")]
    """

    class Needs(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            principal_of(request).require(scope)
            return True

    return Needs
