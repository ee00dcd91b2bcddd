"""The clock of slots: a batch executes in a slot, and wall time only tells when that may be."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, floor
from statistics import linear_regression, median

# Long enough to average the jitter of the feed out, short enough to follow a change of pace.
WINDOW_MS = 300_000
# The newest samples tell where the clock stands now.
RECENT = 32
# Ten of the usual slots at 200 ms: a feed that is silent for longer says nothing of now.
SILENT_MS = 2_000
# What a clock must have heard before it can be relied on: notifications that were held up, and come
# all at once, tell of no pace.
LEARNED_SAMPLES = 8
LEARNED_MS = 1_000
# No chain is faster or slower: a pace beyond is a clock's that has just begun to listen.
FASTEST_MS = 5
SLOWEST_MS = 1_000
# A pace that is off by more makes every estimate beyond some slots wrong.
MAX_DRIFT = 0.10
# Deeper than any fork: a slot so far back is that of a chain that has started anew.
RESTART_SLOTS = 512
# Closing, clearing and the anchor must fit between the cutoff and the target.
MIN_LEAD_SLOTS = 4
# So long after the transfer of an escrow has landed it has been seen.
ESCROW_SLOTS = 4
# How far ahead predictions are compared with what happens, in slots.
HORIZONS = (4, 12, 25, 50)
# Some minutes of errors for each horizon.
KEPT_ERRORS = 1_024


@dataclass(frozen=True, slots=True)
class Pace:
    """Slots as a straight line over the monotonic clock.

    Attributes:
        slot, at_ms: a point of the line.
        slot_ms: milliseconds per slot.
    """

    slot: int
    at_ms: float
    slot_ms: float

    def eta(self, slot: int) -> float:
        """The monotonic millisecond at which the slot begins."""
        return self.at_ms + self.slot_ms * (slot - self.slot)

    def slot_at(self, at_ms: float) -> int:
        """The slot that is running at this monotonic millisecond."""
        return self.slot + floor((at_ms - self.at_ms) / self.slot_ms)


@dataclass(frozen=True, slots=True)
class Spread:
    """Absolute errors of predictions, in milliseconds."""

    p50: float
    p95: float
    p99: float
    count: int


@dataclass(slots=True)
class SlotClock:
    """Learns the pace of slots from samples, and how wrong its predictions were."""

    _samples: deque[tuple[int, float]] = field(default_factory=deque)
    _predicted: dict[int, dict[int, float]] = field(default_factory=dict)
    _errors: dict[int, deque[float]] = field(
        default_factory=lambda: {horizon: deque(maxlen=KEPT_ERRORS) for horizon in HORIZONS}
    )

    def observe(self, slot: int, at_ms: float) -> None:
        """Take in that a slot was heard of; one that comes again or late tells nothing."""
        if self._samples:
            last = self._samples[-1][0]
            if slot < last - RESTART_SLOTS:
                self._samples.clear()
                self._predicted.clear()
            elif slot <= last:
                return
        self._samples.append((slot, at_ms))
        while self._samples[0][1] < at_ms - WINDOW_MS:
            self._samples.popleft()
        self._compare(slot, at_ms)

    def pace(self) -> Pace | None:
        """The pace by now; None before two slots were heard of."""
        slope = _slope(self._samples)
        if slope is None:
            return None
        slot_ms = min(max(slope, FASTEST_MS), SLOWEST_MS)
        recent = list(self._samples)[-RECENT:]
        # Counted from a near slot, so that a large number does not cost precision.
        origin = recent[-1][0]
        return Pace(origin, median(at - slot_ms * (s - origin) for s, at in recent), slot_ms)

    def is_degraded(self, now_ms: float) -> bool:
        """Whether nothing should be decided by it: too little was heard yet, the feed is silent, or
        its pace has changed."""
        whole = _slope(self._samples)
        recent = _slope(list(self._samples)[-RECENT:])
        if whole is None or recent is None:
            return True
        (_, began), (_, heard) = self._samples[0], self._samples[-1]
        learned = len(self._samples) >= LEARNED_SAMPLES and heard - began >= LEARNED_MS
        silent = now_ms - heard >= SILENT_MS
        return not learned or silent or abs(recent - whole) > MAX_DRIFT * whole

    def errors(self) -> dict[int, Spread]:
        """How far predictions were off, by how many slots they looked ahead."""
        return {horizon: _spread(errors) for horizon, errors in self._errors.items() if errors}

    def _compare(self, slot: int, at_ms: float) -> None:
        for horizon, expected in self._predicted.pop(slot, {}).items():
            self._errors[horizon].append(abs(at_ms - expected))
        for passed in [other for other in self._predicted if other < slot]:
            del self._predicted[passed]
        pace = self.pace()
        if pace is not None:
            for horizon in HORIZONS:
                ahead = self._predicted.setdefault(slot + horizon, {})
                ahead[horizon] = pace.eta(slot + horizon)


def _slope(samples: Iterable[tuple[int, float]]) -> float | None:
    """Milliseconds per slot by least squares; None where they do not advance."""
    points = list(samples)
    if len(points) < 2:
        return None
    # Counted from the first, so that large numbers do not cost precision.
    (origin, started), (_, ended) = points[0], points[-1]
    if ended <= started:
        return None
    slots, times = zip(*((slot - origin, at_ms - started) for slot, at_ms in points), strict=True)
    slope = linear_regression(slots, times).slope
    return slope if slope > 0 else None


def _spread(errors: Iterable[float]) -> Spread:
    ordered = sorted(errors)
    size = len(ordered)
    p50, p95, p99 = (ordered[-(-size * percent // 100) - 1] for percent in (50, 95, 99))
    return Spread(p50, p95, p99, size)


def lead_slots(lead_ms: int, slot_ms: float) -> int:
    """The slots between cutoff and target that hold `lead_ms`."""
    return max(MIN_LEAD_SLOTS, ceil(lead_ms / slot_ms))
