"""REST framework's exceptions as problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.views import set_rollback

from fairlane.core import error_views
from fairlane.core.errors import (
    FieldError,
    Problem,
    invalid,
    malformed,
    not_found,
    unavailable,
    wrong_content_type,
)

log = structlog.get_logger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """EXCEPTION_HANDLER: a problem for what we know, None (a 500) for what we do not."""
    problem = as_problem(error)
    if problem is None:
        return None
    set_rollback()
    return error_views.as_json(problem)


def as_problem(error: Exception) -> Problem | None:
    """The problem an exception means for the caller, if it means one."""
    match error:
        case Problem():
            return error
        case exceptions.ValidationError():
            return invalid(*_field_errors(error.get_full_details()))
        case exceptions.ParseError():
            return malformed()
        case exceptions.UnsupportedMediaType():
            return wrong_content_type()
        case Http404() | exceptions.NotFound():
            return not_found()
        case PermissionDenied() | exceptions.PermissionDenied():
            return Problem(403, "forbidden", "This is not allowed")
        case exceptions.APIException():
            return Problem(error.status_code, str(error.default_code), str(error.detail))
        case OperationalError() | InterfaceError():
            log.warning("database_unavailable", exc_info=error)
            return unavailable()
    return None


def _field_errors(details: Any, path: str = "") -> Iterator[FieldError]:
    """Flatten REST framework's nested findings; paths read `orders.3.inputAmount`."""
    if isinstance(details, list):
        for index, item in enumerate(details):
            leaf = isinstance(item, dict) and set(item) == {"message", "code"}
            yield from _field_errors(item, path if leaf else _join(path, str(index)))
    elif set(details) == {"message", "code"}:
        yield FieldError(path, str(details["code"]), str(details["message"]))
    else:
        for name, item in details.items():
            whole = name == "non_field_errors"
            yield from _field_errors(item, path if whole else _join(path, name))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
