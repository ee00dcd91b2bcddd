"""Locks on requests, which everybody takes in the same order."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from fairlane.core.models import Work
from stablecoin.models import Request


class _MoreWork(Exception):
    """Work was given while the requests were waited for."""


def hold(ids: Collection[UUID]) -> dict[UUID, Request]:
    """Requests as they are now and stay until the transaction ends: work first, each by id.

    Whoever held the work finds that it is gone, if it is taken away here. Work of stored requests
    is given only by those who hold them, so what is held here is all there is.
    """
    while True:
        try:
            with transaction.atomic():
                return _hold(ids)
        except _MoreWork:
            # Its lock comes first; those that were taken are free again with the savepoint.
            continue


def _hold(ids: Collection[UUID]) -> dict[UUID, Request]:
    work = Work.objects.filter(object_id__in=ids).values_list("object_id", flat=True)
    held = set(work.select_for_update().order_by("object_id"))
    found = Request.objects.select_for_update().filter(id__in=ids).order_by("id").in_bulk()
    if set(work.all()) - held:
        raise _MoreWork
    return found
