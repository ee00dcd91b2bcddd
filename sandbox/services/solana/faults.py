"""Faults on demand: what a client has to survive, switched on over HTTP."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field, fields, replace
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
        unknown = changes.keys() - {each.name for each in fields(self)}
        if unknown:
            raise FaultError(f"unknown: {', '.join(sorted(unknown))}")
        faults = replace(self, **changes)
        faults._check()
        return faults

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

    def _check(self) -> None:
        for name in ("dropRate", "errorRate", "lostAnswerRate"):
            rate = getattr(self, name)
            if not isinstance(rate, int | float) or not 0 <= rate <= 1:
                raise FaultError(f"{name} is a probability")
        if not isinstance(self.delayMs, int) or self.delayMs < 0:
            raise FaultError("delayMs is a number of milliseconds")
        if not isinstance(self.httpStatus, int) or not 400 <= self.httpStatus <= 599:
            raise FaultError("httpStatus is an HTTP error status")
        if not isinstance(self.rpcErrors, dict) or not all(
            isinstance(code, int) for code in self.rpcErrors.values()
        ):
            raise FaultError("rpcErrors maps methods to error codes")
