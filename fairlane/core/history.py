"""The events of one object."""

from typing import Any
from uuid import UUID

from fairlane.core.models import Event

# Enough for any object's life; the rest of a longer history is read by `since`.
LIMIT = 500


def of(object_id: UUID, since: int = 0) -> list[Event]:
    """The events of an object after ``since``, in order, up to ``LIMIT``."""
    rows = Event.objects.filter(object_id=object_id, seq__gt=since)
    return list(rows.order_by("seq")[:LIMIT])


def entry(event: Event) -> dict[str, Any]:
    """One entry of a history: what the live frame of the same ``seq`` says."""
    return {
        "seq": event.seq,
        "status": event.status,
        "timestamp": event.created_at.isoformat(),
        "data": event.data,
    }
