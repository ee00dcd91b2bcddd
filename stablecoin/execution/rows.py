"""What the stages need of requests, read in one query."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from stablecoin.models import Request
from stablecoin.states import ENDED


class RequestRow(NamedTuple):
    """See ``stablecoin.models.Request``."""

    id: UUID
    kind: str
    chain_id: int
    request_id: str
    wallet: str
    amount: int
    reference: str
    source: str
    status: str
    tries: int
    lock_hash: str
    created_at: datetime


def requests(ids: Collection[UUID], *statuses: str) -> list[RequestRow]:
    """Those of ``ids`` that have one of ``statuses``, the oldest first."""
    found = Request.objects.filter(id__in=ids, status__in=statuses).order_by("id")
    return [RequestRow(*row) for row in found.values_list(*RequestRow._fields)]


def ended(ids: Collection[UUID]) -> set[UUID]:
    """Those of ``ids`` for which nothing is left to do."""
    found = Request.objects.filter(id__in=ids, status__in=ENDED)
    return set(found.values_list("id", flat=True))
