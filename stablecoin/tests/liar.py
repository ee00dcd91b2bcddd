"""A provider between Fairlane and a real one, which changes what is said."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import orjson

Params = list[Any]
Answer = dict[str, Any]
# What is told instead of a true answer: the method, its parameters, and the answer.
Tale = Callable[[str, Params, Answer], Answer]


class Liar:
    """Passes questions on, and lies as it was told to.

    Attributes:
        tale: changes the answer of a single call.
        body: what everything is answered with, in the place of JSON.
    """

    def __init__(self, truth: str) -> None:
        self.tale: Tale | None = None
        self.body: bytes | None = None
        self._truth = truth
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = liar._answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/"

    def _answer(self, body: bytes) -> bytes:
        answered = httpx.post(self._truth, content=body, trust_env=False, timeout=30)
        if self.body is not None:
            return self.body
        if self.tale is None:
            return answered.content
        asked, said = orjson.loads(body), answered.json()
        if not isinstance(asked, list):
            return orjson.dumps(self.tale(asked["method"], asked["params"], said))
        by_id = {call["id"]: call for call in asked}
        calls = [by_id[answer["id"]] for answer in said]
        tales = zip(calls, said, strict=True)
        return orjson.dumps([self.tale(c["method"], c["params"], answer) for c, answer in tales])


@contextmanager
def lying(truth: str) -> Iterator[Liar]:
    """A liar in front of a provider, for as long as it is needed."""
    liar = Liar(truth)
    thread = Thread(target=liar.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield liar
    finally:
        liar.server.shutdown()
        thread.join()
        liar.server.server_close()
