"""Where this installation keeps what, who is at work on it, and whether a restore was broken off here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

from polyclinic.backup.problems import Occupied
from polyclinic.core.audit import checkpoints
from polyclinic.core.crypto import kms
from polyclinic.core.db import is_postgres

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows runs one process
    fcntl = None  # type: ignore[assignment]

MARKER: Final = "restoring.json"
_LOCK: Final = "serving.lock"
# Made anew, or a copy in themselves, or of this one process alone.
_LEFT_OUT: Final = frozenset({"static", "keys", "reads", "checkpoints", "secret.key", "upgrade", MARKER, _LOCK})
_OURS: Final = (".", "restore-", "replaced-", "backup-")


def data() -> Path:
    return Path(settings.DATA)


def database() -> Path | None:
    """The database's file, or None on PostgreSQL."""
    return None if is_postgres() else Path(str(connection.settings_dict["NAME"]))


def key_files() -> dict[str, Path]:
    """Keys that are files, by the name they have in a backup."""
    return {
        "master.json": kms.folder() / "master.json", "backup.json": kms.folder() / "backup.json",
        "audit.key": data() / "keys" / "audit.key", "secret.key": data() / "secret.key",
    }  # fmt: skip


def others() -> Iterator[tuple[str, Path]]:
    """Every file of the data folder that has no keeper of its own: what people sent, and whatever else is there."""
    base = str(database() or "")
    for top in sorted(data().iterdir()):
        if top.name in _LEFT_OUT or top.name.startswith(_OURS) or (base and str(top).startswith(base)):
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".new-"):
                yield path.relative_to(data()).as_posix(), path


def checkpoint_files() -> list[Path]:
    """The signed lines and the public keys they are checked with."""
    folder = checkpoints.folder()
    return sorted([*folder.glob(checkpoints.PATTERN), *folder.glob("*.pub")])


def occupied() -> list[str]:
    """What is here already that a restore would stand beside or replace."""
    found = []
    base = database()
    if base is None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
            row = cursor.fetchone()
        if row and row[0]:
            found.append(f"a database with {row[0]} tables")
    elif base.exists() and base.stat().st_size:
        found.append(str(base))
    found += [str(data() / name) for name in ("files", "reads") if any((data() / name).glob("**/*"))]
    return found


class Serving:
    """A server holds this as long as it lives; so does whoever must not be disturbed by one."""

    def __init__(self) -> None:
        self._handle = -1

    def hold(self, *, alone: bool) -> bool:
        """False when somebody else is there: `alone` wants nobody at all, a server only that nobody is alone."""
        handle = os.open(data() / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if fcntl is not None:
                fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def alone() -> Serving:
    """Raises Occupied while a server or another such command works on this installation.

    On PostgreSQL everybody else who is connected to the database counts, from whichever machine.
    """
    held = Serving()
    if not held.hold(alone=True):
        raise Occupied(f"a server or another command works on {data()}: stop it first")
    if is_postgres():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            row = cursor.fetchone()
        if row and row[0]:
            held.let_go()
            raise Occupied(f"{row[0]} others are connected to the database: stop every server of it first")
    return held


def broken_off() -> dict[str, Any] | None:
    """What a restore that did not end left said here."""
    try:
        found: dict[str, Any] = json.loads((data() / MARKER).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return found


def mark(what: dict[str, Any]) -> None:
    """Say that a restore is at work; a server refuses to start until it has ended."""
    fresh = data() / f".{MARKER}"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(what, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(data() / MARKER)
    sync(data())


def unmark() -> None:
    (data() / MARKER).unlink(missing_ok=True)
    sync(data())


def sync(folder: Path) -> None:
    """Have the folder's names on disk."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
