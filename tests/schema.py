"""Migrated and empty databases, made once for each version of the schema and copied from then on.

Migrating takes ten seconds of processor, and some hundred tests begin with a database of their own. That migrating
itself works is shown by `tests/cli/test_commands.py`, and by making the copies here.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://root@127.0.0.1/postgres")


@functools.cache
def version() -> str:
    """Changes with anything that migrations are made of: themselves, and the core they call."""
    package = ROOT / "polyclinic"
    schema = hashlib.sha256()
    for path in sorted({*package.glob("**/migrations/*.py"), *package.glob("core/**/*.py")}):
        schema.update(path.read_bytes())
    return schema.hexdigest()[:16]


def migrate() -> None:
    """Bring this process's database up to date; an absent SQLite file begins as a copy of the kept one."""
    from django.conf import settings
    from django.core.management import call_command

    database = settings.DATABASES["default"]
    here = Path(str(database["NAME"]))
    if "sqlite" in database["ENGINE"] and not here.exists():
        shutil.copyfile(kept(), here)
    call_command("migrate", interactive=False, verbosity=0)


def fill(name: str) -> sqlite3.Connection:
    """Fill the SQLite database in memory of this name; what is returned keeps it alive."""
    target = sqlite3.connect(name, uri=True)
    _copy(kept(), target)
    return target


@functools.cache
def kept() -> Path:
    """The migrated and empty SQLite database, made if it is not there."""
    folder = Path(tempfile.gettempdir()) / f"polyclinic-empty-{os.getuid()}-{version()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "polyclinic.sqlite3"
    with (folder / "lock").open("w") as lock:
        # Several runners begin at once, and one of them makes it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            with tempfile.TemporaryDirectory(prefix="polyclinic-schema-") as data:
                _make("", data)
                made = folder / "making.sqlite3"
                made.unlink(missing_ok=True)
                with contextlib.closing(sqlite3.connect(made)) as target:
                    _copy(Path(data) / "polyclinic.sqlite3", target)
                made.replace(file)
    return file


def _copy(file: Path, target: sqlite3.Connection) -> None:
    with contextlib.closing(sqlite3.connect(file)) as source:
        source.backup(target)


def _make(address: str, data: str) -> None:
    """Migrate the database of this address, or without one the SQLite database in this folder."""
    env = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "polyclinic.settings", "POLYCLINIC_DATA": data,
        "POLYCLINIC_MODE": "demo", "DATABASE_URL": address,
    }  # fmt: skip
    code = (
        "import django; django.setup(set_prefix=False)\n"
        "from django.core.management import call_command; call_command('migrate', interactive=False, verbosity=0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=env)


def administer(statement: str) -> None:
    """One statement on the PostgreSQL server of the tests, outside of any transaction."""
    import psycopg

    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(statement.encode())


def create_database(name: str) -> str:
    """A migrated PostgreSQL database of this name; its address."""
    administer(f'CREATE DATABASE "{name}" TEMPLATE "{template()}"')
    return address_of(name)


def address_of(name: str) -> str:
    return POSTGRES.rpartition("/")[0] + "/" + name


@functools.cache
def template() -> str:
    """The name of a migrated and empty PostgreSQL database that nobody is connected to, made if it is not there."""
    import psycopg

    name = f"polyclinic_empty_{version()}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        # Several runners begin at once, and one of them makes it.
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return name
        making = f"{name}_{os.getpid()}"
        connection.execute(f'CREATE DATABASE "{making}"'.encode())
        with tempfile.TemporaryDirectory(prefix="polyclinic-schema-") as data:
            _make(address_of(making), data)
        connection.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"'.encode())
    return name
