"""When keys were last used, written in batches: a use costs a dictionary entry."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from django.db import connection

# One statement a minute and process; a process that dies loses at most this much.
FLUSH_EVERY_S = 60

_UPDATE = """
UPDATE core_apikey AS k SET last_used_at = GREATEST(k.last_used_at, used.at)
FROM unnest(%s::bigint[], %s::timestamptz[]) AS used(id, at) WHERE k.id = used.id
"""

_lock = threading.Lock()
_used: dict[int, datetime] = {}
_flushed_at = 0.0


def mark(key_id: int) -> None:
    """Remember that the key was used just now."""
    with _lock:
        _used[key_id] = datetime.now(UTC)


def flush_if_due() -> None:
    """Write what was remembered, when the last time is long enough ago."""
    if time.monotonic() - _flushed_at >= FLUSH_EVERY_S:
        flush()


def flush() -> None:
    """Write what was remembered."""
    global _flushed_at
    with _lock:
        batch = sorted(_used.items())
        _used.clear()
        _flushed_at = time.monotonic()
    if batch:
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE, [[key for key, _ in batch], [at for _, at in batch]])
