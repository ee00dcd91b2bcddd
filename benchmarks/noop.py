"""Programs that do nothing, for the floors: a Celery task and an ASGI endpoint."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from celery import Celery

QUEUE = "noop"
BODY = b'{"status":"PENDING"}' + b" " * 400

celery = Celery("noop", broker=os.environ.get("NOOP_BROKER"))
celery.conf.update(
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
)


@celery.task
def nothing() -> None:
    """The task."""


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """The endpoint: reads a request and answers as many bytes as an accepted order has."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
