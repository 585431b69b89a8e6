"""Bringing a backup back: everything is looked at first, then put beside what is there, then put in its place.

A marker says that a restore is at work; a server does not start while it is there, and restoring once more does all of
it again. On SQLite files change places by renaming; on PostgreSQL all is one transaction.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
from django.db import connection, transaction

from polyclinic.backup import keeping, load, place, settling
from polyclinic.backup.keys import Opener, Ref
from polyclinic.backup.problems import Damaged, NotSet, Occupied
from polyclinic.backup.snapshot import POSTGRES, SQLITE
from polyclinic.backup.store import Kept, Repository
from polyclinic.core import clock
from polyclinic.core.audit import checkpoints

Say = Callable[[str], None]
_DATABASE: Final = "database.sqlite3"


@dataclass(frozen=True, slots=True)
class Content:
    """One thing in a backup."""

    name: str
    size: int
    sha256: str
    chunks: list[Ref]


class Opened:
    """A backup and what it holds."""

    def __init__(self, repository: Repository, opener: Opener, wanted: str) -> None:
        self.repository = repository
        self.opener = opener
        self.kept: Kept = repository.find(wanted)
        told: dict[str, Any] = orjson.loads(repository.body(opener, self.kept))
        self.database: dict[str, Any] = told["database"]
        self.made_at = datetime.fromisoformat(told["made_at"])
        self.contents = [
            Content(one["name"], one["size"], one["sha256"], [Ref(*ref) for ref in one["chunks"]])
            for one in told["entries"]
        ]

    def pieces(self, content: Content) -> Iterator[bytes]:
        """Raises Damaged, before or after the last piece."""
        whole = hashlib.sha256()
        for ref in content.chunks:
            piece = self.repository.get(ref)
            whole.update(piece)
            yield piece
        if whole.hexdigest() != content.sha256:
            raise Damaged(f"{content.name} in backup {self.kept.id} is not what was put there")

    def check(self) -> int:
        """Open and compare everything. Returns how many bytes that were. Raises Damaged."""
        return sum(len(piece) for content in self.contents for piece in self.pieces(content))

    def under(self, folder: str) -> Iterator[tuple[Path, Content]]:
        """Contents of one folder by their path in it. A path that leads out of it is no path of ours."""
        for content in self.contents:
            if content.name.startswith(f"{folder}/"):
                path = Path(content.name[len(folder) + 1 :])
                if path.is_absolute() or ".." in path.parts:
                    raise Damaged(f"backup {self.kept.id} names a file outside the data folder")
                yield path, content

    @property
    def staged(self) -> str:
        return f"restore-{self.kept.id}"


def restore(opened: Opened, *, replace: bool, say: Say) -> settling.Settled:
    """Bring it back into this installation and make it one that may be started. Raises BackupProblem.

    Refused where something is already, without `replace`; what was there is then moved aside (files) or gone when all
    has succeeded (PostgreSQL).
    """
    _fits(opened)
    broken = place.broken_off()
    there = place.occupied()
    if there and not replace and broken is None:
        raise Occupied(f"there is something here already: {', '.join(there)}. To replace it say --replace")
    held = place.alone()
    try:
        say(f"{opened.check():,} bytes opened and found whole")
        keys = keeping.read(opened.repository, opened.opener)
        stage = _stage(opened)
        place.mark({"backup": opened.kept.id, "at": clock.now().isoformat()})
        keeping.put_back(*keys, say)
        _swap(stage, say)
        if opened.database["kind"] == SQLITE:
            found = settling.settle(opened.kept.id, opened.made_at, opened.database)
        else:
            with transaction.atomic():
                _rows(opened)
                found = settling.settle(opened.kept.id, opened.made_at, opened.database)
        settling.sign(opened.kept.id, opened.made_at)
        place.unmark()
        shutil.rmtree(stage, ignore_errors=True)
    finally:
        connection.close()
        held.let_go()
    return found


def database_back(opened: Opened) -> None:
    """Put the database alone back as it was, at the end of an upgrade that failed. The caller is alone here."""
    _fits(opened)
    opened.check()
    connection.close()
    if opened.database["kind"] == POSTGRES:
        with transaction.atomic():
            _rows(opened)
            _counted(opened)
        return
    stage = _stage(opened)
    _swap(stage, lambda _line: None, aside=False)
    shutil.rmtree(stage, ignore_errors=True)


def _fits(opened: Opened) -> None:
    kind = SQLITE if place.database() else POSTGRES
    if opened.database["kind"] != kind:
        way = "set DATABASE_URL to an empty database" if kind == SQLITE else "leave DATABASE_URL empty"
        raise NotSet(f"backup {opened.kept.id} is of {opened.database['kind']}, and this is {kind}: {way}")


def _stage(opened: Opened) -> Path:
    """Write everything out beside what is there, and look at the database before it takes the other's place."""
    stage = place.data() / opened.staged
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700)
    for folder in ("data", "reads", "checkpoints"):
        for path, content in opened.under(folder):
            _written(opened, content, stage / folder / path)
    for content in opened.contents:
        if content.name == _DATABASE:
            _written(opened, content, stage / _DATABASE)
            _sound(stage / _DATABASE, opened.database["tables"])
    return stage


def _written(opened: Opened, content: Content, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        for piece in opened.pieces(content):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sound(path: Path, tables: dict[str, int]) -> None:
    """Raises Damaged when SQLite finds the file broken, or rows are missing."""
    with closing(sqlite3.connect(path)) as line:
        said = line.execute("PRAGMA integrity_check").fetchall()
        if said != [("ok",)]:
            raise Damaged(f"the database in it is broken: {said[0][0]}")
        if line.execute("PRAGMA foreign_key_check").fetchone():
            raise Damaged("the database in it has rows that lead nowhere")
        _same_counts(tables, lambda name: line.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608


def _same_counts(tables: dict[str, int], count: Callable[[str], int]) -> None:
    for name, expected in tables.items():
        if (there := count(name)) != expected:
            raise Damaged(f"{name} has {there} rows, and should have {expected}")


def _rows(opened: Opened) -> None:
    """PostgreSQL: the tables of then with the rows of then, in the running transaction."""
    load.clear()
    load.lay(opened.database["migrations"])
    keys = load.foreign_keys()
    load.detach(keys)
    columns = opened.database["columns"]
    for path, content in opened.under("tables"):
        load.fill(path.name, columns[path.name], opened.pieces(content))
    load.attach(keys)
    load.go_on_counting(opened.database["sequences"])
    _counted(opened)


def _counted(opened: Opened) -> None:
    _same_counts(opened.database["tables"], lambda name: load.run(f'SELECT count(*) FROM "{name}"')[0][0])  # noqa: S608


def _swap(stage: Path, say: Say, *, aside: bool = True) -> None:
    """Let what was written out take the place of what is there, which is moved aside and not deleted.

    Killed anywhere in here, restoring again begins from the backup once more: nothing here is read.
    """
    connection.close()
    kept = place.data() / f"replaced-{clock.now():%Y%m%dT%H%M%S}-{os.urandom(2).hex()}"
    pairs = [(path, place.data() / path.name) for path in sorted((stage / "data").glob("*"))]
    if (stage / "reads").exists():
        pairs.append((stage / "reads", place.data() / "reads"))
    base = place.database()
    gone = [place.data() / name for name in ("files", "reads")] if aside else []
    if base is not None:
        pairs.append((stage / _DATABASE, base))
        gone += [base.with_name(base.name + end) for end in ("-wal", "-shm", "")]
    for path in dict.fromkeys([*gone, *(target for _source, target in pairs)]):
        if path.exists():
            kept.mkdir(mode=0o700, exist_ok=True)
            shutil.move(path, kept / path.name)
    for source, target in pairs:
        shutil.move(source, target)
    if not any(checkpoints.folder().glob(checkpoints.PATTERN)):
        # Newer ones that are here stay: they are evidence, and `settling.sign` writes where they begin anew.
        for path in (stage / "checkpoints").glob("*"):
            shutil.move(path, checkpoints.folder() / path.name)
    place.sync(place.data())
    if kept.exists() and aside:
        say(f"What was here is in {kept}: delete it once nobody needs it.")
    elif kept.exists():
        shutil.rmtree(kept, ignore_errors=True)
