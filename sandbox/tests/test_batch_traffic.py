"""Traders of fair batches: orders that the API takes, fewer of them while it does not."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from batches.records import Order, OrderType, Side, TimeInForce, signed_by
from sandbox import batch_traffic
from sandbox.batch_orders import BUY, SELL, Terms, body, name
from sandbox.batch_traffic import COLLAR_SHARE, LIFE_SLOTS, SWING, WORST, WORTH, order, price_ticks

SLOT = 1_000
TRADER = Keypair.from_seed(bytes([1] * 32))
ADDRESS = str(Keypair.from_seed(bytes([2] * 32)).pubkey())
MARKET: dict[str, Any] = {
    "market": "SOL-USDC",
    "address": ADDRESS,
    "base": {"symbol": "SOL", "mint": ADDRESS, "decimals": 9},
    "quote": {"symbol": "USDC", "mint": ADDRESS, "decimals": 6},
    "lot": "1000000",
    "tick": "10",
    "feeBps": 10,
    "collarBps": 500,
    "active": True,
    "paused": False,
    "reference": {"tick": 16_000, "price": "160"},
}


class Api(ThreadingHTTPServer):
    """The API and the node in one: it answers orders with `status` and keeps what it got."""

    status = 201
    cancel_status = 202
    after: int
    done: threading.Event

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, str]] = []
        self.orders: list[dict[str, str]] = []
        self.keys: set[str | None] = set()
        self.markets = [MARKET, MARKET | {"paused": True, "market": "JUP-USDC"}]

    def note(self, method: str, path: str, key: str | None) -> None:
        self.got.append((method, path))
        self.keys.add(key)
        if len(self.got) >= self.after:
            self.done.set()


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        self._answer(200, {"markets": self.server.markets})

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/":
            self._answer(200, {"result": SLOT})
            return
        self.server.orders.append(content)
        self.server.note("POST", self.path, self.headers["Authorization"])
        self._answer(self.server.status, {})

    def do_DELETE(self) -> None:
        self.server.note("DELETE", self.path, self.headers["Authorization"])
        self._answer(self.server.cancel_status, {})

    def _answer(self, status: int, content: object) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(batch_traffic, "PAUSE_SECONDS", (0, 0))
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(api: Api, *, until: int) -> None:
    api.after, api.done = until, threading.Event()
    url = f"http://127.0.0.1:{api.server_port}"
    world = {
        "base_url": url,
        "api_keys": {"demo": "flk_demo"},
        "services": {"solana": f"{url}/"},
    }
    batch_traffic.run(world, [TRADER], api.done)


def made(count: int = 500) -> list[Terms]:
    return [order(MARKET, slot=SLOT, now=at) for at in range(count)]


def test_signed_orders_go_to_markets_that_take_some(api: Api) -> None:
    run(api, until=30)
    assert {path for method, path in api.got if method == "POST"} == {
        "/api/batches/SOL-USDC/orders"
    }
    assert api.keys == {"Bearer flk_demo"}
    for sent in api.orders:
        record = bytes.fromhex(sent["record"])
        parsed = Order.parse(record)
        assert parsed.owner == bytes(TRADER.pubkey())
        assert parsed.market == bytes(Pubkey.from_string(ADDRESS))
        assert signed_by(parsed.owner, record, bytes(Signature.from_string(sent["signature"])))


@pytest.mark.parametrize("cancel_status", [202, 409])
def test_an_order_is_cancelled_now_and_then_by_its_hash(
    cancel_status: int, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_traffic, "CANCEL_ONE_IN", 1)
    api.cancel_status = cancel_status
    run(api, until=6)
    (first, *_) = api.orders
    hashed = Order.parse(bytes.fromhex(first["record"])).hash.hex()
    assert api.got[1] == ("DELETE", f"/api/batches/SOL-USDC/orders/{hashed}")
    assert [method for method, _ in api.got] == ["POST", "DELETE"] * 3


@pytest.mark.parametrize("status", [400, 429, 503])
def test_a_refusal_makes_the_next_pause_longer(
    status: int, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.status = status
    pauses: list[float] = []

    def backoff(pause: float) -> float:
        pauses.append(pause)
        return pause + 0.01

    monkeypatch.setattr(batch_traffic, "backoff", backoff)
    run(api, until=3)
    assert pauses == pytest.approx([0, 0.01, 0.02])


def test_where_no_market_takes_orders_none_is_sent(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.markets = [MARKET | {"active": False}, MARKET | {"paused": True}]

    def backoff(pause: float) -> float:
        api.done.set()
        return pause

    monkeypatch.setattr(batch_traffic, "backoff", backoff)
    run(api, until=1)
    assert api.got == []


def test_a_record_is_what_the_market_reads() -> None:
    terms = Terms(
        market=ADDRESS,
        side=SELL,
        is_market=True,
        is_for_one_batch=True,
        max_fee_bps=25,
        limit=15_200,
        quantity=7,
        expiry_slot=99,
        nonce=2**64 - 1,
    )
    sent = body(TRADER, terms)
    parsed = Order.parse(bytes.fromhex(sent["record"]))
    assert (parsed.side, parsed.type) == (Side.SELL, OrderType.MARKET)
    assert parsed.time_in_force is TimeInForce.ONE_BATCH
    assert (parsed.limit, parsed.quantity, parsed.max_fee_bps) == (15_200, 7, 25)
    assert (parsed.nonce, parsed.expiry_slot, parsed.from_slot) == (2**64 - 1, 99, 0)
    assert name(sent["record"]) == parsed.hash.hex()


def test_there_are_orders_of_every_kind() -> None:
    orders = made()
    assert {it.side for it in orders} == {BUY, SELL}
    assert (
        {it.is_market for it in orders} == {it.is_for_one_batch for it in orders} == {True, False}
    )
    assert {it.expiry_slot for it in orders} == {SLOT + LIFE_SLOTS}
    assert len({it.nonce for it in orders}) == len(orders)


def test_limits_are_around_the_price_and_market_orders_within_the_collar() -> None:
    for it in made():
        if it.is_market:
            reach = 500 * COLLAR_SHARE
            assert it.limit == 16_000 * (10_000 + (reach if it.side == BUY else -reach)) / 10_000
        else:
            assert abs(it.limit / 16_000 - 1) <= SWING + 2 * WORST


def test_some_buyers_pay_what_some_sellers_ask_at_any_time() -> None:
    for now in (0.0, 225.0, 675.0):
        limits = [order(MARKET, slot=SLOT, now=now) for _ in range(200)]
        buys = [it.limit for it in limits if it.side == BUY and not it.is_market]
        sells = [it.limit for it in limits if it.side == SELL and not it.is_market]
        assert max(buys) > min(sells)
        assert min(buys) < max(sells)


def test_orders_are_worth_a_few_dollars() -> None:
    for it in made():
        worth = it.quantity * 10 * price_ticks(MARKET, 0) / 10**6
        assert WORTH[0] * 0.8 <= worth <= WORTH[1] * 1.2


def test_the_price_swings_around_the_tokens_own() -> None:
    prices = [price_ticks(MARKET, now) for now in range(batch_traffic.SWING_SECONDS)]
    assert min(prices) == pytest.approx(16_000 * (1 - SWING), rel=1e-4)
    assert max(prices) == pytest.approx(16_000 * (1 + SWING), rel=1e-4)
