"""Pydantic's findings in the words of the API."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from fairlane.core.errors import FieldError, Problem, invalid, malformed

_CODES = {"missing": "required", "extra_forbidden": "unknown_field"}
_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field.",
    "model_type": "Must be a JSON object.",
}

Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], body: object) -> Model:
    """The body as ``model``.

    Raises:
        Problem: 400 with every wrong field.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise problem(error) from None


def field_errors(error: ValidationError, *, prefix: str = "") -> list[FieldError]:
    """One FieldError per finding; paths read `orders.3.inputAmount`.

    Values never appear in the messages, so nothing a caller sent by mistake is echoed or logged.
    """
    found = []
    for item in error.errors(include_url=False, include_input=False):
        kind = item["type"]
        code = "invalid_type" if kind.endswith("_type") else _CODES.get(kind, kind)
        # A default that is refused has its name in Python; nobody's unknown field is renamed.
        name = str if kind == "extra_forbidden" else _in_json
        path = ".".join((*([prefix] if prefix else []), *map(name, item["loc"])))
        found.append(FieldError(path, code, _MESSAGES.get(kind, _plain(item["msg"]))))
    return found


def _in_json(part: str | int) -> str:
    return to_camel(part) if isinstance(part, str) else str(part)


def _plain(message: str) -> str:
    """A finding without what pydantic puts before those of our own checks."""
    own = message.removeprefix("Value error, ")
    return own[:1].upper() + own[1:]


def problem(error: ValidationError) -> Problem:
    """The 400 for a body pydantic refuses, whether it is no JSON or not what was asked for."""
    if any(item["type"] == "json_invalid" for item in error.errors(include_url=False)):
        return malformed()
    return invalid(*field_errors(error))
