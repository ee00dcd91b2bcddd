"""Columns of values as PostgreSQL array literals.

Statements over sets pass a column as one array. The driver's own dumper spends more time on that
than PostgreSQL on the statement, because it looks at the type and the escapes of every element;
here the type is looked at once per column.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import orjson


def literal(values: Iterable[Any]) -> str:
    """The text of an array of values of one type, or None; mappings and lists become JSON.

    Raises:
        TypeError: a text or bytes column holds something else.
    """
    column = list(values)
    encode = _encoder(next((value for value in column if value is not None), None))
    return "{" + ",".join(["NULL" if v is None else encode(v) for v in column]) + "}"


def _encoder(sample: Any) -> Callable[[Any], str]:
    match sample:
        case str():
            return _text
        case dict() | list():
            return _json
        case bytes() | memoryview():
            return _bytes
        case datetime():
            return datetime.isoformat
    # Numbers, booleans, UUIDs: their text needs no quotes.
    return str


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(value: Any) -> str:
    return _text(orjson.dumps(value).decode())


def _bytes(value: bytes | memoryview) -> str:
    return '"\\\\x' + value.hex() + '"'
