"""The compliance service: its socket for speed, its REST interface so that nothing is missed."""

import asyncio
import contextlib
import random
from collections.abc import Sequence

import structlog
from django.db import DatabaseError

from chains.errors import ChainError
from chains.evm.ports import ComplianceFeed
from fairlane.core.threads import in_thread
from stablecoin import probes
from stablecoin.listening import inbox
from stablecoin.listening.standby import pause

logger = structlog.get_logger(__name__)

CATCH_UP_S = 30.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# Frames are stored in sets of up to so many.
SET = 500


class KuroListener:
    """Follows the service for as long as it runs; connections that break are made again."""

    def __init__(self, feed: ComplianceFeed, stopping: asyncio.Event) -> None:
        self._feed = feed
        self._stopping = stopping
        self._frames: asyncio.Queue[object] = asyncio.Queue(maxsize=10 * SET)
        self._failures = 0

    async def run(self) -> None:
        """Listen, catch up and store side by side."""
        tasks = [asyncio.create_task(t) for t in (self._listen(), self._catch_up(), self._store())]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        while not self._stopping.is_set():
            error = "it closed the connection"
            try:
                await self._fetch()
                async for frame in self._feed.frames():
                    self._failures = 0
                    await self._frames.put(frame)
            except ChainError as trouble:
                error = str(trouble)
            self._failures += 1
            logger.warning("kuro.disconnected", error=error, failures=self._failures)
            await self._tell(error)
            doubled = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10))
            await pause(doubled * random.uniform(0.5, 1.5), self._stopping)

    async def _catch_up(self) -> None:
        """What the socket lost comes by REST, at the latest after half a minute."""
        while not self._stopping.is_set():
            await pause(CATCH_UP_S, self._stopping)
            try:
                await self._fetch()
            except ChainError as error:
                logger.warning("kuro.catch_up_failed", error=str(error))
                await self._tell(str(error))

    async def _fetch(self) -> None:
        """
        Raises:
            Transient: the service is out of reach.
        """
        for approved in await self._feed.pending():
            await self._frames.put(approved)
        await self._tell("")

    async def _store(self) -> None:
        while True:
            frames = [await self._frames.get()]
            while len(frames) < SET and not self._frames.empty():
                frames.append(self._frames.get_nowait())
            await self._store_set(frames)

    async def _store_set(self, frames: Sequence[object]) -> None:
        """Store a set, for as long as the database is away too."""
        while True:
            try:
                await in_thread(inbox.store)(frames)
            except DatabaseError as error:
                logger.warning("kuro.not_stored", error=type(error).__name__, frames=len(frames))
                await pause(1.0, self._stopping)
                if self._stopping.is_set():
                    # They are pending there until they are settled: the next start reads them.
                    return
            else:
                return

    async def _tell(self, error: str) -> None:
        with contextlib.suppress(DatabaseError):
            await in_thread(probes.record)(probes.COMPLIANCE, error=error)
