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
        ended: whether the server has said that there is nothing more to come.
    """

    def __init__(self, stack: Stack, order_id: str, *, web: str = "web-1") -> None:
        self.order_id = order_id
        self.seen: list[Json] = []
        self.connections = 0
        self.ended = False
        self._stack = stack
        self._web = web

    @property
    def seqs(self) -> list[int]:
        return [entry["seq"] for entry in self.seen]

    @property
    def statuses(self) -> list[str]:
        return [entry["status"] for entry in self.seen]

    async def follow(self) -> "Witness":
        """Return when the order has ended."""
        while not self.ended:
            await self._connect()
            await asyncio.sleep(PAUSE_SECONDS)
        return self

    async def _connect(self) -> None:
        """Listen on one connection for as long as it lasts."""
        since = self.seen[-1]["seq"] if self.seen else 0
        path = f"/ws/orders/{self.order_id}?since={since}"
        self.connections += 1
        try:
            async with socket(self._stack, path, web=self._web) as connection:
                try:
                    while True:
                        self._take(json.loads(await connection.recv()))
                except websockets.ConnectionClosed:
                    self.ended = connection.close_code == 1000
        except (OSError, websockets.InvalidHandshake, TimeoutError):
            return  # nobody serves at the moment

    def _take(self, frame: Json) -> None:
        if frame["type"] == "snapshot":
            self.seen += frame["history"]
        elif frame["type"] == "status":
            self.seen.append(frame)
