"""The Celery application: wake-ups of the stages, and housekeeping."""

import os
from typing import Any

from celery import Celery, signals
from django.db import connections

from fairlane.core import broker, garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlane.settings.sandbox")

broker.register()
app = Celery("fairlane")
# For the threads of the web processes too: `current_app` is kept per thread otherwise.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["fairlane.core"])


@signals.worker_process_init.connect
def settle(**_: Any) -> None:
    """Begin with a clean heap."""
    garbage.settle()


@signals.task_postrun.connect
def release_connections(**_: Any) -> None:
    """Give the task's database connection back: an idle worker holds none."""
    connections.close_all()
