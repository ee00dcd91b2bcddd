"""Wake-ups: tell a stage that it has work, once for however many rows.

A wake-up is a Celery message without content. While one is on its way another is not sent. It may
be lost with Redis or come twice: the sweeper asks the table every second, and a stage that finds
nothing due costs one query.
"""

import functools
import time
from dataclasses import dataclass

import redis
import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from fairlane.core.redis_clients import client

logger = structlog.get_logger(__name__)

# How long a sent wake-up keeps others back if its task never starts.
PENDING_MS = 1_000
# Delayed wake-ups are sent for moments on this grid, so that many rows share one.
GRID_MS = 50
# A message that waits longer than this would only sit in a worker's memory.
MAX_DELAY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Target:
    """The task that a stage's wake-up starts."""

    task: str
    queue: str


_targets: dict[str, Target] = {}


def register(stage: str, *, task: str, queue: str) -> None:
    """Declare which task works on ``stage``."""
    _targets[stage] = Target(task, queue)


def queue_of(stage: str) -> str | None:
    """The queue of a stage's task; None for a stage that no app of this site has."""
    target = _targets.get(stage)
    return target.queue if target else None


def wake(stage: str, *, delay_ms: int = 0) -> None:
    """Let ``stage`` run after the current transaction has committed.

    Args:
        delay_ms: about how much later; for delays of seconds at most, the sweeper does the rest.
    """
    if delay_ms <= MAX_DELAY_MS:
        transaction.on_commit(functools.partial(_send, stage, delay_ms))


def started(stage: str) -> None:
    """A task of ``stage`` is about to look for work: from here on a new wake-up is news."""
    try:
        client().delete(_key(stage, 0))
    except redis.RedisError as error:
        logger.warning("wakeup.redis_lost", stage=stage, error=type(error).__name__)


def _send(stage: str, delay_ms: int) -> None:
    target = _targets[stage]
    try:
        if not client().set(_key(stage, delay_ms), 1, nx=True, px=delay_ms + PENDING_MS):
            return
        current_app.send_task(
            target.task,
            queue=target.queue,
            countdown=delay_ms / 1000 or None,
            expires=(delay_ms + 10 * PENDING_MS) / 1000,
            retry=False,
        )
    except (redis.RedisError, OperationalError) as error:
        logger.warning("wakeup.lost", stage=stage, error=type(error).__name__)


def _key(stage: str, delay_ms: int) -> str:
    moment = (time.time_ns() // 1_000_000 + delay_ms) // GRID_MS if delay_ms else "now"
    return f"fairlane:wake:{stage}:{moment}"
