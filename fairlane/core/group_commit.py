"""Group commit: requests that arrive while a transaction runs share the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from channels.db import database_sync_to_async

Item = TypeVar("Item")
Result = TypeVar("Result")

# What one transaction takes at most, so that nobody waits long for one that is already full.
MAX_WEIGHT = 2_000


class GroupCommit(Generic[Item, Result]):
    """Turns single submissions into batches, one batch at a time.

    Args:
        commit: stores a batch and returns a result for each item; runs in a thread of its own.
            What it raises, every submitter of the batch gets.
        weight: rows an item stands for.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        weight: Callable[[Item], int],
    ) -> None:
        self._weight = weight
        self._commit = database_sync_to_async(
            commit, thread_sensitive=False, executor=ThreadPoolExecutor(1, "group-commit")
        )
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
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
            batch = self._take()
            try:
                results = await self._commit([item for item, _ in batch])
            except Exception as error:  # handed to the submitters, who answer for it
                for _, future in batch:
                    future.set_exception(error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        """The next batch: the first that waits, and more as long as they are not too much."""
        batch = [self._waiting.popleft()]
        weight = self._weight(batch[0][0])
        while self._waiting:
            weight += self._weight(self._waiting[0][0])
            if weight > MAX_WEIGHT:
                break
            batch.append(self._waiting.popleft())
        return batch
