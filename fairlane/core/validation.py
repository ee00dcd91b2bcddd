"""Pydantic's findings in the words of the API."""

from __future__ import annotations

from pydantic import ValidationError

from fairlane.core.errors import FieldError, Problem, invalid, malformed

_CODES = {"missing": "required", "extra_forbidden": "unknown_field"}
_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field.",
    "model_type": "Must be a JSON object.",
}


def field_errors(error: ValidationError, *, prefix: str = "") -> list[FieldError]:
    """One FieldError per finding; paths read `orders.3.inputAmount`.

    Values never appear in the messages, so nothing a caller sent by mistake is echoed or logged.
    """
    found = []
    for item in error.errors(include_url=False, include_input=False):
        kind = item["type"]
        code = "invalid_type" if kind.endswith("_type") else _CODES.get(kind, kind)
        path = ".".join(str(part) for part in (*([prefix] if prefix else []), *item["loc"]))
        found.append(FieldError(path, code, _MESSAGES.get(kind, item["msg"])))
    return found


def problem(error: ValidationError) -> Problem:
    """The 400 for a body pydantic refuses, whether it is no JSON or not what was asked for."""
    if any(item["type"] == "json_invalid" for item in error.errors(include_url=False)):
        return malformed()
    return invalid(*field_errors(error))
