"""A balancer in front of a node, behind which another node is some slots late."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
from pytest_django import Settings

from batches.tests.outside import Chain
from chains import registry as adapters


class Balancer:
    """Passes everything on, but for accounts that the late node is asked for.

    Attributes:
        late: how many of the next questions for accounts the late node answers.
        asked: how many it has answered.
        fees: what recent transactions have paid, in micro-lamports per unit; None for what the node
            says.
    """

    fees: list[int] | None = None

    def __init__(self, chain: Chain, *addresses: str) -> None:
        """From now on the late node stands still, and knows the accounts as they are."""
        self.late = self.asked = 0
        self._node = chain.url
        options = {"encoding": "base64", "commitment": "confirmed"}
        found = chain.call("getMultipleAccounts", list(addresses), options)
        self._slot = found["context"]["slot"]
        self._accounts = dict(zip(addresses, found["value"], strict=True))

    def answer(self, body: Any) -> Any:
        calls = body if isinstance(body, list) else [body]
        if self.late and all(call["method"] == "getMultipleAccounts" for call in calls):
            self.late, self.asked = self.late - 1, self.asked + 1
            answers = [self._answer(call) for call in calls]
            return answers if isinstance(body, list) else answers[0]
        if self.fees is not None and calls[0]["method"] == "getRecentPrioritizationFees":
            paid = [{"slot": n, "prioritizationFee": fee} for n, fee in enumerate(self.fees)]
            return {"jsonrpc": "2.0", "id": body["id"], "result": paid}
        return httpx.post(self._node, json=body, trust_env=False).json()

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        values = [self._accounts[address] for address in call["params"][0]]
        result = {"context": {"slot": self._slot}, "value": values}
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}


@contextmanager
def served(balancer: Balancer) -> Iterator[str]:
    """Where the balancer answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps(balancer.answer(body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def through(settings: Settings, url: str, chain: Chain) -> None:
    """Let this process ask the balancer; slots are told by the node itself."""
    settings.SOLANA_RPC_URL, settings.SOLANA_WEBSOCKET_URL = url, chain.websocket_url
    adapters.forget()
