"""The guarded status change: the only way a status moves, always together with its event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models.functions import Now

from fairlane.core import arrays
from fairlane.core.models import Event


class Transitions:
    """A status table as data: each state with the states that may follow it."""

    def __init__(self, table: Mapping[str, Sequence[str]]) -> None:
        self.table = {state: tuple(following) for state, following in table.items()}
        for following in list(self.table.values()):
            for state in following:
                self.table.setdefault(state, ())

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(self.table)

    @property
    def terminal(self) -> frozenset[str]:
        """States that nothing follows."""
        return frozenset(state for state, following in self.table.items() if not following)

    def allowed(self, state: str, following: str) -> bool:
        return following in self.table[state]

    def sources(self, target: str) -> list[str]:
        """States from which ``target`` may be reached in one step."""
        return [state for state, following in self.table.items() if target in following]

    def check_constraint(self, name: str, column: str = "status") -> models.CheckConstraint:
        """The database's own guard: the column holds a known state and nothing else."""
        return models.CheckConstraint(
            condition=models.Q(**{f"{column}__in": sorted(self.states)}), name=name
        )

    def mermaid(self) -> str:
        """The table as a state diagram for the documentation."""
        lines = ["stateDiagram-v2"]
        lines += [f"    {a} --> {b}" for a, following in self.table.items() for b in following]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Move:
    """One row's change of status.

    Attributes:
        object_id: primary key of the row.
        to: the new status.
        data: what the event tells, JSON.
        columns: further columns of the row that change in the same write.
    """

    object_id: UUID
    to: str
    data: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


def move(
    model: type[models.Model],
    transitions: Transitions,
    moves: Sequence[Move],
    *,
    only_from: Sequence[str] | None = None,
) -> set[UUID]:
    """Change many statuses and append their events in one statement.

    A row moves only where the table allows the step from the status it has once whoever else is
    moving it has committed (and, if given, only from ``only_from``); the others are left alone.
    All moves name the same ``columns``. The model has the columns ``id, status, seq, wallet,
    updated_at`` and the attribute ``EVENT_KIND``.

    Returns:
        The ids that moved. A row that is missing from it was in another state.
    """
    if not moves:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(*_statement(model, transitions, moves, only_from))
        return {row[0] for row in cursor.fetchall()}


def note(
    model: type[models.Model],
    object_id: UUID,
    *,
    status: str,
    data: Mapping[str, Any],
    columns: Mapping[str, Any],
    where: Mapping[str, Any],
) -> bool:
    """Change columns of a row that keeps its status, with the event that tells so.

    Returns:
        Whether the row had that status and matched ``where`` at that moment.
    """
    with transaction.atomic():
        changed = model._default_manager.filter(pk=object_id, status=status, **where).update(
            **columns, seq=models.F("seq") + 1, updated_at=Now()
        )
        if changed:
            row = model._default_manager.values("seq", "wallet").get(pk=object_id)
            Event.objects.create(
                kind=model.EVENT_KIND,  # type: ignore[attr-defined]
                object_id=object_id,
                status=status,
                data=dict(data),
                **row,
            )
    return bool(changed)


def _statement(
    model: type[models.Model],
    transitions: Transitions,
    moves: Sequence[Move],
    only_from: Sequence[str] | None,
) -> tuple[str, list[Any]]:
    names = list(moves[0].columns)
    fields = [model._meta.get_field(name) for name in names]
    columns = [f.column for f in fields]  # type: ignore[union-attr]
    types = [str(f.db_type(connection)) for f in fields]
    sources = {
        target: [s for s in transitions.sources(target) if only_from is None or s in only_from]
        for target in {m.to for m in moves}
    }
    columns_in = ", ".join(f"%s::{t}[]" for t in ["uuid", "text", "jsonb", "jsonb", *types])
    aliases = ", ".join(["id", "status", "sources", "data", *(f'"{c}"' for c in columns)])
    changes = "".join(f', "{c}" = input."{c}"' for c in columns)
    table = model._meta.db_table
    kind: str = model.EVENT_KIND  # type: ignore[attr-defined]
    sql = f"""
        WITH input AS (SELECT * FROM unnest({columns_in}) AS i({aliases})),
        moved AS (
            UPDATE "{table}" AS o
            SET status = input.status, seq = o.seq + 1, updated_at = clock_timestamp(){changes}
            FROM input WHERE o.id = input.id AND input.sources ? o.status
            RETURNING o.id, o.seq, o.status, o.wallet, input.data, o.updated_at
        )
        INSERT INTO "{Event._meta.db_table}"
            (kind, object_id, seq, status, wallet, data, created_at)
        SELECT %s, id, seq, status, wallet, data, updated_at FROM moved
        RETURNING object_id
    """
    values: list[Any] = [
        arrays.literal(m.object_id for m in moves),
        arrays.literal(m.to for m in moves),
        arrays.literal(sources[m.to] for m in moves),
        arrays.literal(dict(m.data) for m in moves),
        *(arrays.literal(m.columns[name] for m in moves) for name in names),
        kind,
    ]
    return sql, values
