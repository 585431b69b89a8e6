"""Rows into PostgreSQL: bringing a backup back, and the first step of moving there from SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from polyclinic.backup.problems import Damaged

_OURS: Final = "schemaname = current_schema()"
FOREIGN_KEYS: Final = (
    "SELECT c.relname, f.conname, pg_get_constraintdef(f.oid) FROM pg_constraint f "
    "JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE f.contype = 'f' AND n.nspname = current_schema() ORDER BY 1, 2"
)
# Each sequence with the table and column it counts for.
SEQUENCES: Final = (
    "SELECT s.relname, t.relname, a.attname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid "
    "AND d.deptype IN ('a', 'i') JOIN pg_class t ON t.oid = d.refobjid "
    "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid "
    "JOIN pg_namespace n ON n.oid = s.relnamespace WHERE s.relkind = 'S' AND n.nspname = current_schema()"
)


def run(sql: str, *given: str | int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [*given] or None)
        return cursor.fetchall() if cursor.description else []


def clear() -> None:
    """Take away every table and function of ours, in the running transaction. What extensions brought stays."""
    for (name,) in run(f"SELECT tablename FROM pg_tables WHERE {_OURS}"):  # noqa: S608 - a constant
        run(f'DROP TABLE "{name}" CASCADE')
    functions = run(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname = current_schema() AND NOT EXISTS "
        "(SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    )
    for (signature,) in functions:
        run(f"DROP FUNCTION {signature} CASCADE")


def lay(migrations: list[list[str]]) -> None:
    """Make the tables as they were when exactly these migrations had run, in the running transaction.

    Raises Damaged when this program does not know one of them: the backup is of a newer one.
    """
    # Else what a migration writes would wait with its checks for the end, and the next could not alter the table.
    run("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(connection)
    wanted = {(app, name) for app, name in migrations}
    unknown = sorted(wanted - set(executor.loader.graph.nodes))
    if unknown:
        raise Damaged(f"the backup is of a newer program: {'.'.join(unknown[0])} is not known here. Install that one")
    graph = executor.loader.graph
    tops = [key for key in wanted if not any(child.key in wanted for child in graph.node_map[key].children)]
    executor.migrate(sorted(tops))


def foreign_keys() -> list[tuple[str, str, str]]:
    """Table, name and definition of each."""
    return run(FOREIGN_KEYS)


def detach(keys: Iterable[tuple[str, str, str]]) -> None:
    """Take foreign keys away while tables are filled one after the other."""
    for table, name, _definition in keys:
        run(f'ALTER TABLE "{table}" DROP CONSTRAINT IF EXISTS "{name}"')


def attach(keys: Iterable[tuple[str, str, str]]) -> None:
    """Put them back, which looks at every row: one that leads nowhere is refused here."""
    for table, name, definition in keys:
        run(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')


def fill(name: str, columns: list[str], pieces: Iterable[bytes]) -> None:
    """Put a table's rows in, past triggers that refuse or react, in the running transaction."""
    listed = ", ".join(f'"{column}"' for column in columns)
    with untriggered(name), connection.cursor() as cursor:
        if run(f'SELECT 1 FROM "{name}" LIMIT 1'):  # noqa: S608 - a name of the database's own
            cursor.execute(f'TRUNCATE "{name}"')
        with cursor.copy(f'COPY "{name}" ({listed}) FROM STDIN'.encode()) as copy:
            for piece in pieces:
                copy.write(piece)


@contextmanager
def untriggered(name: str) -> Iterator[None]:
    """What was written once is written as it was: no trigger refuses it or adds to it. In a transaction alone."""
    run(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
    yield
    run(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')


def go_on_counting(least: dict[str, int]) -> None:
    """Let each sequence go on behind the highest number given out."""
    for sequence, table, column in run(SEQUENCES):
        top = run(f'SELECT coalesce(max("{column}"), 0) FROM "{table}"')[0][0]  # noqa: S608 - the database's own names
        highest = max(int(top), least.get(sequence, 0))
        if highest:
            run("SELECT setval(%s::regclass, %s)", f'"{sequence}"', highest)
