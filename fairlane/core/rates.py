"""How often something may happen, as people write it: 600/minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

_PERIODS_MS = {"second": 1_000, "minute": 60_000, "hour": 3_600_000}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` in any `period_ms`, on average; the whole limit may come at once."""

    limit: int
    period_ms: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read "600/minute" (second, minute or hour); "off" means no limit, None.

        Raises:
            ValueError: the text is neither.
        """
        if text == "off":
            return None
        count, _, period = text.partition("/")
        if not count.isascii() or not count.isdigit() or not int(count):
            raise ValueError(f"{text!r} is not a rate such as 600/minute, nor off")
        if period not in _PERIODS_MS:
            raise ValueError(f"{text!r} counts per {period!r}, not per second, minute or hour")
        return cls(int(count), _PERIODS_MS[period])
