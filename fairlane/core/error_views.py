"""Problems as Django responses: problem+json for programs, a page for people."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_template

from fairlane.core import request_ids
from fairlane.core.errors import CONTENT_TYPE, Problem, not_found

_FOR_PROGRAMS = ("/api/", "/health", "/metrics")


def render(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The answer in the form this caller reads."""
    if _is_program(request):
        return as_json(problem)
    # A page that says the service is down must not need the service: no base template.
    template = "core/failure.html" if problem.status >= 500 else "core/problem.html"
    response = render_template(
        request,
        template,
        {"problem": problem, "request_id": request_ids.current()},
        status=problem.status,
    )
    _add_headers(response, problem)
    return response


def as_json(problem: Problem) -> HttpResponse:
    """The answer as application/problem+json."""
    response = HttpResponse(
        problem.body(request_ids.current()), content_type=CONTENT_TYPE, status=problem.status
    )
    _add_headers(response, problem)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    return render(request, Problem(400, "bad_request", "The request cannot be read"))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    return render(request, Problem(403, "forbidden", "This is not allowed"))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    return render(request, not_found())


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: says nothing about the cause; the log has it under the request id."""
    return render(request, Problem(500, "internal", "Something went wrong on our side"))


def csrf_failure(request: HttpRequest, reason: str = "", **_: Any) -> HttpResponse:
    """CSRF_FAILURE_VIEW."""
    return render(
        request, Problem(403, "csrf", "The form was out of date; go back, reload and try again")
    )


def _is_program(request: HttpRequest) -> bool:
    return request.path_info.startswith(_FOR_PROGRAMS)


def _add_headers(response: HttpResponse, problem: Problem) -> None:
    for name, value in problem.headers.items():
        response[name] = value
    response["Cache-Control"] = "no-store"
