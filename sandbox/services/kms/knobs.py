"""How the key service misbehaves, until it is told to behave."""

import random
from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Knobs:
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

    def changed(self, changes: Any) -> "Knobs":
        """
        Raises:
            ValueError: there is no such knob, or it does not turn that way.
        """
        if not isinstance(changes, dict):
            raise ValueError("an object is asked for")
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"there is no knob {name}")
            wanted = known[name]
            if not (type(value) is wanted or (wanted is float and type(value) is int)):
                raise ValueError(f"{name} must be {wanted.__name__}")
        return replace(self, **changes)

    def throttles(self) -> bool:
        return random.random() < self.throttle

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
