"""The compliance service's frames: outside input, read strictly and never fatally."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from stablecoin import reading
from stablecoin.reading import Unreadable

# Real frames have some 200 bytes.
MAX_FRAME_BYTES = 64 * 1024
DEFAULT_CHAIN_ID = 5920
# 2020 to 2100, in milliseconds: a time outside is in other units, or made up.
_TIMES = range(1_577_836_800_000, 4_102_444_800_000)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MintApproved:
    """The compliance service lets an account have `amount` base units."""

    request_id: str
    user: str
    amount: int
    chain_id: int
    reference: str
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame that is about the connection."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that means nothing; `request_id` where it could be read all the same."""

    reason: str
    request_id: str = ""


Parsed = MintApproved | Ignored | Malformed


def parse(frame: object) -> Parsed:
    """The meaning of a frame (text or bytes) or of a decoded JSON value."""
    if isinstance(frame, bytes | str):
        try:
            frame = _decoded(frame)
        except (ValueError, RecursionError) as error:
            return Malformed(str(error) if isinstance(error, Unreadable) else "it is no JSON")
    if not isinstance(frame, dict):
        return Malformed("it is no object")
    kind = frame.get("type")
    if kind not in (None, "mintOk"):
        return Ignored() if isinstance(kind, str) else Malformed("type: it is no text")
    try:
        name = _read("requestId", reading.name, frame.get("requestId"))
    except Unreadable as error:
        return Malformed(str(error))
    try:
        return _approved(name, frame)
    except Unreadable as error:
        return Malformed(str(error), name)


def _decoded(frame: bytes | str) -> object:
    if len(frame) > MAX_FRAME_BYTES:
        raise Unreadable(f"it is longer than {MAX_FRAME_BYTES} bytes")
    text = frame.decode() if isinstance(frame, bytes) else frame
    return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Which of the two is meant is not for us to guess.
        raise Unreadable("a name occurs twice")
    return found


def _no_constant(name: str) -> object:
    raise Unreadable(f"{name} is no JSON")


def _approved(name: str, frame: dict[str, Any]) -> MintApproved:
    return MintApproved(
        request_id=name,
        user=_read("user", reading.account, frame.get("user")),
        amount=_read("amount", reading.amount, frame.get("amount")),
        chain_id=_read("chainId", reading.chain, frame.get("chainId", DEFAULT_CHAIN_ID)),
        reference=_read("fiatRef", reading.reference, frame.get("fiatRef")),
        timestamp_ms=_read("timestamp", _timestamp, frame.get("timestamp")),
    )


def _read(field: str, read: Callable[[object], T], value: object) -> T:
    try:
        return read(value)
    except Unreadable as error:
        raise Unreadable(f"{field}: {error}") from None


def _timestamp(value: object) -> int:
    if type(value) is not int or value not in _TIMES:
        raise Unreadable("milliseconds since 1970 are asked for")
    return value
