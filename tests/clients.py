"""Clients of the API and the sockets, as programs out there would write them."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.stack import Stack
from tests.waiting import until

Json = dict[str, Any]

TIMEOUT_SECONDS = 30
TERMINAL = frozenset({"CONFIRMED", "FAILED", "CANCELLED"})


@dataclass(frozen=True)
class Makers:
    """The makers at ``urls``."""

    urls: list[str]

    def turn(self, **knobs: float) -> None:
        """Set knobs of all makers."""
        for url in self.urls:
            answer = httpx.post(f"{url}/knobs", json=knobs, trust_env=False)
            assert answer.is_success, answer.text


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def api(stack: Stack, *, web: str = "web-1", key: str = "everything") -> httpx.AsyncClient:
    """A client of one web process with one of the stack's keys."""
    return httpx.AsyncClient(
        base_url=stack.url(web),
        headers=bearer(stack.keys[key]),
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )


def swap(stack: Stack, **changes: Any) -> Json:
    """The body of a small order."""
    return {
        "userWallet": stack.wallets[0],
        "inputToken": "SOL",
        "outputToken": "USDC",
        "inputAmount": "0.1",
        **changes,
    }


def swaps(stack: Stack, count: int) -> list[Json]:
    """Orders of all wallets, in both directions of two pairs."""
    pairs = (("SOL", "USDC", "0.1"), ("USDC", "SOL", "15"), ("USDC", "PYUSD", "9.5"))
    bodies = []
    for number in range(count):
        sold, bought, amount = pairs[number % len(pairs)]
        wallet = stack.wallets[number % len(stack.wallets)]
        bodies.append(
            swap(
                stack,
                userWallet=wallet,
                inputToken=sold,
                outputToken=bought,
                inputAmount=amount,
                slippageBps=500,
            )
        )
    return bodies


async def send(client: httpx.AsyncClient, body: Json) -> str:
    """Have an order executed; returns its id."""
    answer = await client.post("/api/orders/execute", json=body)
    assert answer.status_code == 202, answer.text
    order_id: str = answer.json()["orderId"]
    return order_id


async def send_bulk(client: httpx.AsyncClient, bodies: list[Json]) -> list[str]:
    """Have many orders executed in one call; returns their ids."""
    answer = await client.post("/api/orders/bulk", json={"orders": bodies})
    assert answer.status_code == 202, answer.text
    return [result["order"]["orderId"] for result in answer.json()["results"]]


async def read(client: httpx.AsyncClient, order_id: str) -> Json:
    """The order with its quotes, attempts and history."""
    answer = await client.get(f"/api/orders/{order_id}")
    assert answer.status_code == 200, answer.text
    order: Json = answer.json()
    return order


async def ended(client: httpx.AsyncClient, order_id: str) -> Json:
    """The order, once it has ended."""

    async def found() -> Json | None:
        order = await read(client, order_id)
        return order if order["status"] in TERMINAL else None

    order: Json = await until(found, f"order {order_id} ends")
    return order


def socket(
    stack: Stack,
    path: str,
    *,
    web: str = "web-1",
    key: str | None = "everything",
) -> connect:
    """A WebSocket of one web process, with one of the stack's keys, for `async with`."""
    return connect(
        stack.socket_url(path, web),
        additional_headers=bearer(stack.keys[key]) if key else None,
        max_size=None,
        proxy=None,
    )


async def frames(connection: ClientConnection) -> list[Json]:
    """Every frame until the server closes the socket, without heartbeats."""
    received = []
    try:
        while True:
            frame = json.loads(await connection.recv())
            if frame["type"] != "heartbeat":
                received.append(frame)
    except websockets.ConnectionClosed:
        return received


async def next_frame(connection: ClientConnection) -> Json:
    """The next frame that is not a heartbeat."""
    while True:
        frame: Json = json.loads(await connection.recv())
        if frame["type"] != "heartbeat":
            return frame
