"""What a service that misbehaves on demand is turned by."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self


@dataclass(frozen=True)
class Knobs:
    """Each service has its own, with numbers, shares, words and switches for fields."""

    def changed(self, changes: Any) -> Self:
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
