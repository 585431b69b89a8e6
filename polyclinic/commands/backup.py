"""`polyclinic backup`, `restore` and `verify`."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import DatabaseError

from polyclinic.backup import keys, making, restoring, schedule, settling
from polyclinic.backup.keys import Opener
from polyclinic.backup.problems import BackupProblem, Damaged, NotSet
from polyclinic.backup.restoring import Opened
from polyclinic.backup.snapshot import POSTGRES
from polyclinic.backup.store import Repository
from polyclinic.commands.ending import fail
from polyclinic.core.crypto.problems import CryptoError
from polyclinic.settings.declared import read

# What belongs to this installation and not to the place a drill restores to.
_NOT_THERE: Final = ("KEYS_FOLDER", "KEY_VAULT_URL", "AUDIT_CHECKPOINTS", "AUDIT_SINK", "BACKUP_FOLDER", "DATABASE_URL")


def say(line: str) -> None:
    print(line, flush=True)


def backup(given: argparse.Namespace) -> int:
    return _told({"make": _make, "key": _key, "list": _list}[given.what], given)


def restore(given: argparse.Namespace) -> int:
    return _told(_restore, given)


def verify(given: argparse.Namespace) -> int:
    return _told(_verify, given)


def _told(run: Callable[[argparse.Namespace], int], given: argparse.Namespace) -> int:
    try:
        return run(given)
    except (BackupProblem, CryptoError) as problem:
        fail(f"{problem}.")
    except DatabaseError as problem:
        fail(f"the database cannot be used: {str(problem).strip()}. Check DATABASE_URL or POLYCLINIC_DATA.")
    except OSError as problem:
        fail(f"{problem.filename or 'a file'} cannot be used: {problem.strerror}.")


def _folder(given: argparse.Namespace) -> Repository:
    return Repository(given.to) if given.to else schedule.repository()


def _make(given: argparse.Namespace) -> int:
    kept = _folder(given)
    made = making.make(kept, keys.sealer(), keep_days=settings.BACKUP_KEEP_DAYS)
    kept.tell({})
    say(f"Backup {made.id}: {made.size:,} bytes, {made.rows:,} rows; {made.added:,} bytes new; {made.seconds:.1f} s")
    if made.old:
        say(f"{made.old} older than {settings.BACKUP_KEEP_DAYS} days taken away.")
    return 0


def _key(given: argparse.Namespace) -> int:
    """Make what seals, and tell what opens: on standard output alone, so that it can be led into a file elsewhere."""
    sealer, opener = keys.make()
    there = keys.path()
    if there.exists():
        if not given.renew:
            fail(f"there is a backup key already ({keys.sealer(there).fingerprint}); --renew makes another one.")
        there.replace(there.with_name(f"backup-{keys.sealer(there).fingerprint}.json"))
    keys.keep(sealer)
    print(opener.text())
    print(
        "Keep this line away from this machine, twice: without it no backup opens. It is not kept here, and is not "
        f"told again. Key {sealer.fingerprint}.",
        file=sys.stderr,
    )
    return 0


def _list(given: argparse.Namespace) -> int:
    kept = _folder(given)
    kept.require()
    for one in kept.backups():
        say(f"{one.id}  {one.made_at:%Y-%m-%d %H:%M:%S} UTC  polyclinic {one.version}  key {one.recipient}")
    return 0


def _opener(given: argparse.Namespace) -> Opener:
    text = given.key.read_text(encoding="ascii", errors="replace") if given.key else read("BACKUP_KEY")
    if not text:
        raise NotSet("name the file with the backup key: --key FILE")
    return keys.opener(text)


def _restore(given: argparse.Namespace) -> int:
    kept = _folder(given)
    kept.require()
    with kept.held(shared=True):
        opened = Opened(kept, _opener(given), given.id)
        say(f"Backup {opened.kept.id} of {opened.made_at:%Y-%m-%d %H:%M:%S} UTC")
        found = restoring.restore(opened, replace=given.replace, say=say)
    say(f"{found.rows:,} rows restored, {found.entries:,} entries of the audit; {found.sessions:,} sessions ended")
    if found.erased:
        say(f"{found.erased:,} patients who were erased since then are erased again")
    for finding in found.findings:
        say(f"!!  {finding.what}\n    → {finding.remedy}")
    return _checked() if given.check else int(bool(found.findings))


def _checked() -> int:
    """The self-check of what was restored: the audit with all that belongs to it, and the state of the database."""
    from polyclinic.commands import doctor

    wrong = [(one.what, one.remedy) for one in settling.verify()]
    say("The audit holds." if not wrong else f"The audit does not hold in {len(wrong)} places.")
    for check in (doctor.database, doctor.migrations, doctor.shelves):
        one = check()
        say(one.what)
        if one.remedy and check is not doctor.migrations:  # of an older version: they are run before it is used
            wrong.append((one.what, one.remedy))
    for what, remedy in wrong:
        say(f"!!  {what}\n    → {remedy}")
    return int(bool(wrong))


def _verify(given: argparse.Namespace) -> int:
    kept = _folder(given)
    kept.require()
    with kept.held(shared=True):
        _bytes(kept)
        if not given.key and not read("BACKUP_KEY"):
            say("No key was given: that they open, and that they can be restored, was not looked at.")
            return 0
        opener = _opener(given)
        opened = Opened(kept, opener, given.id)
        say(f"Backup {opened.kept.id}: {opened.check():,} bytes opened and compared")
    with _place(opened, given.into) as env:
        words = ["-m", "polyclinic", "restore", opened.kept.id, "--from", str(kept.folder.resolve()), "--check"]
        env["BACKUP_KEY"] = opener.text()
        done = subprocess.run([sys.executable, *words], env=env, check=False)  # noqa: S603 - ourselves
    if done.returncode:
        raise Damaged(f"backup {opened.kept.id} could not be restored to a temporary place, or did not hold there")
    say(f"Backup {opened.kept.id} was restored to a temporary place and holds.")
    return 0


def _bytes(kept: Repository) -> None:
    """Every chunk of every backup, without opening any."""
    there = kept.backups()
    names = {name for one in there for name in one.chunks}
    broken: dict[str, str] = {}
    for name in sorted(names):
        try:
            kept.check(name)
        except Damaged as problem:
            broken[name] = str(problem)
    if broken:
        hurt = [one.id for one in there if not broken.keys().isdisjoint(one.chunks)]
        raise Damaged(
            f"{next(iter(broken.values()))}; {len(broken)} such in the backups {', '.join(hurt)}. The next backup "
            "writes anew what has not changed since; else bring the folder back from a copy"
        )
    say(f"{len(there)} backups, {len(names):,} chunks: every byte is as it was written")


@contextmanager
def _place(opened: Opened, into: str) -> Iterator[dict[str, str]]:
    """The settings of a temporary installation, which is gone afterwards."""
    env = {**os.environ, **dict.fromkeys(_NOT_THERE, "")}
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    database = ""
    with tempfile.TemporaryDirectory(dir=settings.DATA, prefix="restore-drill-") as folder:
        env["POLYCLINIC_DATA"] = str(Path(folder).resolve())
        if opened.database["kind"] != POSTGRES:
            yield env
            return
        address = into or read("DATABASE_URL")
        if not address:
            raise NotSet("the backup is of PostgreSQL: name an empty database to restore into, --into postgres://…")
        if not into:
            database = f"polyclinic_drill_{secrets.token_hex(4)}"
            _administer(address, f'CREATE DATABASE "{database}"')
            address = urlunsplit(urlsplit(address)._replace(path=f"/{database}"))
        try:
            yield {**env, "DATABASE_URL": address}
        finally:
            if database:
                _administer(read("DATABASE_URL"), f'DROP DATABASE "{database}" WITH (FORCE)')


def _administer(address: str, statement: str) -> None:
    import psycopg

    try:
        with psycopg.connect(address, autocommit=True) as line:
            line.execute(statement.encode())
    except psycopg.Error as problem:
        raise NotSet(
            f"no temporary database could be made ({str(problem).strip()}): name an empty one with --into"
        ) from None
