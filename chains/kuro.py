"""The compliance service: a WebSocket that tells, and a REST interface that can be asked."""

from collections.abc import AsyncIterator

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from chains.errors import ChainError, Transient
from chains.http import Http

PEER = "Kuro"
# Real frames have some 200 bytes; what is longer is not for us.
MAX_FRAME_BYTES = 64 * 1024
OPEN_S = 10
# A peer that went without a goodbye is noticed after both.
PING_S = 10
PONG_S = 10


class KuroClient:
    """One connection after the other is the caller's; see `chains.evm.ports.ComplianceFeed`."""

    def __init__(self, websocket_url: str, rest_url: str, http: Http, *, token: str = "") -> None:
        self._websocket_url = websocket_url
        self._pending_url = f"{rest_url}/api/mint-requests/pending"
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __repr__(self) -> str:
        return "<KuroClient>"

    async def pending(self) -> list[object]:
        try:
            body = await self._http.get(self._pending_url, peer=PEER, headers=self._headers)
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Transient(f"{PEER} answered no JSON") from None
        except ChainError as error:
            # Whatever it complains about, the next question is the same one.
            raise Transient(str(error)) from None
        if not isinstance(answer, list):
            raise Transient(f"{PEER} answered no list")
        return answer

    async def frames(self) -> AsyncIterator[str | bytes]:
        try:
            async with connect(
                self._websocket_url,
                additional_headers=self._headers,
                max_size=MAX_FRAME_BYTES,
                open_timeout=OPEN_S,
                ping_interval=PING_S,
                ping_timeout=PONG_S,
                proxy=None,
            ) as socket:
                async for frame in socket:
                    yield frame
        except (InvalidHandshake, InvalidURI) as error:
            raise Transient(f"{PEER} refuses the connection ({type(error).__name__})") from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise Transient(f"the connection to {PEER} broke ({type(error).__name__})") from None
