"""How the venue misbehaves, adjustable while it runs."""

from dataclasses import dataclass

from sandbox.services.knobs import Knobs
from sandbox.services.makers.chance import PPM, draw

MOST_DELAY_SLOTS = 10_000


@dataclass(frozen=True)
class RaikuKnobs(Knobs):
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

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: a share is no share, or the delay is out of its range.
        """
        for name in ("duplicates", "reordered", "lost", "skipped"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is from 0 to 1")
        if not 0 <= self.delay_slots <= MOST_DELAY_SLOTS:
            raise ValueError(f"delay_slots is from 0 to {MOST_DELAY_SLOTS}")


def happens(share: float, seed: int, subject: str) -> bool:
    """Whether the subject is of the share that has bad luck: the same one every time."""
    return draw(seed, subject, PPM) < share * PPM
