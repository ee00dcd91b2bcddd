"""The id that ties a request to its answer, its log lines and the tasks it wakes."""

from __future__ import annotations

import re
from uuid import uuid4

from structlog.contextvars import get_contextvars

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def accept(offered: str | None) -> str:
    """The caller's id when it is a sane one, else a new one."""
    return offered if offered and _SANE.fullmatch(offered) else uuid4().hex


def current() -> str:
    """The id of what is being done, or an empty string."""
    return str(get_contextvars().get("request_id", ""))
