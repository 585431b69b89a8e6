"""`polyclinic upgrade`: a copy, the migrations, a check, and the copy back if anything fails."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection

from polyclinic.backup import keys, making, place, restoring, schedule
from polyclinic.backup.problems import BackupProblem, Damaged
from polyclinic.backup.restoring import Opened
from polyclinic.backup.store import Repository
from polyclinic.commands import database
from polyclinic.commands.ending import fail
from polyclinic.core.audit import chain
from polyclinic.core.models import AuditEntry

_STATE: Final = "state.json"


def say(line: str) -> None:
    print(line, flush=True)


def upgrade(given: argparse.Namespace) -> int:
    """Run it. Exit code 1 when the database is as it was before, with what failed."""
    try:
        held = place.alone()
    except BackupProblem as problem:
        fail(f"{problem}.")
    try:
        if state() is not None:
            say("An upgrade was broken off here: the database is put back as it was before.")
            _put_back()
        if given.back:
            say("The database is as it was.")
            return 0
        return _upgrade()
    except (BackupProblem, DatabaseError) as problem:
        fail(f"{str(problem).strip()}.")
    finally:
        held.let_go()


def folder() -> Path:
    """The copy and what opens it, beside the database, until the upgrade is done."""
    return Path(settings.DATA) / "upgrade"


def state() -> dict[str, Any] | None:
    """What an upgrade at work, or one that was broken off, says of itself."""
    try:
        found: dict[str, Any] = json.loads((folder() / _STATE).read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    return found


def _upgrade() -> int:
    waiting = database.pending()
    if not waiting:
        say("The database is up to date: nothing to do.")
        return 0
    _kept_elsewhere()
    copied = _copy()
    say(f"Copied: {copied['rows']:,} rows. Bringing the database up to date ({len(waiting)} steps) …")
    heads = {int(lane): tuple(head) for lane, head in copied["heads"].items()}
    try:
        call_command("migrate", interactive=False, verbosity=0)
        from polyclinic.medicines import seed

        seed.load()
        _look(heads)
    except (Exception, KeyboardInterrupt) as problem:
        say(f"It did not work: {type(problem).__name__}: {str(problem).strip()}")
        _put_back()
        _still_there(heads)
        say("The database is as it was before, no row is missing: go on with the version of before.")
        return 1
    _forget()
    say(f"Done: {', '.join(waiting)}. The audit holds.")
    return 0


def _kept_elsewhere() -> None:
    """Where backups are set up one is made first: the copy here is for this upgrade alone."""
    if settings.BACKUP_FOLDER is None:
        say("No backup elsewhere: BACKUP_FOLDER is not set.")
        return
    made = making.make(schedule.repository(), keys.sealer(), keep_days=settings.BACKUP_KEEP_DAYS)
    say(f"Backup {made.id} made.")


def _copy() -> dict[str, Any]:
    """A copy with a key of its own, which lies beside it: both are on the disk of the database, and gone afterwards."""
    shutil.rmtree(folder(), ignore_errors=True)
    folder().mkdir(mode=0o700)
    sealer, opener = keys.make()
    keys.keep(sealer, folder() / "seals.json")
    handle = os.open(folder() / "opens.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(opener.text())
        file.flush()
        os.fsync(file.fileno())
    made = making.make(Repository(folder() / "copy"), sealer, database_only=True)
    heads = {str(lane): list(head) for lane, head in chain.heads().items()}
    told = {"id": made.id, "rows": made.rows, "heads": heads}
    fresh = folder() / f".{_STATE}"
    with fresh.open("w", encoding="ascii") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder() / _STATE)
    place.sync(folder())
    return told


def _put_back() -> None:
    told = state()
    assert told is not None
    opener = keys.opener((folder() / "opens.key").read_text(encoding="ascii"))
    restoring.database_back(Opened(Repository(folder() / "copy"), opener, told["id"]))
    _forget()


def _forget() -> None:
    # First what says that there is something to put back.
    (folder() / _STATE).unlink()
    place.sync(folder())
    shutil.rmtree(folder(), ignore_errors=True)
    connection.close()


def _look(heads: dict[int, tuple[Any, ...]]) -> None:
    """The self-check. Raises Damaged: what was on record before still is, and is believable."""
    _still_there(heads)
    broken = next(chain.verify(), None)
    if broken is not None:
        raise Damaged(f"audit chain {broken.lane}, entry {broken.seq}: {broken.why}")
    from polyclinic.commands import doctor

    for check in (doctor.database, doctor.shelves):
        found = check()
        if found.remedy:
            raise Damaged(found.what)


def _still_there(heads: dict[int, tuple[Any, ...]]) -> None:
    """Raises Damaged when the audit no longer has where it ended."""
    for lane, (seq, digest) in heads.items():
        if not AuditEntry.objects.filter(lane=lane, seq=seq, digest=digest).exists():
            raise Damaged(f"entry {seq} of audit chain {lane} is gone")
