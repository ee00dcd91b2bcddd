"""Many rows in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models

from fairlane.core import arrays


def insert(
    model: type[models.Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    ignore_conflicts: bool = False,
) -> None:
    """Insert rows that all name the same columns; several times faster than ``bulk_create``."""
    if not rows:
        return
    names, values, source = _unnested(model, rows)
    conflict = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT * FROM {source}{conflict}',
            values,
        )


def update(
    model: type[models.Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
    where: str | None = None,
) -> None:
    """Update rows found by the column ``key``; all name the same columns.

    Args:
        where: a further condition that begins with a column, without values from outside.
    """
    if not rows:
        return
    names, values, source = _unnested(model, rows)
    changes = ", ".join(f'"{c}" = input."{c}"' for c in rows[0] if c != key)
    condition = f" AND t.{where}" if where else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{model._meta.db_table}" AS t SET {changes}'
            f' FROM {source} AS input({names}) WHERE t."{key}" = input."{key}"{condition}',
            values,
        )


def _unnested(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]]
) -> tuple[str, list[str], str]:
    """The rows' column names, their values as arrays, and the expression that unnests them."""
    columns = list(rows[0])
    types = ", ".join(f"%s::{_type(model, column)}[]" for column in columns)
    values = [arrays.literal(row[column] for row in rows) for column in columns]
    return ", ".join(f'"{column}"' for column in columns), values, f"unnest({types})"


def _type(model: type[models.Model], column: str) -> str:
    for field in model._meta.concrete_fields:
        if field.column == column:
            # A serial column's own type in expressions is that of what refers to it.
            return str(
                field.rel_db_type(connection) if field.primary_key else field.db_type(connection)
            )
    raise LookupError(f"{model.__name__} has no column {column}")
