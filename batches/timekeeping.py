"""The process's clock of slots, and the reading that it leaves for processes without one."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace

import structlog
from django.db import connection
from django.utils import timezone

from batches.calendar import Pace, SlotClock
from batches.models import SlotReading
from chains import registry as adapters
from chains.errors import Transient

logger = structlog.get_logger(__name__)

# Two slots at the slowest pace, and connecting: what a clock needs before it can tell anything.
WARM_UP_S = 3.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on all three clocks.

    Attributes:
        unix_ms, monotonic_ms: read together.
        degraded: whether nothing should be reserved, or given up, by what the pace tells.
    """

    unix_ms: float
    monotonic_ms: float
    pace: Pace
    degraded: bool

    @property
    def slot(self) -> int:
        """The slot that is running."""
        return self.pace.slot_at(self.monotonic_ms)

    def eta_ms(self, slot: int) -> float:
        """The Unix millisecond at which the slot begins."""
        return self.pace.eta(slot) - self.monotonic_ms + self.unix_ms

    def slot_at(self, unix_ms: float) -> int:
        """The first slot that begins at this Unix millisecond or after it."""
        at_ms = unix_ms - self.unix_ms + self.monotonic_ms
        slot = self.pace.slot_at(at_ms)
        return slot if self.pace.eta(slot) >= at_ms else slot + 1


_lock = threading.Lock()
_clock = SlotClock()
_follower: tuple[int, Future[None]] | None = None


def now() -> Now:
    """The moment, by the slots that this process hears of; the first call waits for two.

    Raises:
        Transient: no slots are heard of.
    """
    _follow()
    deadline = time.monotonic() + WARM_UP_S
    while True:
        with _lock:
            pace = _clock.pace()
            monotonic_ms, unix_ms = time.monotonic() * 1_000, time.time() * 1_000
            if pace is not None:
                return Now(unix_ms, monotonic_ms, pace, _clock.is_degraded(monotonic_ms))
        if time.monotonic() >= deadline:
            raise Transient("the node tells of no slots")
        time.sleep(_POLL_S)


def shared() -> Now:
    """As `now`, by the wall clock that all hosts share, the database's: what is decided by it is
    decided alike on a host whose own clock is wrong.

    Raises:
        Transient: no slots are heard of.
    """
    moment = now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8 * 1000")
        (unix_ms,) = cursor.fetchone()
    passed_ms = time.monotonic() * 1_000 - moment.monotonic_ms
    return replace(moment, unix_ms=unix_ms - passed_ms)


def record(moment: Now) -> None:
    """Leave the reading for those who have no clock of their own."""
    with _lock:
        errors = {str(horizon): asdict(spread) for horizon, spread in _clock.errors().items()}
    slot = moment.slot
    SlotReading.objects.update_or_create(
        id=1,
        defaults={
            "slot": slot,
            "at_ms": moment.eta_ms(slot),
            "slot_ms": moment.pace.slot_ms,
            "degraded": moment.degraded,
            "errors": errors,
            "updated_at": timezone.now(),
        },
    )


def forget() -> None:
    """Begin anew at the next use, for settings that changed (in tests)."""
    global _clock, _follower
    with _lock:
        if _follower:
            _follower[1].cancel()
        _clock, _follower = SlotClock(), None


def _follow() -> None:
    """Begin to listen, in this process, if nobody does."""
    global _follower
    with _lock:
        if _follower is None or _follower[0] != os.getpid() or _follower[1].done():
            _follower = (os.getpid(), adapters.start(_listen(_clock)))


async def _listen(clock: SlotClock) -> None:
    try:
        async for sample in adapters.slot_samples():
            with _lock:
                clock.observe(sample.slot, sample.heard_at * 1_000)
    except Exception:
        logger.exception("clock.stopped")
        raise
