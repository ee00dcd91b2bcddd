"""Paths for the tests of the edges: the kernel's own, and views that misbehave."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fairlane.core import request_ids
from fairlane.core.errors import Problem
from fairlane.core.rest.authentication import principal_of
from fairlane.core.rest.permissions import needs


class Echo(APIView):
    permission_classes = (needs("orders:write"),)

    def post(self, request: Request) -> Response:
        data = {key: repr(value) for key, value in dict(request.data).items()}
        return Response({"who": principal_of(request).ref, "data": data})


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the password is hunter2")


def refusing(request: HttpRequest) -> HttpResponse:
    raise Problem(409, "taken", "It is taken")


async def request_id(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request_ids.current())


urlpatterns = [
    path("", include("fairlane.core.urls")),
    path("api/echo", Echo.as_view()),
    path("api/broken", broken),
    path("broken", broken),
    path("refusing", refusing),
    path("api/refusing", refusing),
    path("request-id", request_id),
]
handler400 = "fairlane.core.error_views.bad_request"
handler403 = "fairlane.core.error_views.permission_denied"
handler404 = "fairlane.core.error_views.page_not_found"
handler500 = "fairlane.core.error_views.server_error"
