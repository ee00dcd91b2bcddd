"""The maker's HTTP interface."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from sandbox.services.makers.desk import Answer, Desk

MAX_ITEMS = 500
# 500 transactions of 1,232 bytes in base64, with room for the other fields.
MAX_BODY_BYTES = 2 * 1024 * 1024


def application(desk: Desk) -> web.Application:
    """The routes over `desk`; whoever runs them keeps the desk's inventory current."""
    server = Server(desk)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/quote", server.quote)
    app.router.add_post("/sign", server.sign)
    app.router.add_get("/health", server.health)
    app.router.add_get("/knobs", server.knobs)
    app.router.add_post("/knobs", server.set_knobs)
    return app


class Server:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def quote(self, request: web.Request) -> web.Response:
        body = await _json(request)
        # One wait for the whole batch, and prices of the moment the answer leaves.
        if delay_ms := self._desk.knobs.quote_delay_ms:
            await asyncio.sleep(delay_ms / 1000)
        return _batch(body, lambda items: self._desk.quote(items, now_ms=_now_ms()))

    async def sign(self, request: web.Request) -> web.Response:
        body = await _json(request)
        return _batch(body, lambda items: self._desk.sign(items, now_ms=_now_ms()))

    async def health(self, request: web.Request) -> web.Response:
        """Healthy once the maker knows what it holds: before, it quotes nothing."""
        if self._desk.inventory is None:
            return _response({"status": "starting"}, status=503)
        return _response({"status": "ok"})

    async def knobs(self, request: web.Request) -> web.Response:
        return _response(self._desk.knobs.to_json())

    async def set_knobs(self, request: web.Request) -> web.Response:
        try:
            self._desk.knobs = self._desk.knobs.changed(await _json(request))
        except ValueError as error:
            return _response({"error": str(error)}, status=400)
        return _response(self._desk.knobs.to_json())


def _batch(body: Any, answer: Callable[[list[Any]], list[Answer]]) -> web.Response:
    if not isinstance(body, list):
        return _response(answer([body])[0])
    if len(body) > MAX_ITEMS:
        return _response({"error": f"at most {MAX_ITEMS} items"}, status=400)
    return _response(answer(body))


async def _json(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest(text="the body is no JSON") from None


def _response(body: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
