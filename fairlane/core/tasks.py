"""Tasks of the kernel."""

from celery import shared_task

from fairlane.core import claims, wakeups


@shared_task(name="core.sweep")
def sweep() -> None:
    """Wake every stage that has due rows: finds what a lost wake-up left behind."""
    for stage in claims.backlog():
        wakeups.wake(stage)
