"""From SQLite to PostgreSQL: every row, in batches, gone on with where it was broken off, compared at the end.

How far it is stands in the new database, written in the transaction of each batch. Foreign keys are away meanwhile and
put back at the end, which looks at every row; triggers are off for the batch alone. Each table is compared by the sum
of its rows' digests, read back from both sides, so that the order in which rows come does not matter.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from polyclinic.backup import load
from polyclinic.backup.problems import Damaged, Occupied

Say = Callable[[str], None]
BATCH: Final = 5000
PROGRESS: Final = "polyclinic_move"
# Made by Django for itself, with numbers of its own on each database.
_LEFT_OUT: Final = frozenset({"django_migrations", PROGRESS})
_ROUND: Final = 1 << 256


@dataclass(frozen=True, slots=True)
class Table:
    """One table on both sides. `kinds` are PostgreSQL's, by column."""

    name: str
    kinds: dict[str, str]

    @property
    def columns(self) -> list[str]:
        return list(self.kinds)


def begin(target: psycopg.Connection[Any], source: Path) -> bool:
    """Note in the new database whose move this is. False when it was begun before. Raises Occupied."""
    told = str(source.resolve())
    found = target.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    names = {row[0] for row in found}
    if PROGRESS in names:
        row = target.execute("SELECT source FROM polyclinic_move WHERE name = ''").fetchone()
        if row is None or row[0] != told:
            raise Occupied(f"another move, from {row[0] if row else 'elsewhere'}, was begun into this database")
        return False
    if names:
        raise Occupied(f"the database holds {len(names)} tables already: name an empty one")
    with target.transaction():
        target.execute(
            "CREATE TABLE polyclinic_move (name text PRIMARY KEY, last bigint NOT NULL DEFAULT 0, "
            "done boolean NOT NULL DEFAULT false, source text NOT NULL DEFAULT '', keys text NOT NULL DEFAULT '')"
        )
        target.execute("INSERT INTO polyclinic_move (name, source) VALUES ('', %s)", (told,))
    return True


def laid(target: psycopg.Connection[Any]) -> bool:
    """Whether a move that was broken off had made every table already: it takes the foreign keys away after that."""
    row = target.execute("SELECT keys FROM polyclinic_move WHERE name = ''").fetchone()
    return bool(row and row[0])


def tables(source: sqlite3.Connection, target: psycopg.Connection[Any]) -> list[Table]:
    """What there is to move. Raises Damaged when the two are not of the same version."""
    here = _names(source)
    rows = target.execute(
        "SELECT table_name, column_name, data_type, is_generated FROM information_schema.columns "
        "WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
    ).fetchall()
    there: dict[str, dict[str, str]] = {}
    for table, column, kind, generated in rows:
        if generated == "NEVER":
            there.setdefault(table, {})[column] = kind
    if wrong := sorted(here ^ (set(there) - {PROGRESS})):
        raise Damaged(f"the table {wrong[0]} is on one side only: run `polyclinic migrate` on the old database first")
    found = []
    for name in sorted(here - _LEFT_OUT):
        columns = {row[1] for row in source.execute(f'PRAGMA table_info("{name}")')}
        if wrong := sorted(columns ^ set(there[name])):
            raise Damaged(f"{name}.{wrong[0]} is on one side only: run `polyclinic migrate` on the old database first")
        found.append(Table(name, there[name]))
    return found


def _names(source: sqlite3.Connection) -> set[str]:
    asked = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite|_%' ESCAPE '|'"
    return {row[0] for row in source.execute(asked)}


def detach(target: psycopg.Connection[Any]) -> None:
    """Take the foreign keys away, remembered in the new database; nothing when they are away."""
    with target.transaction():
        if laid(target):
            return
        keys = target.execute(load.FOREIGN_KEYS.encode()).fetchall()
        for table, name, _definition in keys:
            target.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
            )
        target.execute("UPDATE polyclinic_move SET keys = %s WHERE name = ''", (json.dumps(keys),))


def attach(target: psycopg.Connection[Any]) -> None:
    """Put the foreign keys back, look at every row by that, and forget that there was a move."""
    row = target.execute("SELECT keys FROM polyclinic_move WHERE name = ''").fetchone()
    with target.transaction():
        for table, name, definition in json.loads(row[0] if row else "[]"):
            head = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} ").format(sql.Identifier(table), sql.Identifier(name))
            target.execute(head + sql.SQL(definition))
        # SQLite's events are in the order of their keys and have no position; here the position is the order.
        target.execute("UPDATE core_outboxevent SET position = id WHERE position IS NULL")
        target.execute("DROP TABLE polyclinic_move")


def copy(source: sqlite3.Connection, target: psycopg.Connection[Any], table: Table) -> int:
    """Bring a table over from where it was broken off. Returns how many rows that were."""
    name = sql.Identifier(table.name)
    row = target.execute("SELECT last, done FROM polyclinic_move WHERE name = %s", (table.name,)).fetchone()
    last, done = row or (0, False)
    moved = 0
    while not done:
        batch = _batch(source, table, last)
        done = len(batch) < BATCH
        with target.transaction():
            if row is None:
                target.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
                # Migrations write some first rows of their own.
                target.execute(sql.SQL("TRUNCATE {}").format(name))
                target.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))
                target.execute("INSERT INTO polyclinic_move (name) VALUES (%s)", (table.name,))
                row = (0, False)
            if batch:
                _put(target, table, [cells[1:] for cells in batch])
                last = batch[-1][0]
            target.execute("UPDATE polyclinic_move SET last = %s, done = %s WHERE name = %s", (last, done, table.name))
        moved += len(batch)
    return moved


def _batch(source: sqlite3.Connection, table: Table, last: int) -> list[tuple[Any, ...]]:
    listed = ", ".join(f'"{column}"' for column in table.columns)
    asked = f'SELECT rowid, {listed} FROM "{table.name}" WHERE rowid > ? ORDER BY rowid LIMIT ?'  # noqa: S608
    return source.execute(asked, (last, BATCH)).fetchall()


def _put(target: psycopg.Connection[Any], table: Table, rows: Sequence[Sequence[Any]]) -> None:
    name = sql.Identifier(table.name)
    target.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    kinds = list(table.kinds.values())
    with target.cursor() as cursor:
        listed = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, listed)) as into:
            for row in rows:
                into.write_row([_read(value, kind) for value, kind in zip(row, kinds, strict=True)])
    target.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))


def _read(value: Any, kind: str) -> Any:  # noqa: ANN401 - whatever a column holds
    """What SQLite keeps as text or number, as what it is."""
    if value is None:
        return None
    reader = _READERS.get(kind)
    return reader(value) if reader else value


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "uuid": UUID,
    "timestamp with time zone": _moment,
    "date": date.fromisoformat,
    "time without time zone": time.fromisoformat,
    "boolean": bool,
    "numeric": lambda value: Decimal(str(value)),
    "bytea": bytes,
    "jsonb": str,
}


def compare(source: sqlite3.Connection, target: psycopg.Connection[Any], table: Table) -> int:
    """Read both sides of a table and compare. Returns its rows. Raises Damaged, naming the table."""
    listed = ", ".join(f'"{column}"' for column in table.columns)
    asked = f'SELECT {listed} FROM "{table.name}"'  # noqa: S608 - the database's own names
    kinds = list(table.kinds.values())
    old = ([_read(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in source.execute(asked))
    with target.transaction(), target.cursor(name="compare") as cursor:
        cursor.itersize = BATCH
        cursor.execute(asked.encode())
        first, second = _sum(old, kinds), _sum(iter(cursor), kinds)
    if first != second:
        raise Damaged(
            f"{table.name} is not the same on both sides ({first[0]} rows there, {second[0]} here): drop the new "
            "database and begin again; the old one is as it was"
        )
    return first[0]


def _sum(rows: Iterator[Sequence[Any]], kinds: Sequence[str]) -> tuple[int, str]:
    count = total = 0
    for row in rows:
        told = "\x1f".join(_plain(value, kind) for value, kind in zip(row, kinds, strict=True))
        total = (total + int.from_bytes(hashlib.sha256(told.encode()).digest())) % _ROUND
        count += 1
    return count, f"{total:064x}"


def _plain(value: Any, kind: str) -> str:  # noqa: ANN401 - whatever a column holds
    """The same text for the same value, from whichever database."""
    if value is None:
        return "\x00"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if kind == "jsonb":
        return json.dumps(json.loads(value) if isinstance(value, str) else value, sort_keys=True)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


def go_on_counting(target: psycopg.Connection[Any]) -> None:
    """Let each sequence go on behind the highest number there is."""
    with target.transaction():
        for sequence, table, column in target.execute(load.SEQUENCES.encode()).fetchall():
            target.execute(
                sql.SQL(
                    "SELECT setval({}::regclass, max({})) FROM {} HAVING max({}) IS NOT NULL"
                ).format(sql.Literal(f'"{sequence}"'), *map(sql.Identifier, (column, table, column)))
            )  # fmt: skip


def move(path: Path, address: str, say: Say) -> int:
    """Bring everything over. The new database has its tables already. Returns how many rows there are."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source, psycopg.connect(
        address, autocommit=True
    ) as target:  # fmt: skip
        # Nobody may write while it is read; the server is stopped, and this makes sure of it.
        source.execute("BEGIN")
        found = tables(source, target)
        detach(target)
        for table in found:
            if moved := copy(source, target, table):
                say(f"  {table.name}: {moved:,} rows")
        total = sum(compare(source, target, table) for table in found)
        go_on_counting(target)
        attach(target)
        say(f"{len(found)} tables, {total:,} rows, the same on both sides")
    return total
