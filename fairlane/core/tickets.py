"""One-time tickets: how a browser client opens a WebSocket without a key in the URL.

They live in Redis: a ticket lost with it costs its client one more request.
"""

from __future__ import annotations

import secrets
from typing import cast

import redis

from fairlane.core.credentials import digest, unauthenticated
from fairlane.core.errors import unavailable
from fairlane.core.principals import Principal
from fairlane.core.redis_clients import aclient, client

# Long enough for a slow handshake, too short to be of use in a log.
LIFE_S = 30


def issue(principal: Principal) -> str:
    """A ticket that lets its bearer in once, as this principal, within `LIFE_S`.

    Raises:
        Problem: 503, Redis is away.
    """
    ticket = secrets.token_urlsafe(32)
    try:
        client().set(_name(ticket), principal.ref, ex=LIFE_S)
    except redis.RedisError as error:
        raise unavailable("Tickets cannot be issued") from error
    return ticket


def redeem(ticket: str) -> str:
    """The `Principal.ref` the ticket was issued to. The ticket is used up.

    Raises:
        Problem: 401, unknown, expired or used; 503, Redis is away.
    """
    try:
        found = cast(bytes | None, client().getdel(_name(ticket)))
    except redis.RedisError as error:
        raise unavailable("Tickets cannot be checked") from error
    return _ref(found)


async def aredeem(ticket: str) -> str:
    """`redeem` for the event loop."""
    try:
        found = cast(bytes | None, await aclient().getdel(_name(ticket)))
    except redis.RedisError as error:
        raise unavailable("Tickets cannot be checked") from error
    return _ref(found)


def _ref(found: bytes | None) -> str:
    if found is None:
        raise unauthenticated("The ticket is unknown, expired or used")
    return found.decode()


def _name(ticket: str) -> str:
    return f"fairlane:ticket:{digest(ticket)}"
