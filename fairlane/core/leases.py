"""Leases: one process at a time does a thing, and a holder that was overtaken finds out.

A lease saves work; it guards no data, because its holder may sleep through its end. So what is
written under it is either harmless twice, or checks the epoch in its own transaction (`check`).
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from uuid import uuid4

from django.db import connection


class Overtaken(Exception):
    """Another process holds the lease now."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease while it lasts."""

    name: str
    holder: str
    epoch: int


def new_holder() -> str:
    """A name for one process, or one part of it, that nobody else has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def take(name: str, holder: str, *, seconds: float) -> Held | None:
    """Take a lease that is free or one's own, for so long; None while another holds it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_lease AS l (name, holder, epoch, until)"
            " VALUES (%s, %s, 1, clock_timestamp() + %s * interval '1 second')"
            " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,"
            " epoch = l.epoch + (l.holder <> excluded.holder)::int"
            " WHERE l.holder = excluded.holder OR l.until < clock_timestamp()"
            " RETURNING epoch",
            [name, holder, seconds],
        )
        row = cursor.fetchone()
    return None if row is None else Held(name, holder, row[0])


def check(held: Held) -> None:
    """Keep anybody from taking the lease before the current transaction has ended.

    Raises:
        Overtaken: somebody has.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM core_lease WHERE name = %s AND holder = %s AND epoch = %s FOR SHARE",
            [held.name, held.holder, held.epoch],
        )
        if cursor.fetchone() is None:
            raise Overtaken(held.name)


def release(held: Held) -> None:
    """Let the next one in at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_lease SET until = clock_timestamp()"
            " WHERE name = %s AND holder = %s AND epoch = %s",
            [held.name, held.holder, held.epoch],
        )
