"""Tasks of the kernel."""

from __future__ import annotations

from celery import Task, current_app, shared_task
from django.conf import settings
from django.utils import timezone

from fairlane.core import claims, idempotency, sign_in_links, wakeups
from fairlane.core.models import Heartbeat

# A canary that waited longer says nothing about now.
CANARY_SECONDS = 30


@shared_task(name="core.sweep")
def sweep() -> None:
    """Wake every stage that has due rows: finds what a lost wake-up left behind."""
    for stage in claims.backlog():
        wakeups.wake(stage)


@shared_task(name="core.heartbeat")
def heartbeat() -> None:
    """Send a canary through every queue."""
    for queue in settings.CELERY_TASK_QUEUES:
        current_app.send_task("core.canary", [queue], queue=queue, expires=CANARY_SECONDS)


@shared_task(name="core.canary", bind=True)
def canary(self: Task[..., None], queue: str) -> None:
    """Write down that a worker of ``queue`` takes messages and reaches the database."""
    Heartbeat.objects.update_or_create(
        queue=queue, defaults={"worker": self.request.hostname or "", "at": timezone.now()}
    )


@shared_task(name="core.purge")
def purge() -> None:
    """Delete what has served its time."""
    idempotency.purge()
    sign_in_links.purge()
