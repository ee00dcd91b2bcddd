"""The service's interfaces: the documented wire, and the sandbox's own ways to move it."""

import asyncio
import json
import time
from typing import Any

from aiohttp import WSCloseCode, web

from sandbox.services.kuro.approvals import Approvals
from sandbox.services.kuro.knobs import KuroKnobs, happens

JUNK = ('{"requestId": 17}', "[[[", '{"requestId":"x","user":"0x0","amount":1.5}', "\x00")


class Server:
    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals
        self._sockets: set[web.WebSocketResponse] = set()
        self._held: list[str] = []
        self._down_until = 0.0
        self.knobs = KuroKnobs()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._while_up], client_max_size=16 * 1024 * 1024)
        app.router.add_get("/health", self._health)
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/api/mint-requests/pending", self._pending)
        app.router.add_post("/sandbox/approve", self._approve)
        app.router.add_post("/sandbox/settle", self._settle)
        app.router.add_get("/sandbox/approved", self._approved)
        app.router.add_get("/sandbox/knobs", self._show_knobs)
        app.router.add_post("/sandbox/knobs", self._turn_knobs)
        app.router.add_post("/sandbox/disconnect", self._disconnect)
        app.router.add_post("/sandbox/down", self._go_down)
        app.router.add_post("/sandbox/repeat", self._repeat)
        return app

    @web.middleware
    async def _while_up(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Where the service is down, connections end without an answer."""
        outside = not request.path.startswith(("/sandbox", "/health"))
        if outside and time.monotonic() < self._down_until:
            if request.transport is not None:
                request.transport.close()
            raise web.HTTPServiceUnavailable
        response: web.StreamResponse = await handler(request)
        return response

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        await socket.send_json({"type": "connection", "message": "connected to Kuro"})
        self._sockets.add(socket)
        try:
            async for _ in socket:
                """Nothing is expected of those who listen."""
        finally:
            self._sockets.discard(socket)
        return socket

    async def _pending(self, request: web.Request) -> web.Response:
        return web.json_response(self._approvals.pending)

    async def _approved(self, request: web.Request) -> web.Response:
        return web.json_response(self._approvals.approved)

    async def _approve(self, request: web.Request) -> web.Response:
        asked = await request.json()
        try:
            events = self._approvals.approve(asked if isinstance(asked, list) else [asked])
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        for event in events:
            await self._tell(event)
        return web.json_response({"requestIds": [event["requestId"] for event in events]})

    async def _settle(self, request: web.Request) -> web.Response:
        self._approvals.settle((await request.json())["requestIds"])
        return web.json_response({})

    async def _repeat(self, request: web.Request) -> web.Response:
        """Tell of a known approval again, changed."""
        change = await request.json()
        known = {event["requestId"]: event for event in self._approvals.approved}
        if change.get("requestId") not in known:
            return web.json_response({"error": "there is no such approval"}, status=400)
        await self._send(json.dumps(known[change["requestId"]] | change))
        return web.json_response({})

    async def _show_knobs(self, request: web.Request) -> web.Response:
        return web.json_response(self.knobs.to_json())

    async def _turn_knobs(self, request: web.Request) -> web.Response:
        try:
            self.knobs = self.knobs.changed(await request.json())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(self.knobs.to_json())

    async def _disconnect(self, request: web.Request) -> web.Response:
        await asyncio.gather(*(s.close(code=WSCloseCode.GOING_AWAY) for s in list(self._sockets)))
        return web.json_response({})

    async def _go_down(self, request: web.Request) -> web.Response:
        self._down_until = time.monotonic() + (await request.json())["ms"] / 1000
        return await self._disconnect(request)

    async def _tell(self, event: dict[str, Any]) -> None:
        knobs = self.knobs
        frame = json.dumps(event | ({"type": "mintOk"} if knobs.with_type else {}))
        if happens(knobs.drop):
            return
        if happens(knobs.out_of_order):
            self._held.append(frame)
            return
        frames = [frame, *([frame] if happens(knobs.duplicates) else []), *self._held]
        self._held.clear()
        if happens(knobs.malformed):
            frames.append(JUNK[len(frame) % len(JUNK)])
        for one in frames:
            await self._send(one)

    async def _send(self, frame: str) -> None:
        sends = [socket.send_str(frame) for socket in list(self._sockets)]
        await asyncio.gather(*sends, return_exceptions=True)
