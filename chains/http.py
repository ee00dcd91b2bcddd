"""HTTP to the outside world: one connection pool per event loop, and nothing trusted."""

import asyncio
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import aiohttp

from chains.errors import TooLarge, Transient, of_http_status

# A hundred transactions with their logs stay below 2 MiB; what is far beyond is not an answer.
MAX_RESPONSE_BYTES = 16 * 1024 * 1024

_HEADERS = {"Content-Type": "application/json", "User-Agent": "fairlane"}


class Http:
    """Posts and gets. One instance serves every thread and event loop of a process, and survives a
    fork: each loop gets its own pool on first use.

    URLs may hold keys, so no error names one: errors name the peer.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        connections: int = 32,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._connections = connections
        self._max_response_bytes = max_response_bytes
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = (
            WeakKeyDictionary()
        )

    async def post(
        self, url: str, body: bytes, *, peer: str, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The body of the 2xx answer to JSON.

        Raises:
            Transient: no answer in time, or one that says nothing about the request.
            Definitive: the peer rejects the request.
            TooLarge: its answer is that.
        """
        return await self._ask("POST", url, body, {**_HEADERS, **(headers or {})}, peer)

    async def get(self, url: str, *, peer: str, headers: Mapping[str, str]) -> bytes:
        """The body of the 2xx answer.

        Raises:
            Transient, Definitive, TooLarge: as `post`.
        """
        return await self._ask("GET", url, None, {"User-Agent": "fairlane", **headers}, peer)

    async def _ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], peer: str
    ) -> bytes:
        try:
            async with self._session().request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if not 200 <= response.status < 300:
                    raise of_http_status(response.status, peer=peer)
                return await self._read(response, peer=peer)
        except TimeoutError:
            raise Transient(f"{peer} did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Transient(f"{peer} could not be reached ({type(error).__name__})") from None

    async def aclose(self) -> None:
        """Close the running loop's pool."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def _read(self, response: aiohttp.ClientResponse, *, peer: str) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_response_bytes:
                raise TooLarge(f"{peer} answered more than {self._max_response_bytes} bytes")
        return bytes(body)

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
            )
        return session
