"""Pages of a list that grows while it is read."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from fairlane.core.errors import FieldError, invalid

PAGE_SIZE = 50
MAX_PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Before or after one row, named by its time and id: no two rows share both."""

    older: bool
    at: datetime
    id: UUID

    @classmethod
    def parse(cls, cursor: str) -> Place:
        """
        Raises:
            Problem: 400, it is none of ours.
        """
        try:
            direction, at, id_ = urlsafe_b64decode(cursor.encode()).decode().split(" ")
            place = cls(direction == "older", datetime.fromisoformat(at), UUID(id_))
        except (ValueError, binascii.Error):
            place = None
        if place is None or place.at.tzinfo is None:
            raise invalid(FieldError("cursor", "invalid", "No cursor of this list."))
        return place

    def __str__(self) -> str:
        text = f"{'older' if self.older else 'newer'} {self.at.isoformat()} {self.id}"
        return urlsafe_b64encode(text.encode()).decode()


class CursorPage(BasePagination):
    """`{results, next, previous}`, newest first; `limit` sets the size, `cursor` the place.

    For rows with `created_at` and a UUID `id`. Pages have no holes and no doubles, however many
    rows were made at one moment.
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        limit, cursor = _limit(request), request.query_params.get("cursor")
        place = Place.parse(cursor) if cursor else None
        rows = _rows(queryset, place, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        older = place is None or place.older
        if not older:
            rows.reverse()
        self._uri = request.build_absolute_uri()
        self._next = _place(rows[-1], older=True) if rows and (more or not older) else None
        self._previous = (
            _place(rows[0], older=False) if rows and place and (more or older) else None
        )
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "results": data,
                "next": self._link(self._next),
                "previous": self._link(self._previous),
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def _link(self, place: Place | None) -> str | None:
        return replace_query_param(self._uri, "cursor", str(place)) if place else None


def _rows(queryset: QuerySet[Any], place: Place | None, count: int) -> list[Any]:
    if place is None or place.older:
        queryset = queryset.order_by("-created_at", "-id")
    else:
        queryset = queryset.order_by("created_at", "id")
    if place is None:
        return list(queryset[:count])
    if place.older:
        rest = queryset.filter(created_at__lte=place.at)
        return list(rest.exclude(created_at=place.at, id__gte=place.id)[:count])
    rest = queryset.filter(created_at__gte=place.at)
    return list(rest.exclude(created_at=place.at, id__lte=place.id)[:count])


def _place(row: Model, *, older: bool) -> Place:
    return Place(older, row.created_at, row.pk)  # type: ignore[attr-defined]


def _limit(request: Request) -> int:
    text = request.query_params.get("limit")
    if text is None:
        return PAGE_SIZE
    # Three digits, so that a number of thousands of them is not even read.
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_PAGE_SIZE:
        return int(text)
    raise invalid(FieldError("limit", "invalid", f"A whole number from 1 to {MAX_PAGE_SIZE}."))
