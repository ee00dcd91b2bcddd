"""How the service misbehaves on its socket; its REST interface tells everything."""

import random
from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Knobs:
    """Shares of the frames that are sent twice, held back until after the next one, never sent,
    or followed by one that means nothing; and whether frames say their type."""

    duplicates: float = 0.0
    out_of_order: float = 0.0
    drop: float = 0.0
    malformed: float = 0.0
    with_type: bool = False

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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def happens(share: float) -> bool:
    return random.random() < share
