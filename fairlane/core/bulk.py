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
    columns = list(rows[0])
    types = [_type(model, column) for column in columns]
    columns_in = ", ".join(f"%s::{type}[]" for type in types)
    names = ", ".join(f'"{column}"' for column in columns)
    conflict = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({names})'
            f" SELECT * FROM unnest({columns_in}){conflict}",
            [arrays.literal(row[column] for row in rows) for column in columns],
        )


def update(
    model: type[models.Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
) -> None:
    """Update rows found by the column ``key``; all name the same columns."""
    if not rows:
        return
    columns = list(rows[0])
    types = [_type(model, column) for column in columns]
    columns_in = ", ".join(f"%s::{type}[]" for type in types)
    names = ", ".join(f'"{column}"' for column in columns)
    changes = ", ".join(f'"{c}" = input."{c}"' for c in columns if c != key)
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{model._meta.db_table}" AS t SET {changes}'
            f' FROM unnest({columns_in}) AS input({names}) WHERE t."{key}" = input."{key}"',
            [arrays.literal(row[column] for row in rows) for column in columns],
        )


def _type(model: type[models.Model], column: str) -> str:
    for field in model._meta.concrete_fields:
        if field.column == column:
            # A serial column's own type in expressions is that of what refers to it.
            return str(
                field.rel_db_type(connection) if field.primary_key else field.db_type(connection)
            )
    raise LookupError(f"{model.__name__} has no column {column}")
