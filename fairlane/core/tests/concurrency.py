"""Other connections of the test's database, for what happens at the same time."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, connections

T = TypeVar("T")


def elsewhere(do: Callable[[], T]) -> T:
    """What ``do`` returns on another connection."""
    with at_the_same_time(do) as future:
        return future.result(timeout=20)


@contextmanager
def at_the_same_time(do: Callable[[], T]) -> Iterator[Future[T]]:
    """Run ``do`` on another connection while the block runs; its end is awaited."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(do())
        except BaseException as error:
            future.set_exception(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield future
    finally:
        thread.join(timeout=20)


def wait_for_a_lock() -> None:
    """Return when another connection of this database waits for a lock."""
    while not scalar(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    ):
        pass


def scalar(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]
