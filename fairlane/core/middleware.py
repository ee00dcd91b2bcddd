"""Middleware that stays on the event loop.

Django runs a middleware's hooks in a thread when it serves ASGI. The hooks of these do no I/O, or
seldom, and a thread hop would cost more than all of them together.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

from fairlane.core import error_views, metrics, request_ids
from fairlane.core.errors import Problem

log = structlog.get_logger("fairlane.http")

# Asked every few seconds by machines; worth a line only when they fail.
_QUIET = ("/health", "/metrics", "/static/")


class InLoop(MiddlewareMixin):
    """Runs the hooks of a Django middleware where the request is."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        hooks: Any = self
        response: HttpResponseBase | None = None
        if hasattr(hooks, "process_request"):
            response = hooks.process_request(request)
        if response is None:
            response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        if hasattr(hooks, "process_response"):
            if self.does_io(request):
                response = await sync_to_async(hooks.process_response)(request, response)
            else:
                response = hooks.process_response(request, response)
        return cast(HttpResponseBase, response)

    def does_io(self, request: HttpRequest) -> bool:
        """Whether the response hook is worth a thread, this time."""
        return False


class Security(InLoop, SecurityMiddleware):
    """HTTPS, HSTS, nosniff, referrer and opener policies."""


class Common(InLoop, CommonMiddleware):
    """Host check and Content-Length."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Probes ask by address, so the host is not looked at where nothing depends on it."""
        if request.path_info.startswith("/health"):
            return None
        return super().process_request(request)


class Authentication(InLoop, AuthenticationMiddleware):
    """`request.user`, looked up when a view asks."""


class Sessions(InLoop, SessionMiddleware):
    """Sessions; a thread is taken only to save a changed one."""

    def does_io(self, request: HttpRequest) -> bool:
        return request.session.modified


class Messages(InLoop, MessageMiddleware):
    """Messages; a thread is taken only when some were added or shown."""

    def does_io(self, request: HttpRequest) -> bool:
        storage = getattr(request, "_messages", None)
        return storage is not None and (storage.used or storage.added_new)


class Csrf(InLoop, CsrfViewMiddleware):
    """CSRF tokens for the forms of pages and admin."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if self.async_mode:
            self.process_view = self._check  # type: ignore[method-assign, assignment]

    async def _check(self, *args: Any) -> HttpResponse | None:
        return CsrfViewMiddleware.process_view(self, *args)


class ContentSecurityPolicy(InLoop):
    """What pages may load; a view that sets the header itself is left alone."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the policy of this part of the site."""
        admin = request.path_info.startswith("/admin/")
        response.headers.setdefault(
            "Content-Security-Policy",
            settings.ADMIN_CONTENT_SECURITY_POLICY if admin else settings.CONTENT_SECURITY_POLICY,
        )
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        return response


class Problems(InLoop):
    """Renders the problems that plain Django views raise."""

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """The answer to a problem; other exceptions go on."""
        if isinstance(exception, Problem):
            return error_views.render(request, exception)
        return None


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise, with a thread for files only."""

    async_capable = True
    sync_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if iscoroutinefunction(self):
            return self._acall(request)
        return super().__call__(request)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(self.static_prefix):
            response = await sync_to_async(self._file)(request)
            if response is not None:
                return response
        return cast(HttpResponseBase, await self.get_response(request))

    def _file(self, request: HttpRequest) -> HttpResponse | None:
        """The file, read at once: ASGI has no use for a synchronous stream."""
        found = (
            self.find_file(request.path_info)
            if self.autorefresh
            else self.files.get(request.path_info)
        )
        if found is None:
            return None
        streamed = self.serve(found, request)
        content = b"".join(streamed.streaming_content)
        streamed.close()
        response = HttpResponse(content, status=streamed.status_code)
        del response["Content-Type"]
        for name, value in streamed.items():
            response[name] = value
        return response


class RequestContext(MiddlewareMixin):
    """The outermost one: request id, one log line and the metrics of every request."""

    def __call__(self, request: HttpRequest) -> Any:
        if self.async_mode:
            return self._answer_async(request)
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=_request_id(request)):
            with metrics.HTTP_OPEN.track_inprogress():
                response = cast(HttpResponseBase, self.get_response(request))
            return _finished(request, response, time.monotonic() - started)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=_request_id(request)):
            with metrics.HTTP_OPEN.track_inprogress():
                response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
            return _finished(request, response, time.monotonic() - started)


def _request_id(request: HttpRequest) -> str:
    return request_ids.accept(request.headers.get(request_ids.HEADER))


def _finished(request: HttpRequest, response: HttpResponseBase, seconds: float) -> HttpResponseBase:
    response.headers[request_ids.HEADER] = request_ids.current()
    match = request.resolver_match
    size = len(response.content) if isinstance(response, HttpResponse) else 0
    metrics.observe_http(
        method=request.method or "",
        route=match.route if match else "unmatched",
        status=response.status_code,
        seconds=seconds,
        size=size,
    )
    quiet = request.path_info.startswith(_QUIET) and response.status_code < 400
    (log.debug if quiet else log.info)(
        "request",
        method=request.method,
        path=request.path_info,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
    )
    return response
