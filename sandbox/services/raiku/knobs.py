"""How the venue misbehaves, adjustable while it runs."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sandbox.services.makers.chance import PPM, draw

MOST_DELAY_SLOTS = 10_000


@dataclass(frozen=True, slots=True)
class Knobs:
    """
    duplicates, reordered, lost: the shares of receipts that are told twice, after the next one, or
        never.
    delay_slots: how many slots late receipts are told.
    skipped: the share of the venue's slots that its validators miss.
    outbid: whether others bid more than anybody.
    outage: whether every request is answered with 503.
    """

    duplicates: float = 0.0
    reordered: float = 0.0
    lost: float = 0.0
    delay_slots: int = 0
    skipped: float = 0.0
    outbid: bool = False
    outage: bool = False

    def changed(self, given: object) -> "Knobs":
        """These knobs with some of them turned.

        Raises:
            ValueError: an unknown knob, or a value that it does not turn to.
        """
        if not isinstance(given, dict):
            raise ValueError("knobs come as an object")
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"no knob is called {name}")
            if not _fits(value, known[name]):
                raise ValueError(f"{name} is out of its range")
        return replace(self, **given)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def happens(share: float, seed: int, subject: str) -> bool:
    """Whether the subject is of the share that has bad luck: the same one every time."""
    return draw(seed, subject, PPM) < share * PPM


def _fits(value: object, kind: type) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind is int:
        return isinstance(value, int) and 0 <= value <= MOST_DELAY_SLOTS
    return isinstance(value, int | float) and 0 <= value <= 1
