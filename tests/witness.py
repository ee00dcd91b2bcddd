"""A client that follows an order to its end, however often its socket breaks."""

import asyncio
import json

import websockets

from tests.clients import Json, socket
from tests.stack import Stack

# A client that reconnects at once would only meet the process that is about to go.
PAUSE_SECONDS = 0.05


class Witness:
    """Follows one order over WebSocket, resuming with ``since`` wherever the socket breaks.

    Attributes:
        seen: every entry of history and every status frame, in the order of arrival.
        connections: how often it had to connect.
    """

    def __init__(self, stack: Stack, order_id: str, *, web: str = "web-1") -> None:
        self.order_id = order_id
        self.seen: list[Json] = []
        self.connections = 0
        self._stack = stack
        self._web = web

    @property
    def seqs(self) -> list[int]:
        return [entry["seq"] for entry in self.seen]

    @property
    def statuses(self) -> list[str]:
        return [entry["status"] for entry in self.seen]

    async def follow(self) -> "Witness":
        """Return when the server has said that there is nothing more to come."""
        while not await self._connected():
            await asyncio.sleep(PAUSE_SECONDS)
        return self

    async def _connected(self) -> bool:
        """Listen on one connection; whether the order has ended."""
        since = self.seen[-1]["seq"] if self.seen else 0
        path = f"/ws/orders/{self.order_id}?since={since}"
        self.connections += 1
        try:
            async with socket(self._stack, path, web=self._web) as connection:
                try:
                    while True:
                        self._take(json.loads(await connection.recv()))
                except websockets.ConnectionClosed:
                    return connection.close_code == 1000
        except (OSError, websockets.InvalidHandshake, websockets.InvalidMessage, TimeoutError):
            return False

    def _take(self, frame: Json) -> None:
        if frame["type"] == "snapshot":
            self.seen += frame["history"]
        elif frame["type"] == "status":
            self.seen.append(frame)
