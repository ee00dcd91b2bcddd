"""One event loop per process for synchronous callers."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class EventLoopThread:
    """An event loop on a thread of its own, started on first use.

    It keeps running between calls, so connections stay open. Any thread may call; a forked child
    inherits no thread and starts its own loop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        os.register_at_fork(after_in_child=self._forget)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result. Where the wait is interrupted, the coroutine is cancelled.

        Raises:
            RuntimeError: called from a running event loop, which has to await instead.
        """
        if _in_event_loop():
            coroutine.close()
            raise RuntimeError("an event loop is running in this thread: await the coroutine")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, coroutine: Coroutine[Any, Any, None]) -> Future[None]:
        """Let a coroutine run beside the others, until it is cancelled or the process ends."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())

    def is_running(self) -> bool:
        return self._loop is not None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._loop.run_forever, name="chains-event-loop", daemon=True
                ).start()
            return self._loop

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._loop = None


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
