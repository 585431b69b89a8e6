"""Installations to back up and places to restore to, driven by the commands an operator types."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import schema
from tests.hand import Hand
from tests.server import ROOT, Server

_MAIN = "import sys\nfrom polyclinic.cli import main\nsys.exit(main({words!r}))"
# Each table's rows as a sum of digests, from whichever database.
_SUMS = """
import hashlib, json
from django.db import connection
with connection.cursor() as cursor:
    found = {}
    for name in connection.introspection.table_names(cursor):
        cursor.execute(f'SELECT * FROM "{name}"')
        rows = sorted(hashlib.sha256(repr(row).encode()).hexdigest() for row in cursor.fetchall())
        found[name] = [len(rows), hashlib.sha256("".join(rows).encode()).hexdigest()]
print(json.dumps(found))
"""
# What a restore changes on purpose: everybody signed out, an entry that says so, a checkpoint that begins anew.
CHANGED = {"people_session", "tokens_refreshfamily", "core_auditentry", "core_auditcheckpoint"}


class Place:
    """One data folder (and database) with a process that runs commands in forks."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.data = Path(env["POLYCLINIC_DATA"])
        self._hand = Hand(env, ROOT)

    def __call__(self, *words: str, before: str = "") -> tuple[int, str]:
        """Run a command; `before` is done in its process first. Exit code and everything it said."""
        code, out, err = self._hand.run(("-c", f"{before}\n{_MAIN.format(words=list(words))}"))
        assert "Traceback" not in err, err
        return code, out + err

    def ask(self, code: str) -> Any:
        status, out, err = self._hand.run(("-c", code))
        assert status == 0, err
        return json.loads(out)

    def sums(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = self.ask(_SUMS)
        return found

    def close(self) -> None:
        self._hand.close()


@contextlib.contextmanager
def at(env: dict[str, str]) -> Iterator[Place]:
    place = Place(env)
    try:
        yield place
    finally:
        place.close()


@contextlib.contextmanager
def elsewhere(server: Server) -> Iterator[Place]:
    """An empty place on another disk, of the same kind as the server's."""
    with tempfile.TemporaryDirectory(prefix="polyclinic-elsewhere-") as folder, contextlib.ExitStack() as stack:
        env = {**server.env, "POLYCLINIC_DATA": str(Path(folder) / "data"), "SECRET_KEY": ""}
        if server.env["DATABASE_URL"]:
            env["DATABASE_URL"] = stack.enter_context(database(f"polyclinic_elsewhere_{os.urandom(4).hex()}"))
        yield stack.enter_context(at(env))


@contextlib.contextmanager
def database(name: str) -> Iterator[str]:
    """An empty PostgreSQL database; its address."""
    schema.administer(f'CREATE DATABASE "{name}"')
    try:
        yield schema.address_of(name)
    finally:
        schema.administer(f'DROP DATABASE "{name}" WITH (FORCE)')


class Backups:
    """A folder of backups and the key that opens them, as the operator keeps it."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.folder, self.key = folder / "backups", folder / "backup.key"
        code, said = place("backup", "key", "--renew")
        assert code == 0, said
        self.key.write_text(said.splitlines()[0], encoding="ascii")
        self.to = ("--to", str(self.folder))
        self.back = ("--from", str(self.folder), "--key", str(self.key))

    def files(self, part: str) -> list[Path]:
        return sorted(path for path in (self.folder / part).rglob("*") if path.is_file())


def sound(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as line:
        return line.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
