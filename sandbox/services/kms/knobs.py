"""How the key service misbehaves, until it is told to behave."""

import random
from dataclasses import dataclass

from sandbox.services.knobs import Knobs


@dataclass(frozen=True)
class KmsKnobs(Knobs):
    """
    Attributes:
        throttle: share of the requests that are refused because there were too many.
        throttle_next: how many more requests are refused for that.
        down: connections end without an answer.
        delay_ms: how long every answer takes.
        high_s: whether every signature has a high s; otherwise about half of them.
        refuses: the error code of every answer, such as DisabledException; empty for none.
    """

    throttle: float = 0.0
    throttle_next: int = 0
    down: bool = False
    delay_ms: int = 0
    high_s: bool = False
    refuses: str = ""

    def throttles(self) -> bool:
        return random.random() < self.throttle
