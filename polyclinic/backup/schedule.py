"""Backups by themselves: which settings say so, when one is due, and how the last one went."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import DatabaseError

from polyclinic.backup import keeping, keys, making
from polyclinic.backup.problems import BackupProblem, Busy, NotSet
from polyclinic.backup.store import Repository
from polyclinic.core import clock

_log = logging.getLogger(__name__)
# After one that failed: soon enough for a disk that was made room on, not so often that it is all the server does.
_AGAIN: Final = timedelta(minutes=10)
_BREATH: Final = 0.002
_stopping = threading.Event()


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with backups. `late`: the newest complete one is older than it should be, or there is none."""

    wanted: bool
    newest: datetime | None
    late: bool
    failed_at: datetime | None
    why: str


def repository() -> Repository:
    """The folder that is set. Raises NotSet."""
    folder: Path | None = settings.BACKUP_FOLDER
    if folder is None:
        raise NotSet("no folder for backups is set: BACKUP_FOLDER, best on another machine's disk, or --to")
    return Repository(folder)


def standing() -> Standing:
    """What `polyclinic doctor` and the page of the system show. Nothing is opened for it."""
    if settings.BACKUP_FOLDER is None:
        return Standing(False, None, False, None, "")
    kept = repository()
    try:
        kept.require()
        newest = kept.find("latest").made_at
    except BackupProblem:
        newest = None
    told = kept.told()
    failed = datetime.fromisoformat(told["failed_at"]) if told.get("failed_at") else None
    late = newest is None or clock.now() - newest > 2 * _every()
    return Standing(True, newest, late, failed, str(told.get("why", "")))


def chore() -> int:
    """Make a backup when one is due, and copy the keys when some were renewed or destroyed. Returns 1 when it did.

    Of several processes and machines that share the folder, whoever holds its lock does it; the others find it done.
    """
    if settings.BACKUP_FOLDER is None:
        return 0
    kept = repository()
    try:
        sealer = keys.sealer()
        kept.prepare()
        if _due(kept):
            making.make(kept, sealer, keep_days=settings.BACKUP_KEEP_DAYS, go_on=_breathe, patience=0)
            kept.tell({})
            return 1
        if keeping.stale(kept):
            with kept.held(patience=0):
                keeping.copy(kept, sealer)
            return 1
    except Busy:
        return 0
    except (BackupProblem, OSError, DatabaseError) as problem:
        _failed(kept, problem)
    return 0


def begin() -> None:
    """Backups may be made, also after `stop` in the same process."""
    _stopping.clear()


def stop() -> None:
    """Let a backup in hand end before its next piece."""
    _stopping.set()


class _Stopped(BackupProblem):
    pass


def _breathe() -> None:
    """People first: the next piece waits a moment."""
    if _stopping.is_set():
        raise _Stopped("the server was stopped")
    time.sleep(_BREATH)


def _every() -> timedelta:
    return timedelta(minutes=settings.BACKUP_EVERY_MINUTES)


def _due(kept: Repository) -> bool:
    told = kept.told()
    now = clock.now()
    if told.get("failed_at") and now - datetime.fromisoformat(told["failed_at"]) < min(_AGAIN, _every()):
        return False
    try:
        newest = kept.find("latest")
    except NotSet:
        return True
    return now - newest.made_at >= _every()


def _failed(kept: Repository, problem: Exception) -> None:
    if isinstance(problem, _Stopped):
        return
    why = str(problem) if isinstance(problem, BackupProblem) else type(problem).__name__
    _log.error("no backup could be made: %s", why)
    try:
        if kept.folder.is_dir():
            kept.tell({"failed_at": clock.now().isoformat(), "why": why})
    except (BackupProblem, OSError):
        _log.error("nor could that be noted in the folder of backups")
