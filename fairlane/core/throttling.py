"""Throttles per key and per client address, in Redis, shared by all processes.

When Redis is away everything passes and the log says so: a throttle protects from excess, and
refusing every order because the counter is gone would be the greater harm.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest

from fairlane.core.errors import Problem
from fairlane.core.principals import Principal
from fairlane.core.rates import Rate
from fairlane.core.redis_clients import aclient, client

log = structlog.get_logger(__name__)

# After Redis failed, how long no request waits for it again.
_PAUSE_S = 1.0
_paused_until = 0.0

# The generic cell rate algorithm over several subjects at once: each holds the time at which its
# allowance is whole again. Nothing is counted unless all of them let the request pass.
# Returns 0, or the milliseconds to wait.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local wait, next_at = 0, {}
for i, name in ipairs(KEYS) do
  local limit, period = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local at = math.max(tonumber(redis.call('GET', name) or now), now)
  -- What costs more passes when something of the allowance is left, and owes the rest of it.
  next_at[i] = at + math.min(ARGV[1], limit) * period / limit
  wait = math.max(wait, at + period / limit - period - now)
end
if wait > 0 then return math.ceil(wait) end
for i, name in ipairs(KEYS) do
  redis.call('SET', name, string.format('%.3f', next_at[i]), 'PX', math.ceil(next_at[i] - now))
end
return 0
"""

Subject = tuple[str, Rate]


def check(principal: Principal | None, address: str, *, cost: int = 1) -> None:
    """Count a request against its key and its address. Exempt keys cost nothing, Redis neither.

    Raises:
        Problem: 429, with Retry-After.
    """
    _judge(_spend(_subjects(principal, address), cost))


async def acheck(principal: Principal | None, address: str, *, cost: int = 1) -> None:
    """`check` for the event loop."""
    _judge(await _aspend(_subjects(principal, address), cost))


def check_sign_in(address: str) -> None:
    """Count an attempt to sign in.

    Raises:
        Problem: 429, with Retry-After.
    """
    rate = settings.THROTTLE_SIGN_IN
    _judge(_spend([(f"sign-in:{address}", rate)] if rate else [], 1))


def client_address(peer: str, forwarded_for: str) -> str:
    """The address of the client, given the socket's and the X-Forwarded-For header.

    Each of our `TRUSTED_PROXIES` adds one address at the right end; what stands further left was
    written by the client and counts for nothing.
    """
    hops = settings.TRUSTED_PROXIES
    if not hops:
        return peer
    listed = [part.strip() for part in forwarded_for.split(",") if part.strip()]
    return listed[-hops] if len(listed) >= hops else peer


def address_of_request(request: HttpRequest) -> str:
    """`client_address` of a Django request."""
    return client_address(
        request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", "")
    )


def address_of_scope(scope: Mapping[str, Any]) -> str:
    """`client_address` of an ASGI scope."""
    peer = (scope.get("client") or ("",))[0]
    if not settings.TRUSTED_PROXIES:
        return str(peer)
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address(peer, b",".join(values).decode("latin-1"))


def _subjects(principal: Principal | None, address: str) -> list[Subject]:
    if principal is not None and principal.throttle_exempt:
        return []
    subjects: list[Subject] = []
    if settings.THROTTLE_ADDRESS:
        subjects.append((f"address:{address}", settings.THROTTLE_ADDRESS))
    if principal is not None and settings.THROTTLE_KEY:
        subjects.append((principal.ref, settings.THROTTLE_KEY))
    return subjects


def _spend(subjects: Sequence[Subject], cost: int) -> int:
    """Milliseconds to wait; 0 means: pass."""
    if not subjects or cost < 1 or time.monotonic() < _paused_until:
        return 0
    try:
        return cast(int, client().eval(_SCRIPT, len(subjects), *_arguments(subjects, cost)))
    except redis.RedisError as error:
        _pause(error)
        return 0


async def _aspend(subjects: Sequence[Subject], cost: int) -> int:
    if not subjects or cost < 1 or time.monotonic() < _paused_until:
        return 0
    try:
        call = aclient().eval(_SCRIPT, len(subjects), *_arguments(subjects, cost))
        return await cast(Awaitable[int], call)
    except redis.RedisError as error:
        _pause(error)
        return 0


def _arguments(subjects: Sequence[Subject], cost: int) -> list[Any]:
    limits = [number for _, rate in subjects for number in (rate.limit, rate.period_ms)]
    # The tag keeps the names on one node of a Redis cluster.
    return [*(f"{{fairlane:throttle}}:{name}" for name, _ in subjects), cost, *limits]


def _judge(wait_ms: int) -> None:
    if wait_ms:
        raise Problem(
            429,
            "throttled",
            "Too many requests",
            headers={"Retry-After": str(math.ceil(wait_ms / 1000))},
        )


def _pause(error: redis.RedisError) -> None:
    global _paused_until
    _paused_until = time.monotonic() + _PAUSE_S
    log.warning("throttle_open", reason=type(error).__name__)
