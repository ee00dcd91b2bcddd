"""Whether this process lives, is ready, and how the parts around it are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from fairlane.core.redis_clients import client

log = structlog.get_logger(__name__)

# Probes and dashboards share one look at the parts; a flood of them costs no more than this.
_KEPT_S = 1.0

Check = Callable[[], Mapping[str, Any] | None]


class Failing(Exception):
    """A part is not well; the text is shown to everybody, so it holds no secret."""


def database() -> None:
    """PostgreSQL answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def redis() -> None:
    """Redis answers."""
    client().ping()


_migrated = False


def migrations() -> None:
    """Every migration is applied; once that is so, it stays so for this process."""
    global _migrated
    if _migrated:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Failing("migrations are not applied")
    _migrated = True


_started_at = time.monotonic()
# Without Redis orders are taken and executed all the same: no reason to send requests elsewhere.
_ready: dict[str, Check] = {"database": database, "migrations": migrations}
_parts: dict[str, Check] = {"database": database, "redis": redis}
_lock = threading.Lock()
_kept: dict[str, tuple[float, dict[str, Any]]] = {}


def part(name: str) -> Callable[[Check], Check]:
    """Register a part of the overview: it returns figures to show, or raises `Failing`.

    Parts of a kind have names as `chains/5920`.
    """

    def register(check: Check) -> Check:
        _parts[name] = check
        return check

    return register


def ready() -> dict[str, Any]:
    """Whether this process can serve requests."""
    return _looked_at("ready", _ready)


def overview() -> dict[str, Any]:
    """Every part, its figures and how long it took to answer."""
    return _looked_at("overview", _parts)


def _looked_at(name: str, checks: Mapping[str, Check]) -> dict[str, Any]:
    with _lock:
        at, report = _kept.get(name, (float("-inf"), {}))
        if time.monotonic() - at >= _KEPT_S:
            report = _report(checks)
            _kept[name] = (time.monotonic(), report)
        return report


def _report(checks: Mapping[str, Check]) -> dict[str, Any]:
    parts = {name: _part(name, check) for name, check in checks.items()}
    well = all(part["status"] == "ok" for part in parts.values())
    return {
        "status": "ok" if well else "failing",
        "timestamp": datetime.now(UTC).isoformat(),
        "uptime": round(time.monotonic() - _started_at, 1),
        "services": _services(parts),
        "parts": parts,
    }


def _services(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Each part in one word, those of a kind together: `{"redis": "up", "chains": {…}}`."""
    services: dict[str, Any] = {}
    for name, found in parts.items():
        word = "up" if found["status"] == "ok" else "down"
        kind, _, member = name.partition("/")
        if member:
            services.setdefault(kind, {})[member] = word
        else:
            services[name] = word
    return services


def _part(name: str, check: Check) -> dict[str, Any]:
    started = time.monotonic()
    part: dict[str, Any] = {"status": "ok"}
    try:
        part.update(check() or {})
    except Failing as failing:
        part = {"status": "failing", "reason": str(failing)}
    except Exception as error:
        log.warning("health_check_failed", part=name, exc_info=error)
        part = {"status": "failing", "reason": "it does not answer"}
    part["ms"] = round((time.monotonic() - started) * 1000, 1)
    return part
