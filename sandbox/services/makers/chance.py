"""Deterministic chance: the same seed and subject always draw the same number."""

from functools import lru_cache
from hashlib import blake2b

PPM = 1_000_000


def draw(seed: int, subject: str, bound: int) -> int:
    """A number in [0, bound), uniform over subjects."""
    digest = blake2b(subject.encode(), digest_size=8, salt=seed.to_bytes(8, "little")).digest()
    return int.from_bytes(digest, "little") % bound


def walk_ppm(seed: int, subject: str, *, now_ms: int, amplitude_ppm: int, period_ms: int) -> int:
    """A continuous random walk within ±`amplitude_ppm`, a new direction every `period_ms`."""
    period, elapsed_ms = divmod(now_ms, period_ms)
    start = _knot(seed, subject, period, amplitude_ppm)
    end = _knot(seed, subject, period + 1, amplitude_ppm)
    return start + (end - start) * elapsed_ms // period_ms


@lru_cache(maxsize=4096)
def _knot(seed: int, subject: str, period: int, amplitude_ppm: int) -> int:
    return draw(seed, f"{subject}/{period}", 2 * amplitude_ppm + 1) - amplitude_ppm
