"""What a request says about its sender, whichever door it came through. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

from fairlane.core.errors import Problem

KEY_PREFIX = "flk_"
_KEY = re.compile(r"flk_[A-Za-z0-9_-]{43}")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The parts of a request that authentication looks at."""

    authorization: str
    session_key: str
    ticket: str
    changes_state: bool
    host: str
    secure: bool
    origin: str
    fetch_site: str


def from_request(request: HttpRequest) -> Credentials:
    """The credentials of a Django request."""
    headers = request.headers
    return Credentials(
        authorization=headers.get("Authorization", ""),
        session_key=request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""),
        ticket="",
        changes_state=request.method not in _SAFE_METHODS,
        host=headers.get("Host", ""),
        secure=request.is_secure(),
        origin=headers.get("Origin", ""),
        fetch_site=headers.get("Sec-Fetch-Site", ""),
    )


def from_scope(scope: Mapping[str, Any]) -> Credentials:
    """The credentials of an ASGI scope, HTTP or WebSocket.

    A WebSocket handshake counts as changing state: browsers let any page open one, cookies
    included, so its origin is checked like a POST's. Only a handshake may carry a ticket.
    """
    headers = _headers(scope["headers"])
    socket = scope["type"] == "websocket"
    ticket = ""
    if socket:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        ticket = query.get("ticket", [""])[0]
    return Credentials(
        authorization=headers.get("authorization", ""),
        session_key=_cookie(headers.get("cookie", ""), settings.SESSION_COOKIE_NAME),
        ticket=ticket,
        changes_state=socket or scope["method"] not in _SAFE_METHODS,
        host=headers.get("host", ""),
        secure=_is_secure(scope, headers),
        origin=headers.get("origin", ""),
        fetch_site=headers.get("sec-fetch-site", ""),
    )


def key_digest(authorization: str) -> str | None:
    """The digest of the API key in an Authorization header; None when there is no such header.

    A key is 256 random bits and found by its SHA-256, so how long the comparison takes tells
    nothing about any stored key.

    Raises:
        Problem: 401, the header is there and holds no API key.
    """
    if not authorization:
        return None
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not _KEY.fullmatch(key.strip()):
        raise unauthenticated("The Authorization header holds no Fairlane API key")
    return digest(key.strip())


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal: the only form in which a key, ticket or link is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def require_same_origin(credentials: Credentials) -> None:
    """Refuse what another site's page sends with this site's cookie.

    Raises:
        Problem: 403, the request does not prove that one of our own pages sent it.
    """
    site, origin = credentials.fetch_site, credentials.origin
    if (not site and not origin) or (site and site != "same-origin"):
        raise _cross_origin()
    if origin and not _is_own_origin(credentials):
        raise _cross_origin()


def unauthenticated(title: str) -> Problem:
    """401 with the challenge HTTP asks for."""
    return Problem(401, "not_authenticated", title, headers={"WWW-Authenticate": "Bearer"})


def _cross_origin() -> Problem:
    return Problem(403, "cross_origin", "Sessions are for this site's own pages")


def _is_own_origin(credentials: Credentials) -> bool:
    host, _ = split_domain_port(credentials.host)
    if not host or not validate_host(host, settings.ALLOWED_HOSTS):
        return False
    scheme = "https" if credentials.secure else "http"
    return _netloc(credentials.origin) == _netloc(f"{scheme}://{credentials.host}")


def _netloc(origin: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", "", None
    return parts.scheme, parts.hostname or "", port


def _is_secure(scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    proxy_header = settings.SECURE_PROXY_SSL_HEADER
    if proxy_header:
        name, value = proxy_header
        return headers.get(name.removeprefix("HTTP_").replace("_", "-").lower()) == value
    return scope.get("scheme") in ("https", "wss")


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
