"""Idempotency keys of REST views."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter

from fairlane.core import idempotency

IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    str,
    OpenApiParameter.HEADER,
    description="A repeat with the same key and body gets the first answer and does nothing.",
)


def respond(answer: idempotency.Answer) -> HttpResponse:
    """The answer, marked where it was given before."""
    response = HttpResponse(answer.body, content_type="application/json", status=answer.status)
    if answer.replayed:
        response[idempotency.REPLAY_HEADER] = "true"
    return response
