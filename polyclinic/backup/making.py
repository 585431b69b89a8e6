"""Making a backup while people work."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

import polyclinic
from polyclinic.backup import keeping, place, snapshot
from polyclinic.backup.keys import Sealer
from polyclinic.backup.problems import NotSet
from polyclinic.backup.snapshot import Snapshot
from polyclinic.backup.store import Kept, Repository
from polyclinic.core import clock
from polyclinic.core.audit import journal
from polyclinic.core.audit.checkpoints import read as read_checkpoint

KEEP_DAYS: Final = 30


@dataclass
class Report:
    """What a backup came to."""

    id: str = ""
    pieces: int = 0
    size: int = 0
    added: int = 0
    seconds: float = 0.0
    old: int = 0
    rows: int = 0


@dataclass
class _Making:
    repository: Repository
    sealer: Sealer
    # Asked before each piece: what ends a backup in good order when the server stops.
    go_on: Callable[[], None]
    report: Report = field(default_factory=Report)
    chunks: list[str] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def take(self, name: str, pieces: Iterable[bytes]) -> None:
        """Keep one content and note it."""
        whole, refs, size = hashlib.sha256(), [], 0
        for piece in pieces:
            self.go_on()
            ref, added = self.repository.put(self.sealer, piece)
            whole.update(piece)
            size += len(piece)
            refs.append([ref.name, ref.key])
            self.report.added += added
        self.chunks += [name for name, _key in refs]
        self.report.pieces += len(refs)
        self.report.size += size
        self.entries.append({"name": name, "size": size, "sha256": whole.hexdigest(), "chunks": refs})


def make(
    repository: Repository, sealer: Sealer, *, keep_days: int = KEEP_DAYS, database_only: bool = False,
    go_on: Callable[[], None] = lambda: None, patience: float = 10.0,
) -> Report:  # fmt: skip
    """Make a backup and take away what is too old. Raises BackupProblem; then there is none more than before.

    Everything that was acknowledged before this was called is in it. `database_only` is for putting a database back
    after a failed upgrade: files and keys stay where they are meanwhile.
    """
    repository.prepare()
    _apart(repository.folder)
    started = time.monotonic()
    with repository.held(patience=patience):
        now = clock.now()
        work = _Making(repository, sealer, go_on)
        reads = {} if database_only else _journal()
        with snapshot.taken(lambda found: _settled(found, reads)) as found:
            about: dict[str, Any] = {
                "made_at": now.isoformat(),
                "version": polyclinic.__version__,
                "database": found.about(),
            }
            known = found.segments()
            for name, pieces in found.parts():
                work.take(name, pieces)
        if not database_only:
            _files(work, {name: raw for name, raw in reads.items() if _closed(name) not in known}, about["database"])
            keeping.copy(repository, sealer)
        kept = Kept(_id(now), now, polyclinic.__version__, sealer.fingerprint, tuple(work.chunks))
        repository.complete(sealer, kept, orjson.dumps({**about, "entries": work.entries}))
        work.report.old, _chunks = repository.sweep(now, keep_days)
    work.report.id = kept.id
    work.report.rows = sum(about["database"]["tables"].values())
    work.report.seconds = time.monotonic() - started
    return work.report


def _files(work: _Making, reads: dict[str, bytes], database: dict[str, Any]) -> None:
    """Files after the database: each that a row speaks of was written before its row, so it is there."""
    for name, path in place.others():
        # Deleted meanwhile: its row speaks of it no more either, or did so a moment ago.
        with suppress(FileNotFoundError):
            work.take(f"data/{name}", snapshot.pieces(path))
    for name, raw in reads.items():
        work.take(f"reads/{name}", [raw] if raw else [])
    for path in place.checkpoint_files():
        work.take(f"checkpoints/{path.name}", _signed(path, database["checkpoints"]))


def _signed(path: Path, known: dict[str, int]) -> Iterator[bytes]:
    """The lines the database of the snapshot knows: later ones speak of entries that are not in it."""
    if path.suffix == ".pub":
        yield path.read_bytes()
        return
    kept = []
    for line in path.read_bytes().splitlines():
        try:
            found = read_checkpoint(line)
        except ValueError:
            kept.append(line)
            continue
        if found.number <= known.get(found.key, 0):
            kept.append(line)
    yield b"".join(line + b"\n" for line in kept)


def _journal() -> dict[str, bytes]:
    """Reads that wait for the audit. Lines are whole up to the first byte that was never used."""
    found = {}
    for path in sorted((place.data() / "reads").glob("*")):
        if path.suffix in (journal.OPEN, journal.CLOSED):
            with suppress(FileNotFoundError):
                found[path.name] = path.read_bytes().partition(b"\0")[0]
    return found


def _settled(found: Snapshot, reads: dict[str, bytes]) -> bool:
    """Whether it is known of each segment if its reads are in the snapshot. If not, look again at both.

    A segment's name stays in the database until its file is gone. So what is named is in it, and what still has a
    file and is not named is not. One that is gone and not named came in before or after: nobody can say.
    """
    known = found.segments()
    folder = place.data() / "reads"
    for name in list(reads):
        there = (folder / name).exists() or (folder / _closed(name)).exists()
        if _closed(name) not in known and not there:
            reads.clear()
            reads.update(_journal())
            return False
    return True


def _closed(name: str) -> str:
    return Path(name).stem + journal.CLOSED


def _apart(folder: Path) -> None:
    here, there = place.data().resolve(), folder.resolve()
    if there == here or (here in there.parents and here / "upgrade" not in [there, *there.parents]):
        raise NotSet(f"{folder} lies in the data folder {here}: put backups on another disk")


def _id(now: datetime) -> str:
    """Sorts by time; never one twice."""
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{os.urandom(3).hex()}"
