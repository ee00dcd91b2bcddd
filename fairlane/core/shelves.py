"""Answers that are dear to make: each is made by one thread at a time, and kept if it is final."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import sha256
from threading import BoundedSemaphore, Lock

from django.db import connections

from fairlane.core.errors import Problem, unavailable


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of an answer, with the hash that names them.

    Attributes:
        final: whether it will be the same for ever.
    """

    body: bytes
    final: bool
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha256(self.body).hexdigest())


class Shelf:
    """What a process has made, by key; the answers not asked for longest make room.

    Args:
        room: bytes that are kept.
        makers: threads that make something at a time. The work is Python's, so that more would
            only take the interpreter from everything else in the process.
        patience_s: seconds that a caller waits for its turn, or for another's answer.
    """

    def __init__(self, *, room: int, makers: int, patience_s: float) -> None:
        self._room = room
        self._makers = BoundedSemaphore(makers)
        self._patience_s = patience_s
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._size = 0
        self._coming: dict[Hashable, Future[Answer]] = {}

    def kept(self, key: Hashable) -> Answer | None:
        """The answer, if it is there."""
        with self._lock:
            return self._look(key)

    def get(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        """The answer: kept, or being made for somebody else, or made now.

        Raises:
            Problem: 503, it takes longer than anyone should wait.
            Exception: what `make` raises, for all who wait for it.
        """
        with self._lock:
            found = self._look(key)
            if found is not None:
                return found
            coming = self._coming.get(key)
            mine = coming is None
            if coming is None:
                coming = self._coming[key] = Future()
        _give_connections_back()
        if not mine:
            return self._await(coming)
        try:
            answer = self._make(make)
        except BaseException as error:
            self._finish(key)
            coming.set_exception(error)
            raise
        self._finish(key, answer)
        coming.set_result(answer)
        return answer

    def forget(self) -> None:
        """Keep nothing of what was made so far."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def _look(self, key: Hashable) -> Answer | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def _await(self, coming: Future[Answer]) -> Answer:
        try:
            return coming.result(self._patience_s)
        except TimeoutError:
            if coming.done():
                raise
            raise self._busy() from None

    def _make(self, make: Callable[[], Answer]) -> Answer:
        if not self._makers.acquire(timeout=self._patience_s):
            raise self._busy()
        try:
            return make()
        finally:
            self._makers.release()

    def _busy(self) -> Problem:
        return unavailable("It is being worked out; ask again.", retry_after_s=2)

    def _finish(self, key: Hashable, answer: Answer | None = None) -> None:
        """Let later callers make it anew, or find it."""
        with self._lock:
            del self._coming[key]
            if answer is None or not answer.final or len(answer.body) > self._room:
                return
            self._kept[key] = answer
            self._size += len(answer.body)
            while self._size > self._room:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped.body)


def _give_connections_back() -> None:
    """Who waits must not hold one of the few connections of the process meanwhile."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
