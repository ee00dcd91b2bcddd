"""What every Celery task gets: the request id of its sender in its logs, and its metrics."""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun

from fairlane.core import metrics, request_ids

log = structlog.get_logger(__name__)

_started: dict[str, float] = {}


@before_task_publish.connect(weak=False)
def send_request_id(headers: dict[str, Any], **_: Any) -> None:
    """Put the sender's request id on the message."""
    headers.setdefault("request_id", request_ids.current())


@task_prerun.connect(weak=False)
def begin(task_id: str, task: Task[..., Any], **_: Any) -> None:
    """Bind the ids for the logs and start the clock."""
    structlog.contextvars.clear_contextvars()
    request_id = task.request.get("request_id") or task_id
    structlog.contextvars.bind_contextvars(request_id=request_id, task=task.name)
    _started[task_id] = time.monotonic()


@task_postrun.connect(weak=False)
def end(task_id: str, task: Task[..., Any], state: str | None = None, **_: Any) -> None:
    """Count the task by its outcome."""
    seconds = time.monotonic() - _started.pop(task_id, time.monotonic())
    outcome = (state or "unknown").lower()
    metrics.TASK_SECONDS.labels(task.name).observe(seconds)
    metrics.TASKS.labels(task.name, outcome).inc()
    log.debug("task_ended", outcome=outcome, seconds=round(seconds, 4))
    structlog.contextvars.clear_contextvars()
