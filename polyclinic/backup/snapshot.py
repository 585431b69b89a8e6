"""The database as it was at one moment, while people go on writing to it.

SQLite: one read transaction, and its pages copied by the online backup, which in WAL mode holds up no writer.
PostgreSQL: one REPEATABLE READ transaction, each table by COPY. All that the manifest says of the database (rows,
where the audit's chains end) is asked inside the same transaction.
"""

from __future__ import annotations

import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.db import connection

from polyclinic.backup import place
from polyclinic.backup.problems import NotSet
from polyclinic.backup.store import CHUNK

SQLITE: Final = "sqlite"
POSTGRES: Final = "postgresql"
_FILE: Final = "database.sqlite3"
_LEAST, _MOST = CHUNK // 4, CHUNK * 2

Ask = Callable[[str], list[tuple[Any, ...]]]

_CHECKPOINTS: Final = "SELECT key, max(number) FROM core_auditcheckpoint GROUP BY key"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of that moment, and the pieces it is made of: (name, pieces of content)."""

    kind: str
    ask: Ask
    parts: Callable[[], Iterator[tuple[str, Iterator[bytes]]]]
    tables: list[str]
    columns: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)

    def about(self) -> dict[str, Any]:
        """What a manifest says of it."""
        ask = self.ask
        heads = ask(
            "SELECT e.lane, e.seq, e.digest FROM core_auditentry AS e JOIN "
            "(SELECT lane, max(seq) AS top FROM core_auditentry GROUP BY lane) AS ends "
            "ON ends.lane = e.lane AND ends.top = e.seq ORDER BY e.lane"
        )
        signed = ask(_CHECKPOINTS) if "core_auditcheckpoint" in self.tables else []
        return {
            "kind": self.kind,
            "tables": {name: ask(f'SELECT count(*) FROM "{name}"')[0][0] for name in self.tables},  # noqa: S608
            "columns": self.columns,
            "sequences": self.sequences,
            "migrations": sorted(map(list, ask("SELECT app, name FROM django_migrations"))),
            "heads": {str(lane): [seq, digest] for lane, seq, digest in heads},
            "checkpoints": dict(signed),
        }

    def segments(self) -> set[str]:
        """Segments of the reads' journal that are in the audit."""
        known = "core_auditsegment" in self.tables
        return {row[0] for row in self.ask("SELECT name FROM core_auditsegment")} if known else set()


@contextmanager
def taken(agree: Callable[[Snapshot], bool], tries: int = 20) -> Iterator[Snapshot]:
    """A snapshot that `agree` says yes to, looked at anew until it does; the last one whatever it says."""
    for last in [False] * (tries - 1) + [True]:
        with _sqlite() if place.database() else _postgres() as found:
            if "django_migrations" not in found.tables:
                raise NotSet("the database is empty: there is nothing to back up yet")
            if agree(found) or last:
                yield found
                return


@contextmanager
def _sqlite() -> Iterator[Snapshot]:
    path = place.database()
    if path is None or not path.exists():
        raise NotSet(f"there is no database at {path}: there is nothing to back up yet")
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as line:
        line.execute("BEGIN")

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return line.execute(sql).fetchall()

        tables = [
            row[0]
            for row in ask(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite|_%' ESCAPE '|'"
            )
        ]

        def parts() -> Iterator[tuple[str, Iterator[bytes]]]:
            # Beside the database, so that what is in clear stays on the disk where it is anyway.
            with tempfile.TemporaryDirectory(dir=path.parent, prefix="backup-") as folder:
                copy = Path(folder) / _FILE
                with closing(sqlite3.connect(copy)) as target:
                    # In one step, which goes on in the transaction begun above: what was asked is what is copied.
                    line.backup(target)
                yield _FILE, pieces(copy)

        yield Snapshot(SQLITE, ask, parts, sorted(tables))


@contextmanager
def _postgres() -> Iterator[Snapshot]:
    import psycopg

    with psycopg.connect(**parameters()) as line:
        line.read_only = True
        line.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return line.execute(sql.encode()).fetchall()

        tables = [row[0] for row in ask("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")]
        columns = {name: stored_columns(ask, name) for name in tables}

        def rows(name: str) -> Iterator[bytes]:
            listed = ", ".join(f'"{column}"' for column in columns[name])
            order = ", ".join(f'"{column}"' for column in primary_key(ask, name)) or "1"
            asked = f'COPY (SELECT {listed} FROM "{name}" ORDER BY {order}) TO STDOUT'  # noqa: S608 - our own names
            with line.cursor() as cursor, cursor.copy(asked.encode()) as copy:
                for row in copy:
                    yield bytes(row)

        def parts() -> Iterator[tuple[str, Iterator[bytes]]]:
            for name in sorted(tables):
                yield f"tables/{name}", gathered(rows(name))

        # Asked for after the rows were fixed: a sequence is never behind what is restored.
        sequences = {name: last or 0 for name, last in ask(_SEQUENCES)}
        yield Snapshot(POSTGRES, ask, parts, sorted(tables), columns, sequences)


_SEQUENCES: Final = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"


def stored_columns(ask: Ask, table: str) -> list[str]:
    """Columns that are written; those that PostgreSQL works out are left to it."""
    rows = ask(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() "  # noqa: S608
        f"AND table_name = '{table}' AND is_generated = 'NEVER' ORDER BY ordinal_position"
    )
    return [row[0] for row in rows]


def primary_key(ask: Ask, table: str) -> list[str]:
    rows = ask(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "  # noqa: S608 - our own name
        f"AND a.attnum = ANY (i.indkey) WHERE i.indisprimary AND i.indrelid = '\"{table}\"'::regclass"
    )
    return [row[0] for row in rows]


def parameters() -> dict[str, Any]:
    """How this process's PostgreSQL is reached, for a line of one's own."""
    given = connection.settings_dict
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options = {
        name: value for name, value in given.get("OPTIONS", {}).items() if name not in {"pool", "prepare_threshold"}
    }
    return {**options, **{name: given[ours] for name, ours in named.items() if given.get(ours)}}


def pieces(path: Path) -> Iterator[bytes]:
    """A file in pieces of one size: pages of a database stay where they are, so those unchanged are found again."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def gathered(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Rows in pieces that end where a row says so: one that grows moves no boundary behind it."""
    held: list[bytes] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row)
        if size >= _MOST or (size >= _LEAST and zlib.crc32(row) & 0x7F == 0):
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
