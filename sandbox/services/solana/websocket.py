"""One WebSocket connection: calls in, answers and notifications out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from .chain import Commitment
from .pubsub import Client, PubSub
from .rpc import failure
from .rpc.errors import INVALID_REQUEST, PARSE_ERROR, RpcError

TRY_AGAIN_LATER = 1013

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def serve(pubsub: PubSub, receive: Receive, send: Send) -> None:
    """Serve a connection until the client leaves."""
    await receive()
    await send({"type": "websocket.accept"})
    client = Client()
    sending = asyncio.create_task(_forward(client, send))
    try:
        while (message := await receive())["type"] == "websocket.receive":
            client.send(answer(pubsub, client, message.get("text") or message.get("bytes") or ""))
            for level in Commitment:
                pubsub.signatures(level)  # what was awaited may have happened already
    finally:
        pubsub.drop(client)
        sending.cancel()


def answer(pubsub: PubSub, client: Client, text: str | bytes) -> dict[str, Any]:
    """The answer to one call."""
    try:
        call = orjson.loads(text)
    except orjson.JSONDecodeError:
        return failure(None, RpcError(PARSE_ERROR, "Parse error"))
    if not isinstance(call, dict) or not isinstance(call.get("method"), str):
        return failure(None, RpcError(INVALID_REQUEST, "Invalid request"))
    try:
        result = pubsub.call(client, call["method"], call.get("params") or [])
    except RpcError as error:
        return failure(call.get("id"), error)
    return {"jsonrpc": "2.0", "result": result, "id": call.get("id")}


async def _forward(client: Client, send: Send) -> None:
    while (message := await client.outbox.get()) is not None:
        await send({"type": "websocket.send", "text": message.decode()})
    await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
