"""`polyclinic migrate`, and how commands use the database."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from polyclinic.commands.ending import fail

_pool: dict[str, Any] = {}


def use_one_connection() -> None:
    """Let a command have one plain connection instead of the server's pool, and learn soon when nobody answers."""
    options = settings.DATABASES["default"].setdefault("OPTIONS", {})
    if "pool" in options:
        _pool.update(pool=options.pop("pool"))
        options.setdefault("connect_timeout", 5)


def use_pool() -> None:
    """Give the server its pool."""
    settings.DATABASES["default"].get("OPTIONS", {}).update(_pool)


def pending() -> list[str]:
    """Names of migrations that this database does not have yet."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def bring_up_to_date(say: Callable[[str], None]) -> None:
    """Run what is pending, telling how many. Stops with a clear line when the database cannot be reached."""
    try:
        waiting = pending()
        if not waiting:
            return
        say(f"Bringing the database up to date ({len(waiting)} steps) …")
        call_command("migrate", interactive=False, verbosity=0)
        # Models can be imported once Django is set up, which the command line does late.
        from polyclinic.medicines import seed

        # The first formulary; what a house has changed in it stays.
        seed.load()
    except OperationalError as problem:
        fail(f"the database cannot be used: {str(problem).strip()}. Check DATABASE_URL or POLYCLINIC_DATA.")


def migrate(_given: argparse.Namespace) -> int:
    """Run pending migrations; say so when there are none."""
    bring_up_to_date(print)
    print("The database is up to date.")
    return 0
