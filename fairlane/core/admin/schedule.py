"""The periodic tasks: the operator's interval and switch are kept when the service starts."""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from fairlane.core.admin.base import AuditedAdmin

for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


class TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]
    """The tasks that Celery knows, in Unfold's looks."""


class PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]
    """The same form in Unfold's looks."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, AuditedAdmin):  # type: ignore[misc]
    """When each periodic task runs."""

    form = PeriodicTaskForm
    list_display = ("name", "enabled", "interval", "crontab", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    date_hierarchy = None


@admin.register(IntervalSchedule)
class IntervalAdmin(beat.IntervalScheduleAdmin, AuditedAdmin):  # type: ignore[misc]
    """Every so many seconds."""


@admin.register(CrontabSchedule)
class CrontabAdmin(beat.CrontabScheduleAdmin, AuditedAdmin):  # type: ignore[misc]
    """At fixed times of the day, week or month."""
