"""The key vault: wrapped keys, in a store of their own beside the database.

A backup of the database holds no key, so destroying a patient's key here makes every old copy of the database
unreadable too. By default a small SQLite file; with several machines a second PostgreSQL database (KEY_VAULT_URL).
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from polyclinic.core import clock
from polyclinic.core.crypto.kms import folder

CURRENT: Final = "current"
RETIRED: Final = "retired"
SHREDDED: Final = "shredded"
_BATCH: Final = 400

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS roots (id text PRIMARY KEY, wrapped text NOT NULL, state text NOT NULL, "
    "made_at text NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS roots_current ON roots (state) WHERE state = 'current'",
    "CREATE TABLE IF NOT EXISTS keys (id text PRIMARY KEY, owner text NOT NULL, root text REFERENCES roots, "
    "wrapped text NOT NULL, state text NOT NULL, made_at text NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS keys_current ON keys (owner) WHERE state = 'current'",
    "CREATE INDEX IF NOT EXISTS keys_owner ON keys (owner)",
    "CREATE TABLE IF NOT EXISTS news (number integer NOT NULL)",
)
_KEY_COLUMNS: Final = "id, owner, coalesce(root, ''), wrapped, state"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is kept. `wrapped` is empty once it was shredded."""

    id: str
    owner: str
    root: str
    wrapped: str
    state: str


@dataclass(frozen=True, slots=True)
class WrappedRoot:
    """A root key as it is kept, wrapped by the master key."""

    id: str
    wrapped: str
    state: str


@dataclass(frozen=True, slots=True)
class VaultRows:
    """Everything in a vault as it is kept: roots (id, wrapped, state, made at), keys (id, owner, root, wrapped, state,
    made at)."""

    roots: list[tuple[Any, ...]]
    keys: list[tuple[Any, ...]]


class Vault:
    """What is done with the store, whichever it is. Every method is one transaction and safe in any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def key(self, key_id: str) -> WrappedKey | None:
        rows = self._store.read(f"SELECT {_KEY_COLUMNS} FROM keys WHERE id = ?", (key_id,))  # noqa: S608
        return WrappedKey(*rows[0]) if rows else None

    def keys(self, key_ids: Sequence[str]) -> list[WrappedKey]:
        """Those of the keys that are there, with one question for each few hundred."""
        found: list[WrappedKey] = []
        for start in range(0, len(key_ids), _BATCH):
            some = key_ids[start : start + _BATCH]
            marks = ", ".join("?" * len(some))
            rows = self._store.read(f"SELECT {_KEY_COLUMNS} FROM keys WHERE id IN ({marks})", some)  # noqa: S608
            found += [WrappedKey(*row) for row in rows]
        return found

    def of_owner(self, owner: str) -> list[WrappedKey]:
        """Every key an owner has or had, shredded ones too."""
        rows = self._store.read(f"SELECT {_KEY_COLUMNS} FROM keys WHERE owner = ?", (owner,))  # noqa: S608
        return [WrappedKey(*row) for row in rows]

    def owners(self) -> list[str]:
        """Owners with a key in use."""
        return [row[0] for row in self._store.read("SELECT owner FROM keys WHERE state = 'current' ORDER BY owner", ())]

    def under_other_roots(self, root: str, limit: int) -> list[WrappedKey]:
        """Keys still wrapped by a root that is not this one."""
        rows = self._store.read(
            f"SELECT {_KEY_COLUMNS} FROM keys WHERE root <> ? LIMIT {int(limit)}",  # noqa: S608
            (root,),
        )
        return [WrappedKey(*row) for row in rows]

    def add(self, keys: Iterable[WrappedKey], *, renewing: bool = False) -> int:
        """Insert keys as their owners' current ones; returns how many went in.

        An owner with a current key, or with a shredded one, keeps what it has; `renewing` retires the current one
        first. A key whose root has been dropped meanwhile is left out as well.
        """
        added = 0
        with self._store.write() as run:
            for key in keys:
                if renewing:
                    run("UPDATE keys SET state = 'retired' WHERE owner = ? AND state = 'current'", (key.owner,))
                added += run(
                    "INSERT INTO keys (id, owner, root, wrapped, state, made_at) SELECT ?, ?, ?, ?, 'current', ? "
                    "WHERE EXISTS (SELECT 1 FROM roots WHERE id = ?) AND NOT EXISTS "
                    "(SELECT 1 FROM keys WHERE owner = ? AND state IN ('current', 'shredded')) ON CONFLICT DO NOTHING",
                    (key.id, key.owner, key.root, key.wrapped, clock.now().isoformat(), key.root, key.owner),
                )
            if renewing:
                run("UPDATE news SET number = number + 1", ())
        return added

    def rewrap(self, keys: Iterable[tuple[WrappedKey, str, str]]) -> None:
        """Keep each key under a new root: (as it was, the new root, newly wrapped). One shredded meanwhile stays so."""
        with self._store.write() as run:
            for old, root, wrapped in keys:
                run(
                    "UPDATE keys SET root = ?, wrapped = ? WHERE id = ? AND wrapped = ?",
                    (root, wrapped, old.id, old.wrapped),
                )

    def shred(self, owner: str) -> int:
        """Destroy every key of an owner and leave a mark that no new one is made. Returns how many were destroyed."""
        with self._store.write() as run:
            gone = run(
                "UPDATE keys SET wrapped = '', root = NULL, state = 'shredded' WHERE owner = ? AND wrapped <> ''",
                (owner,),
            )
            run(
                "INSERT INTO keys (id, owner, root, wrapped, state, made_at) SELECT ?, ?, NULL, '', 'shredded', ? "
                "WHERE NOT EXISTS (SELECT 1 FROM keys WHERE owner = ?)",
                (f"none-{owner}", owner, clock.now().isoformat(), owner),
            )
            run("UPDATE news SET number = number + 1", ())
        return gone

    def roots(self) -> list[WrappedRoot]:
        return [WrappedRoot(*row) for row in self._store.read("SELECT id, wrapped, state FROM roots", ())]

    def add_root(self, root: WrappedRoot, *, renewing: bool = False) -> None:
        """Insert the current root; without `renewing` only when there is none."""
        with self._store.write() as run:
            if renewing:
                run("UPDATE roots SET state = 'retired' WHERE state = 'current'", ())
                run("UPDATE news SET number = number + 1", ())
            run(
                "INSERT INTO roots (id, wrapped, state, made_at) VALUES (?, ?, 'current', ?) ON CONFLICT DO NOTHING",
                (root.id, root.wrapped, clock.now().isoformat()),
            )

    def drop_unused_roots(self) -> int:
        """Remove roots that wrap nothing any more."""
        with self._store.write() as run:
            return run(
                "DELETE FROM roots WHERE state <> 'current' AND NOT EXISTS "
                "(SELECT 1 FROM keys WHERE keys.root = roots.id)",
                (),
            )

    def news(self) -> int:
        """A number that moves when keys were renewed or shredded: what is held in memory is then looked up again."""
        rows = self._store.read("SELECT number FROM news", ())
        return int(rows[0][0]) if rows else 0

    def counts(self) -> dict[str, int]:
        """How many keys there are by state."""
        return {row[0]: int(row[1]) for row in self._store.read("SELECT state, count(*) FROM keys GROUP BY state", ())}

    def left_behind(self, root: str) -> int:
        """How many keys are still wrapped by another root than this."""
        return int(self._store.read("SELECT count(*) FROM keys WHERE root <> ?", (root,))[0][0])

    def rows(self) -> VaultRows:
        """Everything there is, for a backup of the keys. Who needs it whole compares `news` before and after."""
        keys = self._store.read("SELECT id, owner, root, wrapped, state, made_at FROM keys ORDER BY id", ())
        return VaultRows(self._store.read("SELECT id, wrapped, state, made_at FROM roots ORDER BY id", ()), keys)

    def fill(self, rows: VaultRows) -> None:
        """Put what a backup kept into a vault without keys."""
        with self._store.write() as run:
            run("DELETE FROM roots", ())
            for root in rows.roots:
                run("INSERT INTO roots (id, wrapped, state, made_at) VALUES (?, ?, ?, ?)", root)
            for key in rows.keys:
                run("INSERT INTO keys (id, owner, root, wrapped, state, made_at) VALUES (?, ?, ?, ?, ?, ?)", key)
            run("UPDATE news SET number = number + 1", ())

    def close(self) -> None:
        self._store.close()


class Store:
    """One connection to the vault, used by one thread at a time. Statements have `?` for parameters."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._line: Any = None

    def read(self, sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            return list(self._execute(sql, params).fetchall())

    @contextmanager
    def write(self) -> Iterator[Callable[[str, Sequence[object]], int]]:
        """A transaction; gives a function that runs a statement and returns how many rows it touched."""
        with self._lock:
            self._begin()
            try:
                yield lambda sql, params: self._execute(sql, params).rowcount
                self._line.execute("COMMIT")
            except BaseException:
                # A line that was cut has rolled back by itself; what went wrong is told, not that.
                with contextlib.suppress(Exception):
                    self._line.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None

    def _begin(self) -> None:
        raise NotImplementedError

    def _execute(self, sql: str, params: Sequence[object]) -> Any:  # noqa: ANN401 - a DB-API cursor
        raise NotImplementedError


class SqliteStore(Store):
    """A file readable by its owner only. A destroyed key is overwritten on disk (secure_delete)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._process = 0

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._line = sqlite3.connect(self._path, timeout=20, isolation_level=None, check_same_thread=False)
        self._process = os.getpid()
        # FULL: a key that sealed something must outlive a power cut. DELETE: no log keeps older pages around.
        for pragma in ("journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
            self._line.execute(f"PRAGMA {pragma}")
        if not self._line.execute("SELECT 1 FROM sqlite_master WHERE name = 'news'").fetchone():
            with self.write() as run:
                for statement in _SCHEMA:
                    run(statement, ())
                run("INSERT INTO news SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM news)", ())

    def _begin(self) -> None:
        self._execute("BEGIN IMMEDIATE", ())

    def _execute(self, sql: str, params: Sequence[object]) -> sqlite3.Cursor:
        if self._line is None or self._process != os.getpid():
            self._open()
        cursor: sqlite3.Cursor = self._line.execute(sql, tuple(params))
        return cursor


class PostgresStore(Store):
    """A database of its own, so that a dump of the main one carries no key."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def _open(self) -> None:
        import psycopg

        self._line = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        with self._line.transaction():
            self._line.execute("SELECT pg_advisory_xact_lock(%s)", (0x6B657973,))  # "keys": one maker of tables
            for statement in _SCHEMA:
                self._line.execute(statement)
            self._line.execute("INSERT INTO news SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM news)")

    def _begin(self) -> None:
        import psycopg

        self._ready()
        try:
            self._line.execute("BEGIN")
        except psycopg.OperationalError:
            self._open()  # the line was cut while idle; nothing has been done on it yet
            self._line.execute("BEGIN")

    def _ready(self) -> None:
        if self._line is None or self._line.closed:
            self._open()

    def _execute(self, sql: str, params: Sequence[object]) -> Any:  # noqa: ANN401 - psycopg's cursor
        import psycopg

        self._ready()
        asked = sql.replace("?", "%s")
        try:
            return self._line.execute(asked, tuple(params))
        except psycopg.OperationalError:
            if not self._line.closed or sql[:6] != "SELECT":
                raise
            self._open()  # the line was cut while idle: ask once more
            return self._line.execute(asked, tuple(params))


@functools.cache
def vault() -> Vault:
    """This installation's vault."""
    url: str = settings.KEY_VAULT_URL
    if urlsplit(url).scheme in {"postgres", "postgresql"}:
        return Vault(PostgresStore(url))
    return Vault(SqliteStore(folder() / "vault.sqlite3"))
