"""JSON as money needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class StrictJSONParser(BaseParser):
    """application/json in UTF-8: numbers keep every digit, NaN and Infinity are refused."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return json.loads(stream.read(), parse_float=Decimal, parse_constant=_refuse)
        # Nesting without end and numbers of thousands of digits are no JSON of ours either.
        except (ValueError, RecursionError) as error:
            raise ParseError from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
