"""Doors of the kernel: sign-in, tickets, health, metrics."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fairlane.core import (
    health,
    metrics,
    monitoring,
    sign_in_links,
    tallies,
    throttling,
    tickets,
)
from fairlane.core.rest.authentication import principal_of


class SignIn(LoginView):
    """The password form; attempts are throttled per address."""

    template_name = "core/sign_in.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        throttling.check_sign_in(throttling.address_of_request(request))
        return super().post(request, *args, **kwargs)


@never_cache
@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Looking at the link only shows a button, so that a preview does not use it up."""
    throttling.check_sign_in(throttling.address_of_request(request))
    if request.method == "POST":
        user = sign_in_links.consume(token)
        if user is not None:
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("/")
    good = request.method != "POST" and sign_in_links.is_good(token)
    return render(request, "core/sign_in_link.html", {"good": good}, status=200 if good else 410)


class WebSocketTicket(APIView):
    """A one-time ticket that opens one WebSocket."""

    @extend_schema(
        summary="Get a WebSocket ticket",
        description="Open the socket with `?ticket=…` within `expiresIn` seconds; it works once.",
        request=None,
        responses={
            201: inline_serializer(
                "WebSocketTicket",
                {"ticket": serializers.CharField(), "expiresIn": serializers.IntegerField()},
            )
        },
    )
    def post(self, request: Request) -> Response:
        """Issue a ticket for this caller."""
        ticket = tickets.issue(principal_of(request))
        return Response(
            {"ticket": ticket, "expiresIn": tickets.LIFE_S},
            status=201,
            headers={"Cache-Control": "no-store"},
        )


@require_safe
async def live(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
async def ready(request: HttpRequest) -> HttpResponse:
    """This process can serve: database, migrations."""
    return _health(await sync_to_async(health.ready)())


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The state of every part: for everybody, or for whom the monitoring is restricted to."""
    if settings.MONITORING_NETWORKS:
        monitoring.require(request)
    return _health(health.overview())


@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus' scrape."""
    monitoring.require(request)
    return HttpResponse(metrics.render(), content_type=metrics.CONTENT_TYPE)


@require_safe
def queues(request: HttpRequest) -> HttpResponse:
    """What each queue has before it and behind it."""
    monitoring.require(request)
    found = tallies.queues(list(settings.CELERY_TASK_QUEUES))
    return JsonResponse({name: asdict(queue) for name, queue in found.items()})


def _health(report: dict[str, Any]) -> HttpResponse:
    return JsonResponse(
        report,
        status=200 if report["status"] == "ok" else 503,
        headers={"Cache-Control": "no-store"},
    )
