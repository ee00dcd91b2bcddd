"""Paths for the tests of the edges: the whole site's, and views that misbehave."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fairlane import urls as site
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
    path("api/echo", Echo.as_view()),
    path("api/broken", broken),
    path("broken", broken),
    path("refusing", refusing),
    path("api/refusing", refusing),
    path("request-id", request_id),
    *site.urlpatterns,
]
handler400 = site.handler400
handler403 = site.handler403
handler404 = site.handler404
handler500 = site.handler500
