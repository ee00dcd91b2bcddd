"""The kernel's throttle as REST framework asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from fairlane.core import throttling
from fairlane.core.principals import Principal
from fairlane.core.rest.authentication import principal_of

if TYPE_CHECKING:
    # REST framework's views load this class while they are being loaded themselves.
    from rest_framework.views import APIView


class Throttle(BaseThrottle):
    """Per key and per address; raises the 429 itself, with its Retry-After."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        caller: object = request.user
        principal = caller if isinstance(caller, Principal) else None
        throttling.check(principal, throttling.address_of_request(request._request))
        return True


def charge(request: Request, cost: int) -> None:
    """Count what a request turns out to cost beyond the one that every request does.

    Args:
        cost: in requests; one is worth about a hundredth of a second of a core.

    Raises:
        Problem: 429, nothing is left of what the caller may spend.
    """
    address = throttling.address_of_request(request._request)
    throttling.check(principal_of(request), address, cost=cost)
