from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chains.http import Http

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(timeout_s=5)
    yield http
    await http.aclose()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts an HTTP server that answers every request with the handler; gives its URL."""
    servers: list[TestServer] = []

    async def start(handler: Handler) -> str:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await handler(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("")).rstrip("/")

    yield start
    for server in servers:
        await server.close()
