"""WebSocket consumers on the feed: snapshot, history, resume, heartbeats, close codes.

Close codes: 1000 the object has ended · 1001 the server goes away · 1013 try again later · 4400 bad
request · 4401 not signed in · 4403 not allowed · 4404 no such object · 4408 too slow to keep up ·
4429 too many.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar
from urllib.parse import parse_qs

import orjson
import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError

from fairlane.core import auth, credentials, throttling
from fairlane.core.errors import Problem, unavailable
from fairlane.core.feed import EventData, GoingAway, TooSlow

logger = structlog.get_logger(__name__)

# Proxies and phones drop connections that are silent for 30–60 s. As often it is checked whether
# the caller still has access.
HEARTBEAT_SECONDS = 10.0

# Sockets of one caller in this process. Many times what its pages and programs need, and far below
# what a process can hold, so that one that forgets to close takes the service from nobody.
MAX_SOCKETS = 1_000
_open_sockets: Counter[str] = Counter()

# Events that are looked through for a client that resumes: those of some minutes at the highest
# rate. Who was away for longer begins anew.
MAX_REPLAY = 1_000_000
# As many are looked through in the time of one request.
REPLAY_PER_REQUEST = 1_000

CLOSE_CODES = {400: 4400, 401: 4401, 403: 4403, 404: 4404, 429: 4429, 503: 1013}


class Gone(Exception):
    """The client went while something was sent to it."""


class FeedConsumer(AsyncWebsocketConsumer):
    """A socket that sends frames of the feed and listens to nothing but its end.

    Subclasses yield their frames; an error they raise as a ``Problem`` becomes an error frame and
    a close code.

    Attributes:
        needed: the scope that is asked for, from the handshake to the end.
    """

    needed: ClassVar[str]

    # The process has one subscription for all its sockets: a socket needs no channel of its own.
    channel_layer_alias = None  # type: ignore[assignment]

    principal: auth.Principal
    _sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        self._sender = asyncio.create_task(self._serve())

    async def disconnect(self, code: int) -> None:
        if self._sender:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender

    async def frames(self) -> AsyncIterator[Mapping[str, Any]]:
        """The frames of this socket, until it is to be closed with 1000."""
        raise NotImplementedError
        yield {}  # type: ignore[unreachable]  # makes this an asynchronous generator

    async def _serve(self) -> None:
        try:
            self.principal = await self._caller()
            self.principal.require(self.needed)
            with _place(self.principal):
                await self._send_until_end()
            await self.close(1000)
        except Problem as problem:
            await self._refuse(problem)
        except (OperationalError, InterfaceError):
            await self._refuse(unavailable())
        except GoingAway:
            await self.close(1001)
        except TooSlow:
            await self.close(4408)
        except Gone:
            logger.info("socket.gone", path=self.scope["path"])
        except Exception:
            logger.exception("socket.failed", path=self.scope["path"])
            await self.close(1011)

    async def _caller(self) -> auth.Principal:
        """Who opens this socket; handshakes are throttled like requests.

        Raises:
            Problem: 401, nobody we know; 403, from another site; 429, too many.
        """
        address = throttling.address_of_scope(self.scope)
        try:
            principal = await auth.aauthenticate(credentials.from_scope(self.scope))
        except Problem:
            await throttling.acheck(None, address)
            raise
        await throttling.acheck(principal, address)
        return principal

    async def _refuse(self, problem: Problem) -> None:
        await self.send_json({"type": "error", "code": problem.code, "message": problem.title})
        await self.close(CLOSE_CODES.get(problem.status, 4400))

    async def _send_until_end(self) -> None:
        """Send the frames, with heartbeats between them, until there are no more."""
        tasks = [asyncio.create_task(self._send_frames()), asyncio.create_task(self._beat())]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_frames(self) -> None:
        async for frame in self.frames():
            await self.send_json(frame)

    async def _beat(self) -> None:
        """Heartbeats, for as long as the caller has access.

        Raises:
            Problem: 401, the caller has none any more; 403, not to this.
        """
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            # A database that is away says nothing about the caller.
            with suppress(OperationalError, InterfaceError):
                self.principal = await auth.arefresh(self.principal.ref)
                self.principal.require(self.needed)
            # Without a position: this socket may have yet to send what comes before it.
            await self.send_json({"type": "heartbeat"})

    async def send_json(self, frame: Mapping[str, Any]) -> None:
        """
        Raises:
            Gone: there is nobody to send it to.
        """
        try:
            await self.send(text_data=orjson.dumps(frame).decode())
        except OSError as error:
            raise Gone from error

    def query(self, name: str) -> str | None:
        """The last value of a query parameter."""
        values = parse_qs(self.scope["query_string"].decode("latin-1")).get(name)
        return values[-1] if values else None

    def since(self) -> int | None:
        """Where the client wants to resume.

        Raises:
            Problem: it is not a whole number.
        """
        value = self.query("since")
        if value is None:
            return None
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise Problem(400, "invalid_since", "`since` is a whole number from 0")
        return int(value)

    async def resumes_at(self, position: int) -> int | None:
        """Where the client resumes in a feed that is at ``position``; None where it begins anew: it
        did not ask, or has missed more than ``MAX_REPLAY`` events.

        Raises:
            Problem: 400, `since` is no whole number; 429, the replay is more than the caller may
                spend.
        """
        since = self.since()
        if since is None or position - since > MAX_REPLAY:
            return None
        cost = (position - since) // REPLAY_PER_REQUEST
        address = throttling.address_of_scope(self.scope)
        await throttling.acheck(self.principal, address, cost=cost)
        return since


@contextmanager
def _place(principal: auth.Principal) -> Iterator[None]:
    """One of the caller's places for sockets.

    Raises:
        Problem: 429, all are taken.
    """
    if principal.throttle_exempt:
        yield
        return
    if _open_sockets[principal.ref] >= MAX_SOCKETS:
        raise Problem(429, "too_many_sockets", "This caller has too many sockets open")
    _open_sockets[principal.ref] += 1
    try:
        yield
    finally:
        _open_sockets[principal.ref] -= 1
        if not _open_sockets[principal.ref]:
            del _open_sockets[principal.ref]


def status_frame(event: EventData) -> dict[str, Any]:
    """The frame that tells of one event."""
    return {
        "type": "status",
        f"{event['kind']}Id": event["object_id"],
        "status": event["status"],
        "seq": event["seq"],
        "position": event["position"],
        "timestamp": event["created_at"],
        "data": event["data"],
    }
