"""Pages of a list that grows while it is read."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class CursorPage(CursorPagination):
    """`{results, next, previous}`, newest first; `limit` sets the size, `cursor` the place."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500
    ordering = "-created_at"
