"""Group commit: requests that arrive while a transaction runs share the next one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from channels.db import database_sync_to_async

Item = TypeVar("Item")
Result = TypeVar("Result")

# Rows one transaction takes at most, so that nobody waits long for one that is already full.
MAX_ITEMS = 256


class GroupCommit(Generic[Item, Result]):
    """Turns single submissions into batches, one batch at a time.

    Args:
        commit: stores a batch and returns a result for each item; runs in a thread of its own.
            What it raises, every submitter of the batch gets.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._commit = database_sync_to_async(
            commit, thread_sensitive=False, executor=ThreadPoolExecutor(1, "group-commit")
        )
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._runner: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Store one item together with whatever else waits; returns when it is committed."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        # A caller that goes away must not take the others' answers with it.
        return await asyncio.shield(future)

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_ITEMS], self._waiting[MAX_ITEMS:]
            try:
                results = await self._commit([item for item, _ in batch])
            except Exception as error:  # handed to the submitters, who answer for it
                for _, future in batch:
                    future.set_exception(error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
