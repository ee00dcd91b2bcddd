"""One chain: its anvil, who makes blocks when, and reorganisations."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from aiohttp import ClientError

from sandbox.services.evm.anvil import Anvil, RpcError
from sandbox.services.evm.knobs import MAX_DEPTH, ChainKnobs, KnobError

logger = logging.getLogger(__name__)

MAX_BLOCKS = 10_000
Fate = Literal["keep", "drop"]


class Chain:
    """Requests go through at any time, except while the chain is being reorganised: a node
    switches to another fork in one step."""

    def __init__(self, anvil: Anvil, *, block_ms: int) -> None:
        self.anvil = anvil
        self.started_with = ChainKnobs(block_ms=block_ms)
        self.knobs = self.started_with
        self._turned = asyncio.Event()
        self._mining = asyncio.Lock()
        self._open = asyncio.Event()
        self._open.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._inside = 0

    async def run(self) -> None:
        """Keep anvil alive and make blocks, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.anvil.run(self._set_mode))
            tasks.create_task(self._make_blocks())

    async def forward(self, body: bytes, *, sends: bool = False) -> bytes:
        """The chain's answer to a request body.

        Raises:
            ClientError: anvil does not answer.
        """
        await self._open.wait()
        self._inside += 1
        self._idle.clear()
        try:
            if sends and self._is_instant and self.knobs.base_fee is not None:
                await self._set_base_fee()
            return await self.anvil.forward(body)
        finally:
            self._inside -= 1
            if not self._inside:
                self._idle.set()

    async def turn(self, knobs: ChainKnobs) -> None:
        """Have other knobs from now on."""
        was_stalled = self.knobs.stall
        self.knobs = knobs
        self._turned.set()
        async with self._mining:
            await self._set_mode()
            if was_stalled and self._is_instant:
                await self._mine(1)  # what was sent meanwhile

    async def mine(self, blocks: object) -> int:
        """Make blocks, even where the chain stalls; returns the new height.

        Raises:
            KnobError: not a number of blocks.
        """
        count = _number(blocks, "blocks", MAX_BLOCKS)
        async with self._mining:
            await self._mine(count)
            return await self.height()

    async def height(self) -> int:
        return int(await self.anvil.ask("eth_blockNumber"), 16)

    async def reorganise(self, depth: object, transactions: object) -> dict[str, Any]:
        """Replace the last `depth` blocks by one more, of other hashes. Their transactions are
        mined again at the new head ("keep"), or are gone ("drop"); the pool stays.

        Raises:
            KnobError: there are not so many blocks, or it is unclear what becomes of them.
        """
        if transactions not in ("keep", "drop"):
            raise KnobError("transactions must be keep or drop")
        number = _number(depth, "depth", MAX_DEPTH)
        async with self._mining, self._alone():
            head = await self.height()
            if number > head:
                raise KnobError(f"there are only {head} blocks")
            mined = await self._mined(head - number + 1, head)
            pool = await self._pool()
            await self.anvil.ask("anvil_dropAllTransactions")
            await self.anvil.ask("evm_setAutomine", False)
            await self.anvil.ask("anvil_rollback", number)
            # Another miner, so that blocks of the same second get other hashes all the same.
            await self.anvil.ask("anvil_setCoinbase", f"0x{secrets.token_hex(20)}")
            await self._mine(number)
            if transactions == "keep":
                await self._send(mined)
            await self._mine(1)
            await self._send(pool)
            await self._set_mode()
        return {"head": head + 1, "replaced": [head - number + 1, head]}

    @property
    def _is_instant(self) -> bool:
        return self.knobs.block_ms == 0 and not self.knobs.stall

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """With no request inside, and none coming in."""
        self._open.clear()
        try:
            await self._idle.wait()
            yield
        finally:
            self._open.set()

    async def _make_blocks(self) -> None:
        while True:
            if self.knobs.stall or not self.knobs.block_ms:
                await self._turned.wait()
                self._turned.clear()
                continue
            try:
                await asyncio.wait_for(self._turned.wait(), self.knobs.block_ms / 1000)
                self._turned.clear()
                continue
            except TimeoutError:
                pass
            try:
                async with self._mining:
                    await self._mine(1)
            except (ClientError, RpcError, TimeoutError) as error:
                logger.warning("no block on %s: %s", self.anvil.chain_id, error)

    async def _mine(self, blocks: int) -> None:
        if self.knobs.base_fee is None:
            await self.anvil.ask("anvil_mine", hex(blocks))
            return
        for _ in range(blocks):
            await self._set_base_fee()
            await self.anvil.ask("anvil_mine", "0x1")

    async def _set_base_fee(self) -> None:
        await self.anvil.ask("anvil_setNextBlockBaseFeePerGas", hex(self.knobs.base_fee or 0))

    async def _set_mode(self) -> None:
        await self.anvil.ask("evm_setAutomine", self._is_instant)

    async def _mined(self, first: int, last: int) -> list[str]:
        """The raw transactions of blocks, in their order."""
        hashes: list[str] = []
        for number in range(first, last + 1):
            block = await self.anvil.ask("eth_getBlockByNumber", hex(number), False)
            hashes += block["transactions"]
        return await self._raw(hashes)

    async def _pool(self) -> list[str]:
        """The raw transactions that wait, each sender's in the order of their nonces."""
        content = await self.anvil.ask("txpool_content")
        waiting = [
            (int(nonce), transaction["hash"])
            for part in content.values()
            for sender in part.values()
            for nonce, transaction in sender.items()
        ]
        return await self._raw([name for _, name in sorted(waiting)])

    async def _raw(self, hashes: Sequence[str]) -> list[str]:
        return [await self.anvil.ask("eth_getRawTransactionByHash", name) for name in hashes]

    async def _send(self, transactions: Sequence[str]) -> None:
        """Put transactions into the pool; those the new fork has no place for are gone."""
        for raw in transactions:
            try:
                await self.anvil.ask("eth_sendRawTransaction", raw)
            except RpcError as error:
                logger.warning("lost in the reorganisation: %s", error)


def _number(value: object, name: str, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise KnobError(f"{name} must be a whole number from 1 to {most}")
    return value
