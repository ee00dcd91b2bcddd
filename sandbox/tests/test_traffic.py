"""Demo traffic: orders the API takes, fewer of them while it does not."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox import traffic
from sandbox.tokens import TOKENS
from sandbox.world import TRADER_USD

WALLET = "11111111111111111111111111111111"


class Api(ThreadingHTTPServer):
    """Answers every order with `status` and keeps what it got."""

    status = 202
    after: int
    done: threading.Event

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, str, dict[str, Any]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.path, self.headers["Authorization"], body))
        if len(self.server.got) == self.server.after:
            self.server.done.set()
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(api: Api, *, until: int) -> None:
    api.after, api.done = until, threading.Event()
    world = {
        "base_url": f"http://127.0.0.1:{api.server_port}",
        "api_keys": {"demo": "flk_demo"},
        "wallets": {"trader-01": WALLET},
    }
    traffic.run(world, api.done)


def test_orders_go_through_the_public_api_with_the_demo_key(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "PAUSE_SECONDS", (0, 0))
    run(api, until=20)
    assert {(path, key) for path, key, _ in api.got} == {("/api/orders/execute", "Bearer flk_demo")}
    assert {body["userWallet"] for _, _, body in api.got} == {WALLET}


def test_a_refusal_makes_the_next_pause_longer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.status = 429
    pauses: list[float] = []

    def backoff(pause: float) -> float:
        pauses.append(pause)
        return pause + 0.01

    monkeypatch.setattr(traffic, "backoff", backoff)
    run(api, until=3)
    assert pauses == pytest.approx([0, 0.01, 0.02])


def test_pauses_double_up_to_a_minute() -> None:
    pauses = [traffic.backoff(0)]
    while len(pauses) < 6:
        pauses.append(traffic.backoff(pauses[-1]))
    assert pauses == [6, 12, 24, 48, 60, 60]


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.symbol)
def test_amounts_are_plain_decimals_far_below_a_wallets_balance(token: Any) -> None:
    for usd in traffic.USD:
        text = traffic.amount(token, usd)
        amount = Decimal(text)
        assert "E" not in text
        assert 0 < amount * token.usd <= TRADER_USD / 1000
        assert amount == amount.quantize(Decimal(1).scaleb(-token.decimals))


def test_the_two_tokens_of_an_order_differ() -> None:
    orders = [traffic.order(WALLET) for _ in range(200)]
    assert all(order["inputToken"] != order["outputToken"] for order in orders)
    assert {order["inputToken"] for order in orders} == {token.symbol for token in TOKENS}
