"""A long history, and how much of it a step reads."""

from collections.abc import Callable

from django.apps import apps
from django.db import connection

from batches.models import Batch, BatchOrder, Tick

# So many batches and orders are over.
OVER = 8_000

_READ = """
    SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))
    FROM pg_stat_xact_user_tables WHERE relname LIKE 'batches\\_%'
"""


def repeat(model: type[Batch | Tick | BatchOrder], **columns: str) -> None:
    """Copies of a row, with other values by SQL of the number `n`."""
    names = [field.column for field in model._meta.concrete_fields if field.column]
    values = [{"id": "gen_random_uuid()", **columns}.get(name, f'"{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({quoted}) SELECT {', '.join(values)}"
            f" FROM (SELECT * FROM {table} LIMIT 1) AS one, generate_series(1, {OVER}) AS n"
        )


def analyze() -> None:
    """Let the planner know of it.

    Every table is told: of one that autovacuum found empty, and that nothing told of since, the
    planner expects a row and guesses what a join with it leaves.
    """
    tables = apps.get_app_config("batches").get_models()
    names = ", ".join(model._meta.db_table for model in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {names}")


def rows_read(step: Callable[[], object]) -> int:
    """How many rows PostgreSQL reads for it."""

    def so_far() -> int:
        with connection.cursor() as cursor:
            cursor.execute(_READ)
            return int(cursor.fetchone()[0])

    before = so_far()
    step()
    return so_far() - before
