"""A lean HTTP/1.1 client: prepared requests over connections that stay open, in its own process.

It shares two cores with what it measures, so it does as little as it can: it formats nothing while
it runs, and reads of an answer the status and the length.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from multiprocessing import get_context
from typing import cast

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: each connection sends the next request as soon as the last was answered.

    Attributes:
        requests: sent one after the other, again from the start where they run out.
        count: answers after which it stops; where it is None, `seconds` is the end.
    """

    port: int
    connections: int
    requests: Sequence[bytes]
    seconds: float
    count: int | None = None


@dataclass(slots=True)
class Outcome:
    """What came back: `latencies` in seconds, ascending; `statuses` counts the answers by status.

    `started_at` and `ended_at` are Unix times of the first request and the last answer.
    """

    started_at: float
    ended_at: float
    cpu_seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return self.ended_at - self.started_at

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds that `percent` of the answers took at most."""
        return 1_000 * self.latencies[int((len(self.latencies) - 1) * percent / 100)]

    def require(self, status: int) -> "Outcome":
        """This outcome, if every answer had the status: a fast refusal is no result."""
        if set(self.statuses) != {status}:
            raise RuntimeError(f"answers by status: {self.statuses}, {status} was expected")
        return self


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a POST request with a JSON body."""
    return _request("POST", path, {**headers, "Content-Type": "application/json"}, body)


def get(path: str, headers: dict[str, str]) -> bytes:
    """The bytes of a GET request."""
    return _request("GET", path, headers, b"")


def run(load: Load) -> Outcome:
    """Send the load from a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, load).result()


def _request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    fields = {"Host": "127.0.0.1", **headers}
    if body:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _run(load: Load) -> Outcome:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Generator(load).send())


class _Generator:
    """The state all connections of a load share."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._requests = (
            cycle(load.requests) if load.count is None else islice(cycle(load.requests), load.count)
        )
        self.outcome = Outcome(0, 0, 0)
        self.deadline = 0.0

    async def send(self) -> Outcome:
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._load.port))[
                1
            ]
            for _ in range(self._load.connections)
        ]
        cpu = time.process_time()
        self.outcome.started_at = time.time()
        self.deadline = time.perf_counter() + self._load.seconds
        for connection in connections:
            connection.send_next()
        await asyncio.gather(*(connection.done for connection in connections))
        self.outcome.ended_at = time.time()
        self.outcome.cpu_seconds = time.process_time() - cpu
        self.outcome.latencies.sort()
        return self.outcome

    def next_request(self) -> bytes | None:
        """What a free connection sends now; None at the end."""
        return next(self._requests, None) if time.perf_counter() < self.deadline else None


class _Connection(asyncio.Protocol):
    def __init__(self, generator: _Generator) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._generator = generator
        self._buffer = b""
        self._size = 0
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def send_next(self) -> None:
        request = self._generator.next_request()
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._size:
            head, found, _ = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._size = len(head) + 4 + _content_length(head)
        if len(self._buffer) >= self._size:
            self._answered(int(self._buffer[9:12]))

    def _answered(self, status: int) -> None:
        outcome = self._generator.outcome
        outcome.latencies.append(time.perf_counter() - self._sent_at)
        outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
        self._buffer, self._size = b"", 0
        self.send_next()


def _content_length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + 15
    end = head.find(b"\r\n", at)
    return int(head[at : end if end >= 0 else None])
