"""The venue of block space, which is left alone for a while once it has kept somebody waiting.

Slots are worth less than the time of those who close, clear and settle: who finds that the venue
takes long tells every process, and these go on as if there were none.
"""

import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import redis
import structlog

from chains import registry as adapters
from chains.blockspace import BlockspaceVenue
from fairlane.core.redis_clients import client

logger = structlog.get_logger(__name__)

T = TypeVar("T")

# An answer takes milliseconds; the lead of a batch is half a second.
PATIENCE_S = 1.0
# Long beside what a silent venue costs (the adapter's timeout), short beside an outage.
LEFT_ALONE_S = 10
KEY = "fairlane:batches:venue:silent"


def at_hand() -> BlockspaceVenue | None:
    """The venue; None where there is none, or where it is left alone."""
    venue = adapters.blockspace()
    return None if venue is None or _is_left_alone() else venue


def ask(question: Coroutine[Any, Any, T]) -> T:
    """What the venue answers; one that takes long for it, whatever it says, is left alone then.

    Raises:
        ChainError: as the question does.
    """
    began = time.monotonic()
    try:
        return adapters.run(question)
    finally:
        if time.monotonic() - began > PATIENCE_S:
            _leave_alone()


def _is_left_alone() -> bool:
    try:
        return bool(client().exists(KEY))
    except redis.RedisError:
        # It is asked, then, at the price of a timeout where it is silent.
        return False


def _leave_alone() -> None:
    logger.warning("venue.left_alone", seconds=LEFT_ALONE_S)
    try:
        client().set(KEY, 1, ex=LEFT_ALONE_S)
    except redis.RedisError as error:
        logger.warning("venue.redis_lost", error=type(error).__name__)
