"""Bodies of REST views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from fairlane.core import json_bodies


class StrictJSONParser(BaseParser):
    """application/json in UTF-8, as `json_bodies` reads it."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return json_bodies.read(stream.read(json_bodies.MAX_BODY_BYTES + 1))
