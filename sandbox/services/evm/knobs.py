"""How chains and their providers misbehave, adjustable while they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from sandbox.services.evm.dialects import ANVIL, DIALECTS

# As far back as a node still knows states; see Anvil.
MAX_DEPTH = 30
MAX_DELAY_MS = 60_000


class KnobError(ValueError):
    """A knob that does not exist, or a value it cannot have; the message says which."""


Check = tuple[Callable[[object], bool], str]


def _whole(least: int, most: int) -> Check:
    def holds(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return holds, f"a whole number from {least} to {most}"


def _or_nothing(check: Check) -> Check:
    holds, meaning = check
    return lambda value: value is None or holds(value), f"{meaning}, or null"


_SWITCH: Check = (lambda value: isinstance(value, bool), "true or false")
_CHECKS: Mapping[str, Check] = {
    "stall": _SWITCH,
    "base_fee": _or_nothing(_whole(0, 10**18)),
    "block_ms": _whole(0, 600_000),
    "down": _SWITCH,
    "http_status": _or_nothing(_whole(400, 599)),
    "delay_ms": _whole(0, MAX_DELAY_MS),
    "swallow_sends": _SWITCH,
    "drop_sends": _SWITCH,
    "lag_blocks": _whole(0, MAX_DEPTH),
    "lie_height": _whole(0, 10**9),
    "chain_id": _or_nothing(_whole(1, 2**53)),
    "null_receipts": _SWITCH,
    "dialect": (lambda value: value in DIALECTS, f"one of {', '.join(DIALECTS)}"),
    "max_log_range": _or_nothing(_whole(1, 10**9)),
    "max_log_results": _or_nothing(_whole(0, 10**9)),
}


Knobs = TypeVar("Knobs", "ChainKnobs", "ProviderKnobs")


def _changed(knobs: Knobs, given: object) -> Knobs:
    if not isinstance(given, dict):
        raise KnobError("knobs come as an object")
    known = {field.name for field in fields(knobs)}
    for name, value in given.items():
        if name not in known:
            raise KnobError(f"no knob is called {name}")
        holds, meaning = _CHECKS[name]
        if not holds(value):
            raise KnobError(f"{name} must be {meaning}")
    return replace(knobs, **given)


@dataclass(frozen=True, slots=True)
class ChainKnobs:
    """
    stall: no block is made, whoever asks for one.
    base_fee: of every block from the next on, in wei; None leaves it to the chain.
    block_ms: the time between blocks; 0 makes one for every transaction.
    """

    stall: bool = False
    base_fee: int | None = None
    block_ms: int = 0

    def changed(self, given: object) -> ChainKnobs:
        """These knobs with some turned.

        Raises:
            KnobError: one does not exist, or cannot have this value.
        """
        return _changed(self, given)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ProviderKnobs:
    """
    down: the connection is closed without an answer.
    http_status: the answer to everything.
    delay_ms: how much later answers come.
    swallow_sends: transactions are taken, the answer is lost.
    drop_sends: transactions are answered as if taken, and forgotten.
    lag_blocks: how many blocks the provider is behind.
    lie_height: how many blocks it claims that there are not.
    chain_id: the chain it claims to be; None for the true one.
    null_receipts: it has no receipt of anything.
    dialect: whose words and codes its errors have.
    max_log_range, max_log_results: what it answers in one `eth_getLogs`, in blocks and in logs.
    """

    down: bool = False
    http_status: int | None = None
    delay_ms: int = 0
    swallow_sends: bool = False
    drop_sends: bool = False
    lag_blocks: int = 0
    lie_height: int = 0
    chain_id: int | None = None
    null_receipts: bool = False
    dialect: str = ANVIL
    max_log_range: int | None = None
    max_log_results: int | None = None

    def changed(self, given: object) -> ProviderKnobs:
        """These knobs with some turned.

        Raises:
            KnobError: one does not exist, or cannot have this value.
        """
        return _changed(self, given)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
