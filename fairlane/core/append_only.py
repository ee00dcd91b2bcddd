"""A table constraint that lets rows be added and never changed."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BaseConstraint, Model

_CREATE = """
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of {table} are never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER {trigger} BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {function}();
"""
_REMOVE = "DROP TRIGGER {trigger} ON {table}; DROP FUNCTION {function}();"


class AppendOnly(BaseConstraint):
    """PostgreSQL refuses every UPDATE and DELETE on the table, whoever sends it.

    TRUNCATE stays possible: tests empty their tables with it.
    """

    def constraint_sql(  # type: ignore[override]
        self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> None:
        """Add the trigger once the table stands; nothing goes into CREATE TABLE itself."""
        assert model is not None and schema_editor is not None
        schema_editor.deferred_sql.append(self._sql(_CREATE, model, schema_editor))

    def create_sql(
        self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        """The statement that protects an existing table."""
        assert model is not None and schema_editor is not None
        return self._sql(_CREATE, model, schema_editor)

    def remove_sql(
        self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        """The statement that lifts the protection."""
        assert model is not None and schema_editor is not None
        return self._sql(_REMOVE, model, schema_editor)

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Every single row is valid by itself."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AppendOnly) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def _sql(
        self, template: str, model: type[Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> str:
        quote = schema_editor.quote_name
        return template.format(
            table=quote(model._meta.db_table),
            trigger=quote(self.name),
            function=quote(f"{self.name}_refuse"),
        )
