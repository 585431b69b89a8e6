"""`polyclinic db move`: from SQLite to PostgreSQL."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import psycopg

from polyclinic.backup import moving, place
from polyclinic.backup.problems import BackupProblem, Damaged, NotSet
from polyclinic.commands import database
from polyclinic.commands.ending import fail
from polyclinic.core.audit import journal, proof

_MIGRATE: Final = ("-m", "polyclinic.manage", "migrate", "--no-input", "--verbosity", "0")


def say(line: str) -> None:
    print(line, flush=True)


def db(given: argparse.Namespace) -> int:
    """Run it. Exit code 1 when it did not work: the old database is as it was, and the same command goes on."""
    try:
        if urlsplit(given.to).scheme not in {"postgres", "postgresql"}:
            raise NotSet("--to is an address of PostgreSQL: postgres://user:password@host/name")
        held = place.alone()
        try:
            return _move(given.to)
        finally:
            held.let_go()
    except BackupProblem as problem:
        fail(f"{problem}.")
    except psycopg.Error as problem:
        fail(f"the new database cannot be used: {str(problem).strip()}.")


def _move(address: str) -> int:
    path = place.database()
    if path is None or not path.exists():
        raise NotSet("there is no SQLite database here: DATABASE_URL must be empty, and POLYCLINIC_DATA its folder")
    if waiting := database.pending():
        raise NotSet(f"{len(waiting)} migrations are missing in the old database: run `polyclinic upgrade` first")
    journal.begin()
    if found := list(proof.verify()):
        raise Damaged(f"the old database's audit does not hold ({found[0].what}): see `polyclinic audit verify`")
    say("The audit of the old database holds.")
    with psycopg.connect(address, autocommit=True) as line:
        fresh = moving.begin(line, path)
        laid = not fresh and moving.laid(line)
    if not fresh:
        say("Going on where it was broken off.")
    env = {**os.environ, "DATABASE_URL": address, "POLYCLINIC_DATA": str(place.data())}
    if not laid:
        # Never again once rows are coming: what Django writes for itself after migrating would stand in their way.
        _run(env, *_MIGRATE)
    moving.move(path, address, say)
    _run(env, "-m", "polyclinic", "audit", "verify")
    say("Moved. Set DATABASE_URL to the new address and start the server; files and keys stay where they are.")
    say(f"The old database is as it was: {path}. Delete it once nobody needs it.")
    return 0


def _run(env: Mapping[str, str], *words: str) -> None:
    """Another process, whose settings are those of the new database."""
    done = subprocess.run([sys.executable, *words], env=dict(env), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Damaged(
            f"`{' '.join(words[1:])}` on the new database failed:\n{(done.stdout + done.stderr).strip()[-2000:]}"
        )
