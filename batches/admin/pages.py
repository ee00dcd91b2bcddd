"""What the pages of the batches' back office share: tables, links, filters and searches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter

from batches.models import BatchOrder, Market, Packet
from fairlane.core.models import Work

# Rows that a table on a page holds; a batch may have thousands.
MAX_ROWS = 100

R = TypeVar("R", bound=Model)

_LINK = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
_CELL = '<{} style="padding: .25rem 1rem .25rem 0; text-align: left; vertical-align: top">{}</{}>'


def link(model: str, key: object, text: object) -> SafeString:
    """To the page of a row."""
    return format_html(_LINK, reverse(f"admin:batches_{model}_change", args=[key]), text)


def history(object_id: UUID) -> SafeString:
    """To the events of an object."""
    page = f"{reverse('admin:core_event_changelist')}?q={object_id}"
    return format_html(_LINK, page, "what happened to it")


def last_error(object_id: UUID) -> str:
    """What the last attempt to work on an object failed with, if it is put aside for that."""
    aside = Work.objects.filter(object_id=object_id).exclude(quarantined_at=None)
    return aside.values_list("last_error", flat=True).first() or ""


def short(row: BatchOrder | Packet) -> str:
    """The beginning of its hash or signature, which tells it from others."""
    return f"{str(row)[:16]}…"


def first(rows: QuerySet[R]) -> QuerySet[R]:
    """As many as a table holds, and one more that tells of the rest."""
    return rows[: MAX_ROWS + 1]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString:
    """Rows below their heads."""
    found = list(rows)
    if not found:
        return format_html("{}", "none")
    return format_html(
        '<div style="overflow-x: auto"><table><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table>{}</div>",
        _cells("th", heads),
        format_html_join("", "<tr>{}</tr>", ((_cells("td", row),) for row in found[:MAX_ROWS])),
        "… and more" if len(found) > MAX_ROWS else "",
    )


def _cells(tag: str, values: Iterable[object]) -> SafeString:
    return format_html_join(
        "", _CELL, ((tag, "" if value is None else value, tag) for value in values)
    )


def choice(
    column: str, choices: Iterable[str], implied: Mapping[str, Q] | None = None
) -> type[DropdownFilter]:
    """A filter by a column whose choices are known without reading the rows.

    Args:
        implied: what holds of all rows of a choice, and finds them where the column has no index.
    """
    known, beside = tuple(choices), implied or {}

    class Choice(DropdownFilter):  # type: ignore[misc]
        title = column.replace("_", " ")
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, value) for value in known]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            if not value:
                return queryset
            return queryset.filter(beside.get(value, Q()), **{column: value})

    return Choice


class MarketFilter(DropdownFilter):  # type: ignore[misc]
    """One market, by its name."""

    title = "market"
    parameter_name = "market"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in Market.objects.values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(market__name=self.value()) if self.value() else queryset


def as_id(term: str) -> UUID | None:
    """The id that this is, if it is one."""
    try:
        return UUID(term)
    except ValueError:
        return None


def as_number(term: str) -> int | None:
    """The number that this is, if the database can hold it as one."""
    if not (term.isascii() and term.isdigit()) or len(term) > 18:
        return None
    return int(term)


def as_hash(term: str) -> bytes | None:
    """The 32 bytes that this is in hexadecimal, if it is."""
    try:
        data = bytes.fromhex(term)
    except ValueError:
        return None
    return data if len(data) == 32 else None
