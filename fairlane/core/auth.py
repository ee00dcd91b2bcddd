"""Who sends this request: one answer for REST views, the raw intake and the WebSockets.

    principal = auth.authenticate(credentials.from_request(request))
    principal = await auth.aauthenticate(credentials.from_scope(scope))

Programs send `Authorization: Bearer flk_…`, pages their session cookie, browsers without a
session a one-time ticket in the handshake of a WebSocket.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from fairlane.core import tickets, usage
from fairlane.core.credentials import (
    Credentials,
    key_digest,
    require_same_origin,
    unauthenticated,
)
from fairlane.core.models.access import ApiKey
from fairlane.core.principals import ALL, Principal
from fairlane.core.threads import in_thread

__all__ = ["ALL", "KEY_TTL_S", "Principal", "aauthenticate", "arefresh", "authenticate", "refresh"]

# A process trusts what it knows of a key for this long: the bound on how late a revocation bites.
KEY_TTL_S = 2.0
_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until: float


# By the digest of a key, and by the `ref` of a principal.
_known: dict[str, _Known] = {}
_refreshed: dict[str, _Known] = {}
_lock = threading.Lock()


def authenticate(credentials: Credentials) -> Principal:
    """The caller; a key outranks a ticket, a ticket a session.

    Raises:
        Problem: 401, nobody we know; 403, a session used from another site.
    """
    digest = key_digest(credentials.authorization)
    if digest is not None:
        return _from_cache(digest) or _from_key(digest)
    if credentials.ticket:
        return refresh(tickets.redeem(credentials.ticket))
    return _from_session(credentials)


async def aauthenticate(credentials: Credentials) -> Principal:
    """`authenticate` for the event loop; a key that is known costs no thread and no I/O."""
    digest = key_digest(credentials.authorization)
    if digest is not None:
        return _from_cache(digest) or await in_thread(_from_key)(digest)
    if credentials.ticket:
        return await arefresh(await tickets.aredeem(credentials.ticket))
    return await in_thread(_from_session)(credentials)


def refresh(ref: str) -> Principal:
    """The caller of this `Principal.ref` as it is now; long connections ask again and again.

    Raises:
        Problem: 401, revoked, expired or gone.
    """
    kind, _, identity = ref.partition(":")
    if kind == "key":
        key = _usable_keys(timezone.now()).filter(pk=int(identity)).first()
        if key is not None:
            return _principal_of_key(key)
    else:
        user = User.objects.filter(pk=int(identity), is_active=True).first()
        if user is not None:
            return principal_of_user(user)
    raise unauthenticated("This caller has no access any more")


async def arefresh(ref: str) -> Principal:
    """`refresh` for the event loop, at most `KEY_TTL_S` old: sockets of one caller share it."""
    known = _refreshed.get(ref)
    if known is None or known.until <= time.monotonic():
        known = _Known(await in_thread(refresh)(ref), time.monotonic() + KEY_TTL_S)
        _remember(_refreshed, ref, known)
    return known.principal


def forget() -> None:
    """Drop what this process knows of keys."""
    with _lock:
        _known.clear()
        _refreshed.clear()


def _from_cache(digest: str) -> Principal | None:
    known = _known.get(digest)
    if known is None or known.until <= time.monotonic():
        return None
    usage.mark(int(known.principal.id))
    return known.principal


def _from_key(digest: str) -> Principal:
    now = timezone.now()
    key = _usable_keys(now).filter(digest=digest).first()
    if key is None:
        raise unauthenticated("The API key is unknown, expired or revoked")
    principal = _principal_of_key(key)
    _remember(_known, digest, _Known(principal, time.monotonic() + _ttl_s(key, now)))
    usage.mark(key.pk)
    usage.flush_if_due()
    return principal


def _from_session(credentials: Credentials) -> Principal:
    if not credentials.session_key:
        raise unauthenticated("Send an API key, or sign in")
    engine = import_module(settings.SESSION_ENGINE)
    request = HttpRequest()
    request.session = cast(SessionBase, engine.SessionStore(credentials.session_key))
    user = get_user(request)
    if not user.is_authenticated:
        raise unauthenticated("The session has ended; sign in again")
    if credentials.changes_state:
        require_same_origin(credentials)
    return principal_of_user(user)


# The Django permission that stands for a scope of keys.
_PERMISSIONS = {
    "orders:read": "orders.view_order",
    "orders:write": "orders.change_order",
    "stablecoin:read": "stablecoin.view_request",
    "stablecoin:write": "stablecoin.change_request",
    "batches:read": "batches.view_batch",
    "batches:write": "batches.change_batchorder",
}


def principal_of_user(user: AbstractBaseUser) -> Principal:
    """A signed-in person, with the rights that the back office gave them.

    Staff run the service: they see its metrics, and what they may do they may for every wallet.
    """
    assert isinstance(user, User)
    staff = user.is_staff
    scopes = {scope for scope, permission in _PERMISSIONS.items() if user.has_perm(permission)}
    scopes |= {"quotes:read", "metrics:read"} if staff else {"quotes:read"}
    return Principal(
        kind="user",
        id=str(user.pk),
        name=user.get_username(),
        scopes=frozenset(scopes),
        wallets=ALL if staff else frozenset(),
    )


def _principal_of_key(key: ApiKey) -> Principal:
    return Principal(
        kind="key",
        id=str(key.pk),
        name=key.name,
        scopes=frozenset(key.scopes),
        wallets=ALL if "*" in key.wallets else frozenset(key.wallets),
        throttle_exempt=key.throttle_exempt,
    )


def _usable_keys(now: datetime) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now), Q(revoked_at=None) | Q(revoked_at__gt=now)
    )


def _ttl_s(key: ApiKey, now: datetime) -> float:
    ends = [at for at in (key.expires_at, key.revoked_at) if at is not None]
    return min([KEY_TTL_S, *((at - now).total_seconds() for at in ends)])


def _remember(cache: dict[str, _Known], name: str, known: _Known) -> None:
    with _lock:
        if len(cache) >= _CACHE_SIZE:
            cache.clear()
        cache[name] = known
