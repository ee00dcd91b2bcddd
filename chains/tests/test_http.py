import asyncio
import socket

import pytest
from aiohttp import web

from chains.errors import Definitive, Transient
from chains.http import Http
from chains.tests.conftest import Serve


async def test_the_body_comes_back_unparsed(serve: Serve, http: Http) -> None:
    async def echo(request: web.Request) -> web.Response:
        assert request.method == "POST"
        assert request.content_type == "application/json"
        return web.Response(body=await request.read())

    assert await http.post(await serve(echo), b"[1]", peer="peer") == b"[1]"


async def test_a_post_has_its_own_headers_beside_the_usual_ones(serve: Serve, http: Http) -> None:
    async def echo(request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        return web.Response(text=request.headers["Authorization"])

    headers = {"Authorization": "Bearer secret"}
    answer = await http.post(await serve(echo), b"[1]", peer="peer", headers=headers)
    assert answer == b"Bearer secret"


async def test_redirects_are_not_followed(serve: Serve, http: Http) -> None:
    asked = []

    async def redirect(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    with pytest.raises(Transient, match=r"^peer answered HTTP 302$"):
        await http.post(await serve(redirect), b"", peer="peer")
    assert asked == ["/"]


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_beyond_the_limit_is_refused(serve: Serve, compressed: bool) -> None:
    async def flood(request: web.Request) -> web.Response:
        response = web.Response(body=b" " * 100_000)
        if compressed:
            response.enable_compression(web.ContentCoding.gzip)
        return response

    http = Http(timeout_s=5, max_response_bytes=99_999)
    with pytest.raises(Definitive, match=r"more than 99999 bytes"):
        await http.post(await serve(flood), b"", peer="peer")
    await http.aclose()


async def test_a_peer_that_keeps_silent_is_given_up(serve: Serve) -> None:
    released = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    http = Http(timeout_s=0.05)
    with pytest.raises(Transient, match=r"^peer did not answer in time$"):
        await http.post(await serve(hang), b"", peer="peer")
    released.set()
    await http.aclose()


async def test_a_connection_that_breaks_is_transient(serve: Serve, http: Http) -> None:
    async def vanish(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    with pytest.raises(Transient, match=r"^peer could not be reached"):
        await http.post(await serve(vanish), b"", peer="peer")


async def test_errors_do_not_show_the_url(http: Http) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        url = f"http://user:password@127.0.0.1:{port}/?api-key=secret"
        with pytest.raises(Transient) as caught:
            await http.post(url, b"", peer="peer")
    assert str(caught.value) == "peer could not be reached (ClientConnectorError)"
    assert caught.value.__suppress_context__


def test_one_instance_serves_one_event_loop_after_the_other() -> None:
    http = Http(timeout_s=5)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def ask() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            try:
                return await http.post(f"http://127.0.0.1:{port}", b"", peer="peer")
            finally:
                await http.aclose()

    assert [asyncio.run(ask()), asyncio.run(ask())] == [b"ok", b"ok"]
