"""What the kernel has recorded: looked at, never changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from fairlane.core.admin.base import EndlessAdmin, OperatedAdmin, labelled
from fairlane.core.admin.topics import topics
from fairlane.core.gauges import SILENT_SECONDS
from fairlane.core.models import AuditEntry, Event, Heartbeat, Work


@admin.register(AuditEntry)
class AuditEntryAdmin(EndlessAdmin):
    """Who did what, and why."""

    list_display = ("at", "actor", "action", "object", "reason")
    search_fields = ("object",)
    search_help_text = "Object, such as order:…"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """By the whole object, which has an index."""
        return (queryset.filter(object=search_term) if search_term else queryset), False


@admin.register(Event)
class EventAdmin(EndlessAdmin):
    """The outbox: what happened to which object."""

    list_display = ("id", "position", "created_at", "kind", "target", "seq", "status", "wallet")
    list_display_links = ("id",)
    ordering = ("-id",)
    search_fields = ("object_id",)
    search_help_text = "Object id"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """By the object, which has an index."""
        return _of_object(queryset, search_term), False

    @admin.display(description="object")
    def target(self, event: Event) -> SafeString:
        return topics.link(event.kind, event.object_id)


@admin.register(Work)
class WorkAdmin(EndlessAdmin):
    """What is still to be done."""

    list_display = ("target", "stage", "state", "due_at", "attempts", "error")
    list_display_links = None
    list_filter = ("stage", ("quarantined_at", admin.EmptyFieldListFilter))
    ordering = ("due_at",)
    search_fields = ("object_id",)
    search_help_text = "Object id"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Work], search_term: str
    ) -> tuple[QuerySet[Work], bool]:
        """By the object, which is the key."""
        return _of_object(queryset, search_term), False

    @admin.display(description="object")
    def target(self, work: Work) -> SafeString:
        return topics.stage_link(work.stage, work.object_id)

    @labelled("state", {"quarantined": "danger", "held": "info", "due": "warning"})
    def state(self, work: Work) -> str:
        return work_state(work)

    @admin.display(description="last error")
    def error(self, work: Work) -> SafeString:
        return format_html('<span title="{}">{:.80}</span>', work.last_error, work.last_error)


@admin.register(Heartbeat)
class HeartbeatAdmin(OperatedAdmin):
    """The last sign of life of each queue's workers."""

    list_display = ("queue", "worker", "at", "state")

    @labelled("state", {"alive": "success", "silent": "danger"})
    def state(self, beat: Heartbeat) -> str:
        silent = (timezone.now() - beat.at).total_seconds() > SILENT_SECONDS
        return "silent" if silent else "alive"


def work_state(work: Work) -> str:
    """One word: quarantined, held by a worker, due, or waiting for its time."""
    if work.quarantined_at is not None:
        return "quarantined"
    if work.claim_id is not None:
        return "held"
    return "due" if work.due_at <= timezone.now() else "waiting"


def _of_object(queryset: QuerySet[Any], search_term: str) -> QuerySet[Any]:
    if not search_term:
        return queryset
    try:
        return queryset.filter(object_id=UUID(search_term.strip()))
    except ValueError:
        return queryset.none()
