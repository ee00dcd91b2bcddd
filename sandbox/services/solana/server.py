"""HTTP and WebSocket: the RPC at `/`, the sandbox's own controls beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from . import rpc
from .bank import Bank
from .faults import FaultError
from .pubsub import PubSub
from .websocket import serve

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"
TEXT = b"text/plain"
MEMOS_PER_CHUNK = 5_000
ACTIONS = frozenset({"fork", "skipSlots"})


class Server:
    """The ASGI application of the node."""

    def __init__(self, bank: Bank, pubsub: PubSub) -> None:
        self._bank = bank
        self._pubsub = pubsub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await serve(self._pubsub, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']} here")
        match scope["method"], scope["path"]:
            case "POST", "/":
                await self._rpc(receive, send)
            case "GET", "/health":
                await respond(send, 200, b"ok", TEXT)
            case "GET", "/faults":
                await respond(send, 200, orjson.dumps(self._bank.faults.to_json()))
            case "POST", "/faults":
                await self._faults(receive, send)
            case "GET", "/memos":
                await self._memos(scope["query_string"].decode(), send)
            case _, "/" | "/health" | "/faults" | "/memos":
                await respond(send, 405, b"Method not allowed", TEXT)
            case _:
                await respond(send, 404, b"Not found", TEXT)

    async def _rpc(self, receive: Receive, send: Send) -> None:
        body, faults = await read_body(receive), self._bank.faults
        if faults.delayMs:
            await asyncio.sleep(faults.delayMs / 1000)
        if faults.refuses():
            await respond(send, faults.httpStatus, b"", TEXT)
            return
        answer = rpc.handle(self._bank, body)
        self._pubsub.executed()
        if faults.loses_answer():
            await respond(send, faults.httpStatus, b"", TEXT)
            return
        await respond(send, 200, answer)

    async def _faults(self, receive: Receive, send: Send) -> None:
        try:
            changes = orjson.loads(await read_body(receive))
            if not isinstance(changes, dict):
                raise FaultError("the body is a JSON object")
            actions = {name: changes.pop(name) for name in ACTIONS & changes.keys()}
            for name, count in actions.items():
                if not isinstance(count, int) or count < 1:
                    raise FaultError(f"{name} is a number of slots")
            self._bank.faults = self._bank.faults.changed(changes)
        except (orjson.JSONDecodeError, FaultError) as error:
            await respond(send, 400, orjson.dumps({"error": str(error)}))
            return
        answer = self._bank.faults.to_json()
        if "skipSlots" in actions:
            self._bank.skip(actions["skipSlots"], time.time())
        if "fork" in actions:
            answer["dropped"] = self._bank.fork(actions["fork"], time.time())
        await respond(send, 200, orjson.dumps(answer))

    async def _memos(self, query: str, send: Send) -> None:
        prefix = parse_qs(query).get("prefix", [""])[0]
        memos = list(self._bank.history.memos.items())
        await start(send, 200, JSON)
        separator = b"{"
        for at in range(0, len(memos), MEMOS_PER_CHUNK):
            part = {k: n for k, n in memos[at : at + MEMOS_PER_CHUNK] if k.startswith(prefix)}
            if part:
                await chunk(send, separator + orjson.dumps(part)[1:-1], more=True)
                separator = b","
        await chunk(send, b"}" if separator == b"," else b"{}")


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def respond(send: Send, status: int, body: bytes, content_type: bytes = JSON) -> None:
    """Answer with a whole body."""
    await start(send, status, content_type, len(body))
    await chunk(send, body)


async def start(send: Send, status: int, content_type: bytes, length: int | None = None) -> None:
    """Begin an answer; without a length its body comes in chunks."""
    headers = [(b"content-type", content_type)]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def chunk(send: Send, body: bytes, *, more: bool = False) -> None:
    """Send a part of the body, the last one unless there is more."""
    await send({"type": "http.response.body", "body": body, "more_body": more})
