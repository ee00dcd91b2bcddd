"""Columns of numbers as PostgreSQL's binary COPY has them: an array is the bytes that are sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from batches.auction import Ints
from batches.settlement import Amounts

_START = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
# A numeric: how many digits of this base, the weight of the first, a sign, a scale, the digits.
_BASE = 10_000
_DIGITS = 6
_NUMERIC = np.dtype([("head", ">i2", 4), ("digits", ">i2", _DIGITS)])


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one type, in its binary form."""

    values: npt.NDArray[np.generic]


def bigints(values: Ints) -> Column:
    return Column(values.astype(">i8"))


def uuids(values: npt.NDArray[np.void]) -> Column:
    """The 16 bytes of each."""
    return Column(values)


def numerics(values: Amounts) -> Column:
    """Whole numbers from 0 to 2^64 - 1, which is what a token account holds.

    Raises:
        OverflowError: one is none.
    """
    if values.dtype != object and values.size and values.min() < 0:
        raise OverflowError("an amount is below zero")
    left = values.astype(np.uint64)
    found = np.zeros(len(left), _NUMERIC)
    found["head"] = (_DIGITS, _DIGITS - 1, 0, 0)
    for place in reversed(range(_DIGITS)):
        found["digits"][:, place] = left % _BASE
        left //= np.uint64(_BASE)
    return Column(found)


def taken(columns: Sequence[Column], places: Ints) -> list[Column]:
    """The rows at these places, in this order."""
    return [Column(column.values[places]) for column in columns]


def rows(columns: Sequence[Column]) -> Iterable[bytes]:
    """What is sent to `COPY … FROM STDIN (FORMAT BINARY)` for rows of these columns."""
    fields: list[tuple[str, npt.DTypeLike]] = [("count", ">i2")]
    for number, column in enumerate(columns):
        fields += [(f"size{number}", ">i4"), (f"value{number}", column.values.dtype)]
    table = np.empty(len(columns[0].values), np.dtype(fields))
    table["count"] = len(columns)
    for number, column in enumerate(columns):
        table[f"size{number}"] = column.values.dtype.itemsize
        table[f"value{number}"] = column.values
    return _START, table.tobytes(), _END
