"""The gateway's HTTP interface."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from aiohttp import ClientError, web

from sandbox.services.evm.anvil import RpcError
from sandbox.services.evm.chain import Chain
from sandbox.services.evm.knobs import KnobError, ProviderKnobs
from sandbox.services.evm.provider import Provider

logger = logging.getLogger(__name__)

PROVIDERS = ("a", "b")
# A batch of large transactions.
MAX_BODY_BYTES = 8 * 1024 * 1024
HEALTH_SECONDS = 2


def application(chains: Mapping[int, Chain]) -> web.Application:
    """The routes over `chains`, which run as long as the application does."""

    async def run_chains(app: web.Application) -> AsyncIterator[None]:
        running = [asyncio.create_task(chain.run()) for chain in chains.values()]
        for task in running:
            task.add_done_callback(_end_with)
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    server = Server(chains)
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_reasons])
    app.cleanup_ctx.append(run_chains)
    app.router.add_get("/health", server.health)
    app.router.add_get("/{chain}/stats", server.stats)
    app.router.add_get("/{chain}/knobs", server.chain_knobs)
    app.router.add_post("/{chain}/knobs", server.turn_chain)
    app.router.add_delete("/{chain}/knobs", server.mend)
    app.router.add_post("/{chain}/reorg", server.reorg)
    app.router.add_post("/{chain}/mine", server.mine)
    app.router.add_get("/{chain}/{node}/health", server.provider_health)
    app.router.add_get("/{chain}/{node}/knobs", server.provider_knobs)
    app.router.add_post("/{chain}/{node}/knobs", server.turn_provider)
    app.router.add_post("/{chain}/{node}", server.rpc)
    return app


def _end_with(task: asyncio.Task[None]) -> None:
    """A gateway whose chain broke must not go on as if it had it."""
    if not task.cancelled() and (error := task.exception()):
        logger.error("a chain broke", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)


class Server:
    def __init__(self, chains: Mapping[int, Chain]) -> None:
        self._chains = {str(chain_id): chain for chain_id, chain in chains.items()}
        self._providers = {
            name: {node: Provider(chain) for node in PROVIDERS}
            for name, chain in self._chains.items()
        }

    async def rpc(self, request: web.Request) -> web.Response:
        provider = self._provider(request)
        knobs = provider.knobs
        body = await request.read()
        if knobs.delay_ms:
            await asyncio.sleep(knobs.delay_ms / 1000)
        if knobs.down:
            return _hung_up(request)
        if knobs.http_status is not None:
            return web.Response(status=knobs.http_status)
        answer = await provider.answer(body)
        if answer is None:
            return _hung_up(request)
        return web.Response(body=answer, content_type="application/json")

    async def health(self, request: web.Request) -> web.Response:
        """Healthy while every chain answers."""
        heights: dict[str, int | None] = dict.fromkeys(self._chains)
        with contextlib.suppress(TimeoutError, ClientError, RpcError):
            async with asyncio.timeout(HEALTH_SECONDS):
                for name, chain in self._chains.items():
                    heights[name] = await chain.height()
        well = all(height is not None for height in heights.values())
        return _response({"chains": heights}, status=200 if well else 503)

    async def provider_health(self, request: web.Request) -> web.Response:
        """Healthy while the provider's chain answers; what its knobs are is not looked at."""
        self._provider(request)
        return _response({"height": await self._chain(request).height()})

    async def stats(self, request: web.Request) -> web.Response:
        """How often each method was called, by provider."""
        providers = self._providers[self._name(request)]
        return _response({node: provider.calls for node, provider in providers.items()})

    async def chain_knobs(self, request: web.Request) -> web.Response:
        return _response(self._chain(request).knobs.to_json())

    async def turn_chain(self, request: web.Request) -> web.Response:
        chain = self._chain(request)
        await chain.turn(chain.knobs.changed(await _json(request)))
        return _response(chain.knobs.to_json())

    async def mend(self, request: web.Request) -> web.Response:
        """Turn every knob of a chain and of its providers back to where it was at the start."""
        chain = self._chain(request)
        for provider in self._providers[self._name(request)].values():
            provider.knobs = ProviderKnobs()
        await chain.turn(chain.started_with)
        return _response(chain.knobs.to_json())

    async def provider_knobs(self, request: web.Request) -> web.Response:
        return _response(self._provider(request).knobs.to_json())

    async def turn_provider(self, request: web.Request) -> web.Response:
        provider = self._provider(request)
        provider.knobs = provider.knobs.changed(await _json(request))
        return _response(provider.knobs.to_json())

    async def reorg(self, request: web.Request) -> web.Response:
        given = await _fields(request, "depth", "transactions")
        answer = await self._chain(request).reorganise(given["depth"], given["transactions"])
        return _response(answer)

    async def mine(self, request: web.Request) -> web.Response:
        given = await _fields(request, "blocks")
        return _response({"head": await self._chain(request).mine(given["blocks"])})

    def _name(self, request: web.Request) -> str:
        name = request.match_info["chain"]
        if name not in self._chains:
            raise web.HTTPNotFound(text=f"no chain {name}")
        return name

    def _chain(self, request: web.Request) -> Chain:
        return self._chains[self._name(request)]

    def _provider(self, request: web.Request) -> Provider:
        node = request.match_info["node"]
        if node not in PROVIDERS:
            raise web.HTTPNotFound(text=f"no provider {node}")
        return self._providers[self._name(request)][node]


@web.middleware
async def _reasons(request: web.Request, handler: Any) -> web.StreamResponse:
    """What is wrong, as a status."""
    try:
        response: web.StreamResponse = await handler(request)
    except ClientError as error:
        return _response({"error": f"the chain does not answer: {error}"}, status=503)
    except RpcError as error:
        return _response({"error": str(error)}, status=502)
    except ValueError as error:
        return _response({"error": str(error)}, status=400)
    return response


def _hung_up(request: web.Request) -> web.Response:
    """Close the connection; what is returned here reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _json(request: web.Request) -> Any:
    return orjson.loads(await request.read())


async def _fields(request: web.Request, *names: str) -> dict[str, Any]:
    given = await _json(request)
    if not isinstance(given, dict) or set(given) != set(names):
        raise KnobError(f"the body must be an object of {', '.join(names)}")
    return given


def _response(body: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
