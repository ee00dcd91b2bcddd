"""Switches: what an operator can pause, known to every process within a second."""

from __future__ import annotations

import threading
import time

from django.db import transaction
from django.utils import timezone

from fairlane.core import audit
from fairlane.core.errors import Problem
from fairlane.core.models.access import Switch
from fairlane.core.threads import in_thread

# How late a process may learn of a change.
TTL_S = 1.0

_lock = threading.Lock()
_off: frozenset[str] = frozenset()
_read_at = float("-inf")


def is_on(name: str) -> bool:
    """Whether the switch is on; one that nobody ever set is."""
    if time.monotonic() - _read_at >= TTL_S:
        _reload()
    return name not in _off


async def ais_on(name: str) -> bool:
    """`is_on` for the event loop; between reloads it costs no thread."""
    if time.monotonic() - _read_at >= TTL_S:
        await in_thread(_reload)()
    return name not in _off


def require_on(name: str) -> None:
    """
    Raises:
        Problem: 503, an operator has paused this.
    """
    if not is_on(name):
        raise paused(name)


async def arequire_on(name: str) -> None:
    """`require_on` for the event loop."""
    if not await ais_on(name):
        raise paused(name)


def paused(name: str) -> Problem:
    """The 503 of a paused part."""
    return Problem(503, "paused", f"{name} is paused by an operator", headers={"Retry-After": "30"})


def set_switch(*, name: str, on: bool, by: str, reason: str) -> Switch:
    """Turn a switch, with its audit entry in the same transaction.

    Other processes follow within `TTL_S`; this one at once, when the transaction is committed.
    """
    with transaction.atomic():
        Switch.objects.get_or_create(name=name)
        switch = Switch.objects.select_for_update().get(name=name)
        before = {"on": switch.on, "reason": switch.reason}
        switch.on, switch.reason, switch.by, switch.at = on, reason, by, timezone.now()
        switch.save()
        audit.record(
            actor=by,
            action="switch.set",
            object=f"switch:{name}",
            before=before,
            after={"on": on, "reason": reason},
            reason=reason,
        )
        transaction.on_commit(forget)
    return switch


def forget() -> None:
    """Read the switches again at the next question."""
    global _read_at
    _read_at = float("-inf")


def _reload() -> None:
    global _off, _read_at
    with _lock:
        if time.monotonic() - _read_at < TTL_S:
            return
        _off = frozenset(Switch.objects.filter(on=False).values_list("name", flat=True))
        _read_at = time.monotonic()
