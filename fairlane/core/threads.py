"""The threads in which the event loop's own code asks the database."""

from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async

Params = ParamSpec("Params")
Result = TypeVar("Result")

# Few, since each takes a connection of the process's pool while it works, and more than one, so
# that a slow snapshot holds up neither the lookup of a key nor the feed.
_executor = ThreadPoolExecutor(4, "database")


def in_thread(call: Callable[Params, Result]) -> Callable[Params, Coroutine[Any, Any, Result]]:
    """The call as a coroutine that runs in one of the threads, whose connection it gives back.

    Without an executor of its own everything outside Django's handler would share one thread.
    """
    return database_sync_to_async(call, thread_sensitive=False, executor=_executor)
