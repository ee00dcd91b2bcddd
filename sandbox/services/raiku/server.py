"""The venue's HTTP interface, and the sandbox's own ways to move it."""

import hmac
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from chains.blockspace import Bid
from chains.errors import ChainError
from sandbox.services.raiku.engine import Engine
from sandbox.services.raiku.reservations import RefusedError, Transaction, transaction

MAX_SLOTS = 5_000
MAX_BIDS = 500
MAX_TRANSACTIONS = 100
MAX_RECEIPTS = 1_000
MAX_BODY_BYTES = 1024 * 1024

_U64_MAX = 2**64 - 1
_ID = re.compile(r"[!-~]{1,64}")
_OPEN_PATHS = ("/health", "/sandbox/")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    def __init__(self, engine: Engine, *, token: str = "") -> None:
        self._engine = engine
        self._book = engine.book
        self._authorization = f"Bearer {token}".encode() if token else None

    def application(self) -> web.Application:
        """The routes; whoever runs them lets the engine follow the node."""
        app = web.Application(
            middlewares=[self._guarded, _refusals], client_max_size=MAX_BODY_BYTES
        )
        app.router.add_get("/slots", self._slots)
        app.router.add_post("/bids", self._bids)
        app.router.add_post("/cancel", self._cancel)
        app.router.add_post("/submit", self._submit)
        app.router.add_post("/jit", self._jit)
        app.router.add_get("/receipts", self._receipts)
        app.router.add_get("/health", self._health)
        app.router.add_get("/sandbox/knobs", self._show_knobs)
        app.router.add_post("/sandbox/knobs", self._turn_knobs)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(_OPEN_PATHS):
            if self._book.knobs.outage:
                return _response({"error": "outage"}, status=503)
            given = request.headers.get("Authorization", "").encode()
            if self._authorization and not hmac.compare_digest(given, self._authorization):
                return _response({"error": "unauthorized"}, status=401)
        return await handler(request)

    async def _slots(self, request: web.Request) -> web.Response:
        first = _number(request.query.get("first"))
        last = _number(request.query.get("last"))
        if last - first >= MAX_SLOTS:
            raise _bad_request(f"at most {MAX_SLOTS} slots")
        return _response(self._book.offers(first, last))

    async def _bids(self, request: web.Request) -> web.Response:
        items = await _json(request)
        if not isinstance(items, list) or len(items) > MAX_BIDS:
            raise _bad_request(f"at most {MAX_BIDS} bids, as a list")
        bids = [
            Bid(
                client_id=_id(item, "clientId"),
                slot=_integer(item, "slot"),
                cu=_integer(item, "cu", least=1),
                max_micro_lamports_per_cu=_integer(item, "maxMicroLamportsPerCu"),
            )
            for item in items
        ]
        return _response([self._book.bid(bid) for bid in bids])

    async def _cancel(self, request: web.Request) -> web.Response:
        self._book.cancel(_id(await _json(request), "reservationId"))
        return _response({})

    async def _submit(self, request: web.Request) -> web.Response:
        item = await _json(request)
        self._book.submit(_id(item, "reservationId"), _transactions(item))
        return _response({})

    async def _jit(self, request: web.Request) -> web.Response:
        item = await _json(request)
        answer = await self._engine.jit(
            _id(item, "clientId"),
            _transactions(item),
            cu=_integer(item, "cu", least=1),
            price=_integer(item, "microLamportsPerCu"),
        )
        return _response(answer)

    async def _receipts(self, request: web.Request) -> web.Response:
        after = _number(request.query.get("after"))
        limit = min(_number(request.query.get("limit")), MAX_RECEIPTS)
        return _response(self._book.feed.after(after, limit))

    async def _health(self, request: web.Request) -> web.Response:
        """Healthy once the venue knows the slot: before, it sells nothing."""
        if self._book.now is None:
            return _response({"status": "starting"}, status=503)
        return _response({"status": "ok", "slot": self._book.now})

    async def _show_knobs(self, request: web.Request) -> web.Response:
        return _response(self._book.knobs.to_json())

    async def _turn_knobs(self, request: web.Request) -> web.Response:
        try:
            self._book.knobs = self._book.knobs.changed(await _json(request))
        except ValueError as error:
            return _response({"error": str(error)}, status=400)
        return _response(self._book.knobs.to_json())


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What the venue will not or cannot do now is an answer: a status would say less."""
    try:
        return await handler(request)
    except RefusedError as error:
        return _response({"error": {"code": error.code, "message": str(error)}})
    except ChainError as error:
        return _response({"error": {"code": "not_yet", "message": str(error)}})


def _transactions(item: Any) -> list[Transaction]:
    texts = item.get("transactions")
    if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_TRANSACTIONS:
        raise _bad_request(f"1 to {MAX_TRANSACTIONS} transactions")
    return [transaction(_bytes(text)) for text in texts]


def _bytes(text: Any) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (TypeError, ValueError):
        raise _bad_request("transactions come as base64") from None


def _id(item: Any, field: str) -> str:
    value = item.get(field) if isinstance(item, dict) else None
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _bad_request(f"{field} must have 1 to 64 printable characters")
    return value


def _integer(item: dict[str, Any], field: str, *, least: int = 0) -> int:
    value = item.get(field)
    if type(value) is not int or not least <= value <= _U64_MAX:
        raise _bad_request(f"{field} must be an integer")
    return value


def _number(text: str | None) -> int:
    if text is None or not text.isascii() or not text.isdigit() or int(text) > _U64_MAX:
        raise _bad_request("numbers are asked for")
    return int(text)


def _bad_request(text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=text)


async def _json(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise _bad_request("the body is no JSON") from None


def _response(body: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
