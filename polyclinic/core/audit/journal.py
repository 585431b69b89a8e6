"""The journal of reads: a line on disk before the answer leaves, an entry of the chain within a second.

A transaction for every read would make each of them a write. A line put at the end of a mapped file costs a fraction,
and unlike a write it does not let go of the interpreter, for which every other thread is waiting. It is with the
system before the answer leaves, so no end of the process loses it, and on disk 50 ms later: that much a power cut can
take. Segments are closed, read into the audit in one transaction that also notes the segment's name, and removed: each
line becomes one entry, no matter where the process is killed.
"""

from __future__ import annotations

import errno
import logging
import mmap
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from django.conf import settings
from django.db import IntegrityError

from polyclinic.core import clock
from polyclinic.core.audit import chain, groups, reads
from polyclinic.core.audit.chain import Reading
from polyclinic.core.audit.reads import Sighting
from polyclinic.core.db import transactional
from polyclinic.core.models import AuditSegment

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows runs one process, whose own leftovers need no lock
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)
OPEN: Final = ".open"
CLOSED: Final = ".segment"
# Lists whose patients are in the database already are named by their digest alone.
_KNOWN_KEPT: Final = 20_000
SYNC_SECONDS: Final = 0.05
# A segment's room, taken on disk before its first line: a full disk refuses there, not in the middle of a line.
ROOM: Final = 1 << 18
_sync = getattr(os, "fdatasync", os.fsync)


def lines(sightings: Sequence[Sighting], known: set[str] | None = None) -> bytes:
    """The sightings as lines of a journal; the patients of a list that is `known` are left out."""
    parts = []
    for one in sightings:
        made, members = reads.reading(one)
        named = members if known is None or made.listed not in known else []
        parts.append(orjson.dumps([*made, named], option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(parts)


class Journal:
    """The journal of this process. Its functions may be called from any thread."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or settings.DATA / "reads"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.known: set[str] = set()
        self._lock = threading.Lock()
        self._handle = -1
        self._room: mmap.mmap | None = None
        self._size = 0
        self._path = self.folder
        # Full segments that wait for the next chore to end them: (handle, bytes used, path).
        self._ended: list[tuple[int, int, Path]] = []
        self._dirty = threading.Event()
        self._imported: list[str] = []

    def write(self, data: bytes) -> None:
        """Append whole lines. Raises OSError when that fails; then none of them counts."""
        with self._lock:
            if self._room is None or self._size + len(data) > len(self._room):
                self._ended += self._let_go()
                self._begin(len(data))
            room, at = self._room, self._size
            assert room is not None
            # The first byte comes last: killed in between, the process leaves what reads as unused room.
            room[at + 1 : at + len(data)] = data[1:]
            room[at] = data[0]
            self._size = at + len(data)
        if not self._dirty.is_set():
            self._dirty.set()

    def sync(self) -> None:
        """Have on disk what was written so far. Raises OSError; the segment is then written to no more."""
        self._dirty.clear()
        with self._lock:
            named = [handle for handle, _size, _path in self._ended]
            handles = [os.dup(one) for one in (*named, self._handle) if one >= 0]
        try:
            # Outside the lock: others write on meanwhile. Syncing a file includes what was put into it by mapping.
            for handle in handles:
                _sync(handle)
        except OSError:
            self.close_segment()
            raise
        finally:
            for handle in handles:
                os.close(handle)

    def keep_on_disk(self, stopping: threading.Event) -> None:
        """Sync within 50 ms of each write, until told to stop; the loop of a thread."""
        while not stopping.is_set():
            if self._dirty.wait(0.5):
                try:
                    self.sync()
                except OSError:
                    _log.exception("reads could not be put on disk")
                stopping.wait(SYNC_SECONDS)

    def _begin(self, least: int) -> None:
        self._path = self.folder / f"{clock.now():%Y%m%d%H%M%S%f}-{uuid4().hex[:12]}{OPEN}"
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            if fcntl is not None:
                # Held as long as this process lives: others see by it that the segment is still written to.
                fcntl.flock(handle, fcntl.LOCK_EX)
            _reserve(handle, max(ROOM, least))
            self._room = mmap.mmap(handle, max(ROOM, least))
        except OSError:
            os.close(handle)
            with suppress(OSError):
                self._path.unlink()
            raise
        self._handle, self._size = handle, 0
        _sync_folder(self.folder)

    def close_segment(self) -> None:
        """End the segment in hand, if anything is in it."""
        with self._lock:
            ended, self._ended = [*self._ended, *self._let_go()], []
        # Outside the lock: others write on, into the next one, meanwhile.
        for handle, size, path in ended:
            _end(handle, size, path)

    def _let_go(self) -> list[tuple[int, int, Path]]:
        if self._room is None:
            return []
        self._room.close()
        gone, self._room, self._handle = (self._handle, self._size, self._path), None, -1
        return [gone]

    def bring_in(self) -> int:
        """Read every closed segment into the audit. Returns how many entries that made."""
        self.close_segment()
        return sum(self._import(path) for path in sorted(self.folder.glob(f"*{CLOSED}")))

    def adopt(self) -> None:
        """Close what processes that are gone have left open; one that lives holds its lock."""
        for path in self.folder.glob(f"*{OPEN}"):
            if path == self._path and self._handle >= 0:
                continue
            try:
                with path.open("ab") as file:
                    if fcntl is not None:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.rename(path.with_suffix(CLOSED))
            except OSError:
                continue

    def _import(self, path: Path) -> int:
        try:
            entries, members = _read(path)
        except FileNotFoundError:
            return 0  # another process was quicker
        count = 0
        try:
            count = self._enter(path.name, entries, members)
        except IntegrityError:
            if not AuditSegment.objects.filter(name=path.name).exists():
                raise
        path.unlink(missing_ok=True)
        self._imported.append(path.name)
        if len(self.known) > _KNOWN_KEPT:
            self.known.clear()
        self.known.update(members)
        return count

    @transactional
    def _enter(self, name: str, entries: list[Reading], members: dict[str, list[UUID]]) -> int:
        AuditSegment.objects.create(name=name)
        groups.ensure(members)
        chain.append_readings(entries)
        # Their files are gone, so nothing can bring them in a second time.
        gone, self._imported = self._imported, []
        if gone:
            AuditSegment.objects.filter(name__in=gone).delete()
        return len(entries)


def _read(path: Path) -> tuple[list[Reading], dict[str, list[UUID]]]:
    """The entries of a segment and the patients of the lists first named in it.

    Room that was never used, and a last line without its end, were never acknowledged and are dropped; any other line
    that cannot be read is told of by an entry of its own.
    """
    entries: list[Reading] = []
    members: dict[str, list[UUID]] = {}
    # JSON writes no zero byte, so that the first one is where the lines end.
    used = path.read_bytes().partition(b"\0")[0]
    for number, line in enumerate(used.split(b"\n")[:-1]):
        try:
            fields: list[Any] = orjson.loads(line)
            at, actor, via, action, kind, subject, patient, place, *rest = fields
            reason, request_id, detail, listed, named = rest
            made = Reading(
                datetime.fromisoformat(at), actor, via, action, kind, subject, patient and UUID(patient),
                place and UUID(place), reason, request_id, detail, listed,
            )  # fmt: skip
            people = [UUID(one) for one in named]
        except (ValueError, TypeError):
            _log.error("line %d of a segment of the reads' journal cannot be read", number + 1)
            entries.append(_damaged(path.name, number + 1))
            continue
        entries.append(made)
        if people:
            members[listed] = people
    return entries, members


def _damaged(name: str, line: int) -> Reading:
    detail = orjson.dumps({"line": line}).decode()
    return Reading(
        clock.now(), "system:audit", "job", "journal.damaged", "journal", name[:64], None, None, "", "", detail
    )


def _reserve(handle: int, size: int) -> None:
    """Take `size` bytes of disk for the file. Raises OSError (ENOSPC) when they are not there."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as failure:
            if failure.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
        else:
            return
    # A file system that cannot promise room is made to give it.
    written = os.write(handle, bytes(size))
    if written != size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _end(handle: int, size: int, path: Path) -> None:
    """Have a segment on disk and offer it for import."""
    try:
        with suppress(OSError):
            # What was never used would only be read past; that it is still there when this fails does no harm.
            os.ftruncate(handle, size)
            _sync(handle)
        # Before the lock goes with the handle, so that nobody takes it for a dead process's.
        path.rename(path.with_suffix(CLOSED))
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Have the folder's new name on disk too."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_journal: Journal | None = None


def of_process() -> Journal:
    """The one journal of this process, opened when first asked for."""
    global _journal
    if _journal is None:
        _journal = Journal()
    return _journal


def bring_in() -> int:
    """The chore: bring in what this process has written. Nothing to do where nobody has opened a journal."""
    return _journal.bring_in() if _journal is not None else 0


def begin() -> None:
    """At the start: what an earlier process left behind comes in before anything is served."""
    journal = of_process()
    journal.adopt()
    journal.bring_in()
