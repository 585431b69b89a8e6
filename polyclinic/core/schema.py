"""Migration tools for what Django's models cannot say on both databases: triggers, exclusion, immutability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation


class VendorSQL(Operation):
    """SQL statements that differ by database vendor; `reverse` undoes them."""

    reduces_to_sql = True
    reversible = True

    def __init__(
        self,
        *,
        sqlite: Sequence[str],
        postgresql: Sequence[str],
        reverse_sqlite: Sequence[str] = (),
        reverse_postgresql: Sequence[str] = (),
    ) -> None:
        self.sqlite, self.postgresql = sqlite, postgresql
        self.reverse_sqlite, self.reverse_postgresql = reverse_sqlite, reverse_postgresql

    def state_forwards(self, app_label: str, state: Any) -> None:  # noqa: ANN401
        """Nothing here is part of Django's picture of the models."""

    def _run(self, schema_editor: Any, statements: Sequence[str]) -> None:  # noqa: ANN401
        for statement in statements:
            schema_editor.execute(statement, params=None)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:  # noqa: ANN401
        sqlite = schema_editor.connection.vendor == "sqlite"
        self._run(schema_editor, self.sqlite if sqlite else self.postgresql)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:  # noqa: ANN401
        sqlite = schema_editor.connection.vendor == "sqlite"
        self._run(schema_editor, self.reverse_sqlite if sqlite else self.reverse_postgresql)

    def describe(self) -> str:
        return "SQL of this database's own kind"


def append_only(table: str) -> VendorSQL:
    """Triggers that refuse UPDATE and DELETE on `table`, whoever asks."""
    message = f"{table} is append-only"
    return VendorSQL(
        sqlite=[
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for verb in ("UPDATE", "DELETE")
        ],
        postgresql=[
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$",
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        ],
        reverse_sqlite=[f"DROP TRIGGER {table}_no_update", f"DROP TRIGGER {table}_no_delete"],
        reverse_postgresql=[f"DROP TRIGGER {table}_no_change ON {table}", f"DROP FUNCTION {table}_refuse()"],
    )


def no_truncate(*tables: str) -> VendorSQL:
    """Triggers that refuse TRUNCATE on append-only tables (PostgreSQL; SQLite has no such statement)."""
    return VendorSQL(
        sqlite=[],
        postgresql=[
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
            for table in tables
        ],
        reverse_postgresql=[f"DROP TRIGGER {table}_no_truncate ON {table}" for table in tables],
    )
