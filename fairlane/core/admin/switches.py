"""Switches: everything that can be paused, whether or not anybody ever did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from fairlane.core import switches
from fairlane.core.admin.deeds import Deed, DeedAdmin
from fairlane.core.admin.topics import topics
from fairlane.core.models import Switch
from fairlane.core.principals import Principal


@dataclass(frozen=True, slots=True)
class Known:
    """A switch as the list shows it."""

    name: str
    meaning: str
    on: bool = True
    reason: str = ""
    by: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.name} ({'on' if self.on else 'paused'})"


def known_switches() -> list[Known]:
    """Those the apps ask for, and those that have a row; one query."""
    rows = {row.name: row for row in Switch.objects.all()}
    names = [*topics.switches, *sorted(rows.keys() - topics.switches.keys())]
    return [_known(name, rows.get(name)) for name in names]


def _known(name: str, row: Switch | None) -> Known:
    meaning = topics.switches.get(name, "")
    if row is None:
        return Known(name, meaning)
    return Known(name, meaning, row.on, row.reason, row.by, row.at)


def _turn(on: bool) -> Any:
    def run(name: str, by: Principal, reason: str) -> str:
        switches.set_switch(name=name, on=on, by=by.actor, reason=reason)
        return f"{name} {'runs again' if on else 'is paused'}."

    return run


PAUSE = Deed("Pause", "Every process stops this within a second.", _turn(on=False))
RESUME = Deed("Resume", "Every process takes this up again within a second.", _turn(on=True))


@admin.register(Switch)
class SwitchAdmin(DeedAdmin):
    """Pause and resume."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="core_switch_changelist"),
            path("<str:name>/pause/", wrap(self.pause), name="core_switch_pause"),
            path("<str:name>/resume/", wrap(self.resume), name="core_switch_resume"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All switches on one page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Switches",
            "opts": self.opts,
            "switches": known_switches(),
            "may_operate": self.has_operate_permission(request),
        }
        return TemplateResponse(request, "admin/fairlane/switches.html", context)

    def pause(self, request: HttpRequest, name: str) -> HttpResponse:
        return self._turn(request, PAUSE, name)

    def resume(self, request: HttpRequest, name: str) -> HttpResponse:
        return self._turn(request, RESUME, name)

    def _turn(self, request: HttpRequest, deed: Deed, name: str) -> HttpResponse:
        if not self.has_operate_permission(request):
            raise PermissionDenied
        switch = next((known for known in known_switches() if known.name == name), None)
        if switch is None:
            raise Http404
        return self.perform(request, deed, {name: switch}, back="../../")
