"""JSON as money needs it, for every door: bounded, every digit kept, NaN and Infinity refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import NoReturn

from fairlane.core.errors import Problem, malformed

# A thousand orders are about 250 kB.
MAX_BODY_BYTES = 2_000_000


def read(raw: bytes) -> object:
    """The body, its fractions as decimals.

    Raises:
        Problem: 400, it is no JSON; 413, it is too large.
    """
    require_size(len(raw))
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_refuse)
    # Nesting without end, numbers of thousands of digits and exponents beyond any decimal are no
    # JSON of ours either.
    except (ValueError, ArithmeticError, RecursionError):
        raise malformed() from None


def require_size(size: int) -> None:
    """
    Raises:
        Problem: 413, more bytes than any request needs.
    """
    if size > MAX_BODY_BYTES:
        raise Problem(413, "too_large", f"The body is over {MAX_BODY_BYTES} bytes")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
