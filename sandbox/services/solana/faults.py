"""Faults on demand: what a client has to survive, switched on over HTTP."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from http import HTTPStatus
from typing import Any


class FaultError(Exception):
    """A fault was asked for that does not exist; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults that are on; the default is none.

    Rates are probabilities. `dropRate`: a sent transaction is accepted and never executed.
    `delayMs`: every HTTP answer comes so much later. `errorRate`: an HTTP request is answered with
    `httpStatus` and is not served; `lostAnswerRate`: it is served, and then answered so.
    `rpcErrors`: these methods answer with that JSON-RPC error code.
    """

    dropRate: float = 0.0
    delayMs: int = 0
    errorRate: float = 0.0
    lostAnswerRate: float = 0.0
    httpStatus: int = HTTPStatus.SERVICE_UNAVAILABLE.value
    rpcErrors: dict[str, int] = field(default_factory=dict)

    def changed(self, changes: dict[str, Any]) -> Faults:
        """These faults with some of them set anew.

        Raises:
            FaultError: an unknown name, or a value that is out of range.
        """
        for name, value in changes.items():
            if name not in _MEANINGS:
                raise FaultError(f"there is no fault {name}")
            is_valid, meaning = _MEANINGS[name]
            if not is_valid(value):
                raise FaultError(f"{name} is {meaning}")
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The faults by name."""
        return asdict(self)

    def drops(self) -> bool:
        """Whether this transaction gets lost on its way to the leader."""
        return self.dropRate > 0 and random.random() < self.dropRate

    def refuses(self) -> bool:
        """Whether this request is refused."""
        return self.errorRate > 0 and random.random() < self.errorRate

    def loses_answer(self) -> bool:
        """Whether the answer of this request gets lost."""
        return self.lostAnswerRate > 0 and random.random() < self.lostAnswerRate


def _is_rate(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _is_delay(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _is_error_status(value: object) -> bool:
    return isinstance(value, int) and HTTPStatus.BAD_REQUEST <= value < 600


def _are_error_codes(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(code, int) for code in value.values())


_MEANINGS: dict[str, tuple[Callable[[object], bool], str]] = {
    "dropRate": (_is_rate, "a probability"),
    "errorRate": (_is_rate, "a probability"),
    "lostAnswerRate": (_is_rate, "a probability"),
    "delayMs": (_is_delay, "a number of milliseconds"),
    "httpStatus": (_is_error_status, "an HTTP error status"),
    "rpcErrors": (_are_error_codes, "an object of methods and error codes"),
}
