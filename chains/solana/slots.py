"""Slots as they begin, over the WebSocket of a Solana node."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit, urlunsplit

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from chains.ports import SlotSample
from chains.solana.decode import MALFORMED, integer

# Ten of the slowest slots: a connection that is silent for longer is dead, whatever it says.
SILENT_S = 4.0
# Long enough to spare a node that is down, short against the history of the slot clock.
RETRY_S = 0.5
# Real notifications have some 120 bytes.
MAX_FRAME_BYTES = 64 * 1024

_SUBSCRIBE = b'{"jsonrpc":"2.0","id":1,"method":"slotSubscribe"}'

logger = logging.getLogger(__name__)


def websocket_url(rpc_url: str) -> str:
    """Where a node serves its WebSocket by default: one port after its RPC, if that names one."""
    parts = urlsplit(rpc_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port + 1}" if parts.port else ""
    return urlunsplit((scheme, f"{host}{port}", parts.path, parts.query, ""))


async def samples(
    url: str, *, silent_s: float = SILENT_S, retry_s: float = RETRY_S
) -> AsyncGenerator[SlotSample]:
    """Slots with the moment each was heard of, for ever: a lost connection is made again.

    Slots may be missing, and after a reconnection or a fork a number may come again or go back.
    """
    while True:
        try:
            async with connect(
                url, max_size=MAX_FRAME_BYTES, open_timeout=silent_s, proxy=None
            ) as socket:
                await socket.send(_SUBSCRIBE, text=True)
                while True:
                    async with asyncio.timeout(silent_s):
                        slot = _slot(await socket.recv())
                    if slot is not None:
                        yield SlotSample(slot, time.monotonic())
        except (OSError, TimeoutError, WebSocketException) as error:
            logger.warning("slot_feed_lost", extra={"reason": type(error).__name__})
        await asyncio.sleep(retry_s)


def _slot(frame: str | bytes) -> int | None:
    """The slot of a notification; None for the answer to the subscription and for what is none."""
    try:
        message = orjson.loads(frame)
        if message.get("method") != "slotNotification":
            return None
        return integer(message["params"]["result"]["slot"])
    except MALFORMED:
        return None
