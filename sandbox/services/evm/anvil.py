"""One anvil: started, asked, started again when it dies, and ended with its state on disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.anvil import anvil_binary
from sandbox.ports import HOST
from sandbox.processes import POLL_SECONDS, die_with_parent

logger = logging.getLogger(__name__)

# A state is some hundred kilobytes of memory and of the file: enough for reads at final blocks and
# for reorganisations. Left to itself anvil keeps hundreds, and thousands more in the home folder.
KEPT_STATES = 40
# What a killed anvil forgets at most.
STATE_INTERVAL_S = 30
ACCOUNTS = 24
RESTART_PAUSE_S = 0.2
START_SECONDS = 20
STOP_SECONDS = 10
ANSWER_SECONDS = 60
JSON = {"Content-Type": "application/json"}


class RpcError(Exception):
    """Anvil answered with an error."""


class Anvil:
    """Runs from `run()`'s start to its cancellation."""

    def __init__(self, *, chain_id: int, port: int, state: Path, mnemonic: str) -> None:
        self.chain_id = chain_id
        self._url = f"http://{HOST}:{port}"
        self._command = [
            str(anvil_binary()),
            "--quiet",
            f"--host={HOST}",
            f"--port={port}",
            f"--chain-id={chain_id}",
            f"--mnemonic={mnemonic}",
            f"--accounts={ACCOUNTS}",
            # Blocks are made by the gateway: anvil's own clock knows whole seconds only.
            "--no-mining",
            "--slots-in-an-epoch=1",
            f"--prune-history={KEPT_STATES}",
            "--preserve-historical-states",
            f"--state={state}",
            f"--state-interval={STATE_INTERVAL_S}",
        ]
        self._session: ClientSession | None = None
        self._asked = 0

    async def run(self, started: Callable[[], Awaitable[None]]) -> None:
        """Keep anvil running; `started` is awaited each time it answers again."""
        timeout = ClientTimeout(total=ANSWER_SECONDS)
        async with ClientSession(timeout=timeout) as self._session:
            while True:
                await self._live(started)
                await asyncio.sleep(RESTART_PAUSE_S)

    async def forward(self, body: bytes) -> bytes:
        """Anvil's answer to a request body, as it is.

        Raises:
            ClientError: there is none.
        """
        if self._session is None:
            raise ClientError("not started")
        async with self._session.post(self._url, data=body, headers=JSON) as response:
            return await response.read()

    async def ask(self, method: str, *params: object) -> Any:
        """The result of one call.

        Raises:
            RpcError: anvil refuses.
            ClientError: it does not answer.
        """
        self._asked += 1
        call = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params}
        answer = orjson.loads(await self.forward(orjson.dumps(call)))
        if "error" in answer:
            raise RpcError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    async def _live(self, started: Callable[[], Awaitable[None]]) -> None:
        """One life of the process."""
        child = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            # A session of its own: what kills the gateway's group leaves it time for its state.
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        try:
            if await self._answers(child):
                with contextlib.suppress(ClientError):  # it died at once
                    await started()
                await child.wait()
            logger.error("anvil of %s ended with status %s", self.chain_id, child.returncode)
        finally:
            await _end(child)

    async def _answers(self, child: asyncio.subprocess.Process) -> bool:
        """Wait for the first answer; False if the process ended or stayed mute."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while child.returncode is None and asyncio.get_running_loop().time() < deadline:
            with contextlib.suppress(ClientError):
                await self.ask("eth_chainId")
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), STOP_SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()
