"""Idempotency keys: a repeated request gets the first one's answer, and does nothing.

The record is inserted in the transaction of what the request does, so both exist or neither. Two
requests with one key meet at the primary key: the second waits for the first to commit, then
reads its answer. Nothing is ever "in flight", and a crash leaves no key behind that is taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from fairlane.core.errors import FieldError, Problem
from fairlane.core.models.access import IdempotencyRecord
from fairlane.core.principals import Principal

HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotent-Replay"
# A client that has not repeated its request for a day has given it up.
KEPT = timedelta(hours=24)

_INSERT = """
INSERT INTO core_idempotencyrecord (principal, key, fingerprint, status, body)
SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::smallint[], %s::text[])
ON CONFLICT DO NOTHING
RETURNING principal, key
"""
_SELECT = """
SELECT principal, key, fingerprint, status, body FROM core_idempotencyrecord
WHERE (principal, key) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets, or got the first time."""

    status: int
    body: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request that carries a key, with the answer it will get if it is the first."""

    principal: str
    key: str
    fingerprint: bytes
    answer: Answer


def key_of(header: str | None) -> str | None:
    """The Idempotency-Key header's value; None when there is none.

    Raises:
        Problem: 400, not 1 to 255 printable ASCII characters.
    """
    if header is None:
        return None
    if not 1 <= len(header) <= 255 or not header.isascii() or not header.isprintable():
        raise Problem(
            400,
            "invalid_idempotency_key",
            "The Idempotency-Key is not valid",
            [FieldError(HEADER, "invalid", "1 to 255 printable ASCII characters.")],
        )
    return header


def fingerprint(method: str, path: str, body: Any) -> bytes:
    """What makes two requests the same: method, path and the parsed body, in any key order."""
    # The standard library's: bodies hold integers and decimals of any size.
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(f"{method} {path}\n{canonical}".encode()).digest()


def claim(requests: Sequence[Request]) -> list[Answer | Problem]:
    """Take the keys of many requests; the outcome of each stands at its place.

    An `Answer` with `replayed` False says: this one is the first, go on and do it, in this same
    transaction. One with `replayed` True is the stored answer. A `Problem` says that the key was
    used for another request. Within the set, too, the first of equals wins.
    """
    firsts: dict[tuple[str, str], Request] = {}
    for request in requests:
        firsts.setdefault((request.principal, request.key), request)
    stored = _insert(firsts)
    return [_outcome(request, firsts, stored) for request in requests]


def run_once(
    *, principal: Principal, key: str | None, print_: bytes, do: Callable[[], tuple[int, str]]
) -> Answer:
    """Do something once per key; `do` works on the database only and gives status and body.

    What `do` raises undoes everything, the key included, so a refused request may be corrected
    and sent again under the same key.

    Raises:
        Problem: 409, the key was used for another request; and whatever `do` raises.
    """
    with transaction.atomic():
        if key is not None:
            request = Request(principal.ref, key, print_, Answer(0, ""))
            (outcome,) = claim([request])
            if isinstance(outcome, Problem):
                raise outcome
            if outcome.replayed:
                return outcome
        status, body = do()
        if key is not None:
            IdempotencyRecord.objects.filter(principal=principal.ref, key=key).update(
                status=status, body=body
            )
    return Answer(status, body)


def purge() -> int:
    """Delete the records older than `KEPT`; returns how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _insert(firsts: dict[tuple[str, str], Request]) -> dict[tuple[str, str], Request]:
    """Insert what is new; returns the stored records of the others."""
    # In one order everywhere, so that two sets with common keys cannot wait for each other.
    ordered = [firsts[identity] for identity in sorted(firsts)]
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                [request.principal for request in ordered],
                [request.key for request in ordered],
                [request.fingerprint for request in ordered],
                [request.answer.status for request in ordered],
                [request.answer.body for request in ordered],
            ],
        )
        taken = firsts.keys() - set(cursor.fetchall())
        if not taken:
            return {}
        cursor.execute(_SELECT, [[who for who, _ in taken], [key for _, key in taken]])
        return {
            (who, key): Request(who, key, bytes(print_), Answer(status, body, replayed=True))
            for who, key, print_, status, body in cursor.fetchall()
        }


def _outcome(
    request: Request,
    firsts: dict[tuple[str, str], Request],
    stored: dict[tuple[str, str], Request],
) -> Answer | Problem:
    identity = (request.principal, request.key)
    original = stored.get(identity) or firsts[identity]
    if original is request:
        return request.answer
    if original.fingerprint != request.fingerprint:
        return Problem(
            409, "idempotency_key_reused", "This Idempotency-Key was used for another request"
        )
    return Answer(original.answer.status, original.answer.body, replayed=True)
