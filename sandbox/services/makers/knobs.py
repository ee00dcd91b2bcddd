"""How a maker misbehaves, adjustable while it runs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

# A knob's name on the wire, its environment variable, field, type and largest value.
_KNOBS: tuple[tuple[str, str, str, type[int] | type[float], int], ...] = (
    ("quoteDelayMs", "MOCK_DEX_QUOTE_DELAY_MS", "quote_delay_ms", int, 60_000),
    ("executionDelayMs", "MOCK_DEX_EXECUTION_DELAY_MS", "execution_delay_ms", int, 60_000),
    ("failureRate", "MOCK_DEX_FAILURE_RATE", "failure_rate", float, 1),
    ("slippageBps", "MOCK_DEX_SLIPPAGE_BPS", "slippage_bps", int, 10_000),
)


@dataclass(frozen=True, slots=True)
class Knobs:
    """
    quote_delay_ms: how long a batch of quotes takes.
    execution_delay_ms: from the first request for a co-signature until it is given.
    failure_rate: the share of quotes whose co-signature is refused as unavailable.
    slippage_bps: how far, at most, the price falls between quote and co-signature.
    """

    quote_delay_ms: int = 200
    execution_delay_ms: int = 2500
    failure_rate: float = 0.05
    slippage_bps: int = 30

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Knobs":
        """
        Raises:
            ValueError: a variable is no number, or out of range.
        """
        given = {
            name: convert(environment[variable])
            for name, variable, _, convert, _ in _KNOBS
            if environment.get(variable)
        }
        return cls().changed(given)

    def changed(self, given: object) -> "Knobs":
        """These knobs with the ones `given` under their wire names.

        Raises:
            ValueError: an unknown knob, or a value that is no number or out of range.
        """
        if not isinstance(given, dict):
            raise ValueError("knobs come as an object")
        known = {name: (field, kind, most) for name, _, field, kind, most in _KNOBS}
        fields: dict[str, Any] = {}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"no knob is called {name}")
            field, kind, most = known[name]
            number = isinstance(value, int if kind is int else (int, float))
            if not number or isinstance(value, bool) or not 0 <= value <= most:
                raise ValueError(f"{name} must be a number from 0 to {most}")
            fields[field] = value
        return replace(self, **fields)

    def to_json(self) -> dict[str, int | float]:
        return {name: getattr(self, field) for name, _, field, _, _ in _KNOBS}
