"""The fast door for new orders, in front of Django.

Django's own handler costs about a millisecond per request, several times what an order costs. The
three POST routes that create orders are therefore answered here, straight on ASGI, and requests
that arrive together share one transaction. What a request means is said in ``acceptance``; the
same routes exist as REST views, which describe them and serve them where this door is not mounted.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from fairlane.core import (
    auth,
    credentials,
    idempotency,
    json_bodies,
    metrics,
    request_ids,
    switches,
    throttling,
)
from fairlane.core.errors import CONTENT_TYPE, Problem, unavailable, wrong_content_type
from fairlane.core.group_commit import GroupCommit
from fairlane.core.idempotency import Answer
from orders import acceptance, registry
from orders.acceptance import Acceptance, Door

logger = structlog.get_logger("fairlane.http")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]

# Some dozens of orders, a few milliseconds of work: more of it is not for the event loop.
_LARGE_BODY_BYTES = 16_000

_DOORS = {door.path: door for door in (acceptance.EXECUTE, acceptance.WAIT, acceptance.BULK)}


class Intake:
    """Answers the routes that create orders and passes everything else on.

    Args:
        otherwise: the application for all other requests.
    """

    def __init__(self, otherwise: Application) -> None:
        self._otherwise = otherwise
        self._commits: GroupCommit[Acceptance, Answer | Problem] = GroupCommit(
            acceptance.accept, weight=lambda accepted: len(accepted.orders)
        )

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        door = _DOORS.get(scope["path"]) if scope["method"] == "POST" else None
        if door is None:
            await self._otherwise(scope, receive, send)
            return
        started = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        request_id = request_ids.accept(headers.get(b"x-request-id"))
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            status, body, extra = await self._answer(door, scope, headers, receive)
            await _respond(send, status, body, {request_ids.HEADER: request_id, **extra})
        seconds = time.perf_counter() - started
        metrics.observe_http(
            method="POST", route=door.path, status=status, seconds=seconds, size=len(body)
        )
        logger.info(
            "request",
            method="POST",
            path=door.path,
            status=status,
            ms=round(seconds * 1000, 1),
            request_id=request_id,
        )

    async def _answer(
        self, door: Door, scope: Mapping[str, Any], headers: Mapping[bytes, str], receive: Receive
    ) -> tuple[int, bytes, dict[str, str]]:
        try:
            answer = await self._accept(door, scope, headers, receive)
        except Problem as problem:
            return _failure(problem)
        except (OperationalError, InterfaceError):
            logger.warning("database_unavailable", exc_info=True)
            return _failure(unavailable())
        except Exception:
            logger.exception("intake_failed")
            return _failure(Problem(500, "internal", "Something went wrong on our side"))
        extra = {"Content-Type": "application/json"}
        if answer.replayed:
            extra[idempotency.REPLAY_HEADER] = "true"
        return answer.status, answer.body.encode(), extra

    async def _accept(
        self, door: Door, scope: Mapping[str, Any], headers: Mapping[bytes, str], receive: Receive
    ) -> Answer:
        address = throttling.address_of_scope(scope)
        sent = credentials.from_scope(scope)
        if settings.SECURE_SSL_REDIRECT and not sent.secure:
            # Whoever follows a redirect has sent the key in the clear already, and would again.
            raise Problem(403, "https_required", "This needs HTTPS")
        try:
            principal = await auth.aauthenticate(sent)
        except Problem:
            # Guessing keys is throttled too.
            await throttling.acheck(None, address)
            raise
        await throttling.acheck(principal, address)
        principal.require("orders:write")
        await switches.arequire_on("orders.intake")
        if headers.get(b"content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise wrong_content_type()
        body = await _read(receive)
        known = await registry.acurrent()

        def prepare() -> Acceptance:
            return acceptance.prepare(
                door,
                json_bodies.read(body),
                principal=principal,
                key=headers.get(b"idempotency-key"),
                registry=known,
            )

        large = len(body) > _LARGE_BODY_BYTES
        prepared = await asyncio.to_thread(prepare) if large else prepare()
        # Each order of a bulk counts; the first has been counted before the body was read.
        await throttling.acheck(principal, address, cost=len(prepared.orders) - 1)
        outcome = await self._commits.submit(prepared)
        if isinstance(outcome, Problem):
            raise outcome
        return outcome


async def _read(receive: Receive) -> bytes:
    """The request's body.

    Raises:
        Problem: 413, it is too large; 400, the client went away in the middle of it.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "disconnected", "The client went away")
        body += message.get("body", b"")
        json_bodies.require_size(len(body))
        if not message.get("more_body"):
            return bytes(body)


def _failure(problem: Problem) -> tuple[int, bytes, dict[str, str]]:
    body = problem.body(request_ids.current())
    return problem.status, body, {"Content-Type": CONTENT_TYPE, **problem.headers}


async def _respond(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    every = {
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **headers,
    }
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
