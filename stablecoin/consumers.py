"""WebSockets of the stablecoin app: one request, and all requests."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from fairlane.core.feed import EventData
from fairlane.core.object_consumers import Frames, ObjectConsumer, ObjectsConsumer
from fairlane.core.threads import in_thread
from stablecoin import representation, selectors
from stablecoin.filters import name_from
from stablecoin.models import Request
from stablecoin.states import ENDED, PHASES


def step_frame(event: EventData, request_id: str) -> dict[str, Any]:
    """The frame that tells of one event."""
    return {
        "type": "status",
        "id": event["object_id"],
        "requestId": request_id,
        "status": event["status"],
        "phase": PHASES[event["status"]],
        "seq": event["seq"],
        "position": event["position"],
        "timestamp": event["created_at"],
        "data": event["data"],
    }


class RequestConsumer(ObjectConsumer):
    """One request: its snapshot and history, then every step, until it ends."""

    needed = "stablecoin:read"
    name = "request"
    ended = ENDED

    async def find(self) -> UUID:
        self._name: str = self.scope["url_route"]["kwargs"]["request_id"]
        query = dict(parse_qsl(self.scope["query_string"].decode("latin-1")))
        which = {key: query[key] for key in query if key in ("type", "chainId")}
        name = name_from(self._name, which)
        return (await in_thread(selectors.find)(name, self.principal)).id

    def detail(self, object_id: UUID, since: int) -> dict[str, Any]:
        return selectors.detail(object_id, self.principal, since=since)

    def identity(self, object_id: UUID, shown: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": str(object_id), "requestId": self._name}

    def step(self, event: EventData) -> dict[str, Any]:
        return step_frame(event, self._name)


class RequestsConsumer(ObjectsConsumer):
    """All requests the caller may see, from now on or from the position ``since``."""

    needed = "stablecoin:read"
    kind = Request.EVENT_KIND
    name = "requests"

    async def frames(self) -> Frames:
        # What this socket has told of is likely to be told of again.
        self._names: dict[str, str] = {}
        async for frame in super().frames():
            yield frame

    def open_objects(self, limit: int) -> Sequence[Mapping[str, Any]]:
        found = selectors.open_requests(self.principal, limit)
        self._names |= {str(request.id): request.request_id for request in found}
        return [representation.summary(request) for request in found]

    async def step(self, event: EventData) -> Mapping[str, Any]:
        id = event["object_id"]
        name = self._names.get(id) or event["data"].get("requestId")
        if name is None:
            name = await in_thread(selectors.name_of)(UUID(id))
        if event["status"] in ENDED:
            self._names.pop(id, None)
        else:
            self._names[id] = name
        return step_frame(event, name)
