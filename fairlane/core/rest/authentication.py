"""Callers of REST views. `principal_of(request)` says who it is."""

from __future__ import annotations

from typing import cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from fairlane.core import auth, credentials, throttling
from fairlane.core.errors import Problem
from fairlane.core.principals import Principal


class Callers(BaseAuthentication):
    """API keys and sessions, as everywhere."""

    def authenticate(self, request: Request) -> tuple[Principal, Principal]:
        try:
            principal = auth.authenticate(credentials.from_request(request._request))
        except Problem:
            # Guessing keys is throttled too.
            throttling.check(None, throttling.address_of_request(request._request))
            raise
        return principal, principal

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def principal_of(request: Request) -> Principal:
    """The caller of a REST request."""
    return cast(Principal, request.user)
