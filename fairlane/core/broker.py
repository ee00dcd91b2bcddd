"""Celery's Redis transport, able to outlive Redis."""

from typing import Any

import redis
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis


class Channel(kombu_redis.Channel):
    """A channel that, once its connection is closed, says so in the terms kombu expects.

    When Redis goes away, the worker closes its connection and then gives back or acknowledges the
    messages in hand on it. kombu looks for the closed connection's address there and fails with an
    AttributeError, which nobody handles: the worker ends. A connection error it knows how to take.
    """

    def _connparams(self, asynchronous: bool = False) -> Any:
        if self.connection.client is None:
            raise redis.ConnectionError("the connection to the broker is closed")
        return super()._connparams(asynchronous)  # type: ignore[misc]


class Transport(kombu_redis.Transport):
    """kombu's, with the channel above."""

    Channel = Channel


def register() -> None:
    """Let redis:// and rediss:// mean this transport."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:Transport"))
