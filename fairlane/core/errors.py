"""Problems: every refusal a caller sees, as RFC 9457 describes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is its path as the caller wrote it."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """A refusal with a meaning for the caller; raised anywhere, rendered at the edges.

    `code` is the stable word programs look at, `title` says it to people, `detail` adds what is
    special about this case, `members` what a route's own clients look for besides.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str = "",
        errors: Iterable[FieldError] = (),
        *,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.title = title or HTTPStatus(status).phrase
        self.errors = tuple(errors)
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        super().__init__(f"{status} {code}: {self.title}")

    def document(self, request_id: str = "") -> dict[str, Any]:
        """The problem as a JSON object."""
        document: dict[str, Any] = {
            **self.members,
            "type": f"urn:fairlane:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        if self.detail:
            document["detail"] = self.detail
        if request_id:
            document["requestId"] = request_id
        if self.errors:
            document["errors"] = [
                {"field": error.field, "code": error.code, "message": error.message}
                for error in self.errors
            ]
        return document

    def body(self, request_id: str = "") -> bytes:
        """The document, serialised."""
        return orjson.dumps(self.document(request_id))


def invalid(*errors: FieldError, title: str = "The request is not valid") -> Problem:
    """400: these fields are wrong, and nothing was stored."""
    return Problem(400, "invalid_request", title, errors)


def malformed(detail: str = "") -> Problem:
    """400: the body is no JSON at all."""
    return Problem(400, "malformed_json", "The body is not JSON", detail=detail)


def wrong_content_type() -> Problem:
    """400: only application/json is read."""
    return Problem(400, "wrong_content_type", "The content type must be application/json")


def not_found(title: str = "There is no such thing here") -> Problem:
    """404: it does not exist, or this caller may not know that it does."""
    return Problem(404, "not_found", title)


def unavailable(detail: str = "", *, retry_after_s: int = 1) -> Problem:
    """503: something we stand on is away; the same request may be sent again."""
    return Problem(
        503,
        "unavailable",
        "The service cannot answer right now",
        detail=detail,
        headers={"Retry-After": str(retry_after_s)},
    )
