"""Array literals: PostgreSQL reads back what was written."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from fairlane.core import arrays

pytestmark = pytest.mark.django_db


def read_back(values: list[Any], type_: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{type_}[]", [arrays.literal(values)])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("text", ["plain", "", "NULL", None, 'a "quoted" \\ {list}, of', "line\nbreak", "né 🚀"]),
        ("numeric", [0, -1, 10**77, None]),
        ("boolean", [True, False, None]),
        ("uuid", [UUID(int=0), UUID(int=2**128 - 1), None]),
        ("bytea", [b"", b"\x00\\x\xff", None]),
        ("timestamptz", [datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC), None]),
        ("jsonb", []),
    ],
)
def test_every_type_of_column_is_read_back(type_: str, values: list[Any]) -> None:
    assert read_back(values, type_) == values


def test_json_is_read_back_by_its_parts() -> None:
    document = {"reason": 'he said "no", \\o/', "list": [1, None, "}"], "nested": {"é": "{"}}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT item->>'reason', item->'list'->>2, item->'nested'->>'é'"
            " FROM unnest(%s::jsonb[]) AS item",
            [arrays.literal([document])],
        )
        assert cursor.fetchone() == ('he said "no", \\o/', "}", "{")


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_text_is_read_back(values: list[str]) -> None:
    assert read_back(values, "text") == values
