"""The two doors for new orders: REST views, and the intake in front of them on ASGI."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import orjson
from asgiref.sync import async_to_sync
from channels.routing import get_default_application
from django.test import Client

from fairlane.core.models import Event, IdempotencyRecord, Work
from fairlane.core.redis_clients import client as redis
from orders.models import Order
from orders.tests.factories import WALLET

ADDRESS = ("127.0.0.1", 4711)

EXECUTE, WAIT, BULK = "/api/orders/execute", "/api/orders", "/api/orders/bulk"
GOOD = {"userWallet": WALLET, "inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1.5"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]


class Door(Protocol):
    def __call__(self, path: str, content: bytes, headers: Mapping[str, str]) -> Answer: ...


def rest(path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
    """Through Django's own handler."""
    kind = headers.get("Content-Type", "application/octet-stream")
    others = {name: value for name, value in headers.items() if name != "Content-Type"}
    answer = Client(raise_request_exception=False).post(
        path, content, content_type=kind, headers=others
    )
    return Answer(answer.status_code, orjson.loads(answer.content), answer.headers)


def asgi(path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
    """Through the whole ASGI application, where the intake answers."""
    (answer,) = _on_one_event_loop(path, content, [headers])
    return answer


def asgi_at_once(path: str, body: Any, headers: Sequence[Mapping[str, str]]) -> list[Answer]:
    """Many requests at once, as one web process gets them."""
    json = {"Content-Type": "application/json"}
    return _on_one_event_loop(path, orjson.dumps(body), [json | dict(own) for own in headers])


def _on_one_event_loop(
    path: str, content: bytes, headers: Sequence[Mapping[str, str]]
) -> list[Answer]:
    async def send() -> list[httpx.Response]:
        application: Any = get_default_application()
        transport = httpx.ASGITransport(application, client=ADDRESS)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            sent = [client.post(path, content=content, headers=dict(own)) for own in headers]
            return await asyncio.gather(*sent)

    answers = async_to_sync(send)()
    return [Answer(a.status_code, orjson.loads(a.content), a.headers) for a in answers]


def post(door: Door, path: str, body: Any, headers: Mapping[str, str], **further: str) -> Answer:
    """Send a JSON body (bytes go as they are)."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return door(path, content, {"Content-Type": "application/json", **headers, **further})


def errors_of(answer: Answer) -> list[tuple[str, str]]:
    """Field and code of each error of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    errors = answer.body.get("errors", [])
    assert all(error["message"] for error in errors)
    return [(error["field"], error["code"]) for error in errors]


def assert_nothing_stored() -> None:
    for model in (Order, Event, Work, IdempotencyRecord):
        assert not model._default_manager.exists()
    assert redis().llen("orders") == 0
