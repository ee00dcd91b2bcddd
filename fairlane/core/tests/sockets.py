"""A client's end of a WebSocket, joined to the whole ASGI application."""

from typing import Any
from urllib.parse import unquote

import orjson
from asgiref.testing import ApplicationCommunicator
from channels.routing import get_default_application

Frame = dict[str, Any]
PATIENCE_SECONDS = 10


class Socket:
    """A client's end."""

    def __init__(self, path: str, headers: dict[str, str]) -> None:
        path, _, query = path.partition("?")
        scope = {
            "type": "websocket",
            "path": unquote(path),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "subprotocols": [],
        }
        application = get_default_application()
        self._end: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> "Socket":
        await self._end.send_input({"type": "websocket.connect"})
        message = await self._end.receive_output(timeout=PATIENCE_SECONDS)
        assert message["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._end.wait(timeout=PATIENCE_SECONDS)

    async def frame(self) -> Frame:
        message = await self._end.receive_output(timeout=PATIENCE_SECONDS)
        assert message["type"] == "websocket.send", message
        found: Frame = orjson.loads(message["text"])
        return found

    async def frames(self, count: int) -> list[Frame]:
        return [await self.frame() for _ in range(count)]

    async def closed(self) -> int:
        """The close code, which is all that comes."""
        message = await self._end.receive_output(timeout=PATIENCE_SECONDS)
        assert message["type"] == "websocket.close", message
        code: int = message["code"]
        return code

    async def refused(self) -> tuple[str, int]:
        """The code of the error frame and that of the close that follows."""
        frame = await self.frame()
        assert frame["type"] == "error" and frame["message"]
        return frame["code"], await self.closed()
