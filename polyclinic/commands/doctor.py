"""`polyclinic doctor`: is this installation in order, and if not, what to do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import ERROR, run_checks
from django.db import DatabaseError, connection, transaction

from polyclinic.backup import schedule
from polyclinic.commands import safety
from polyclinic.commands.database import pending
from polyclinic.pharmacy import stock
from polyclinic.web import dependencies, static
from polyclinic.web.dependencies import Finding


def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    return Finding(f"Python {version}", "" if good else "install Python 3.11 or newer")


def database() -> Finding:
    """Write something and take it back, so that a read-only or full disk shows."""
    name = f"Database ({connection.vendor})"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TABLE polyclinic_doctor (id integer)")
            cursor.execute("INSERT INTO polyclinic_doctor VALUES (1)")
            transaction.set_rollback(True)
    except DatabaseError as problem:
        return Finding(f"{name}: {str(problem).strip()}", "check DATABASE_URL, its rights, and that the server runs")
    return Finding(f"{name} can be read and written")


def migrations() -> Finding:
    try:
        waiting = pending()
    except DatabaseError:
        return Finding("Migrations: not known, the database cannot be used", "repair the database first")
    if waiting:
        return Finding(f"Migrations: {len(waiting)} are missing", "run `polyclinic migrate`")
    return Finding("Migrations are up to date")


def addresses() -> Finding:
    """Django's own checks and ours: every address declares who may call it."""
    wrong = [message for message in run_checks() if message.level >= ERROR and not message.is_silenced()]
    if wrong:
        return Finding(f"System checks: {wrong[0].msg}", wrong[0].hint or "run `python -m polyclinic.manage check`")
    return Finding("System checks pass")


def assets() -> Finding:
    if finders.find("css/base.css") is None:
        return Finding("Assets: the style sheets are missing from the package", "install the package again")
    if static.stale():
        return Finding("Static files will be collected at the next start")
    return Finding("Static files are collected")


def shelves() -> Finding:
    """Every quantity in the pharmacy is the sum of its movements, and none of these is missing."""
    try:
        wrong = stock.wrong()
    except DatabaseError:
        return Finding("Stock: not known, its tables cannot be read", "repair the database first")
    if wrong:
        told = "count these batches and look for who changed the database by hand"
        return Finding(f"Stock: {len(wrong)} batches do not agree with their movements ({wrong[0]})", told)
    return Finding("Stock agrees with its movements")


def backups() -> Finding:
    """Whether there is one that is new enough, and what became of the last that was tried."""
    found = schedule.standing()
    if not found.wanted:
        told = "set BACKUP_FOLDER to a folder on another machine's disk and run `polyclinic backup key`"
        return Finding("Backups: none are made", "" if settings.DEMO else told)
    why = f" ({found.why})" if found.failed_at else ""
    if found.newest is None:
        return Finding(f"Backups: there is none yet{why}", "run `polyclinic backup`, which says what is in the way")
    told = f"Backups: the newest is of {found.newest:%Y-%m-%d %H:%M} UTC"
    if found.late or found.failed_at:
        return Finding(f"{told}, and the last did not work{why}" if found.failed_at else f"{told}: too old",
                       "run `polyclinic backup`, which says what is in the way")  # fmt: skip
    return Finding(told)


def safe() -> list[Finding]:
    """What would stop the start in production, and what is taken on purpose."""
    if settings.DEMO:
        return [Finding("Demo mode: safety in production is not looked at")]
    found = safety.risks()
    told = [
        Finding(f"Taken on purpose ({risk.override}): {risk.what}")
        if safety.taken(risk)
        else Finding(risk.what, risk.remedy)
        for risk in found
    ]
    return told or [Finding("Settings, folders and keys are safe for production")]


CHECKS: Final[tuple[Callable[[], Finding], ...]] = (
    python, database, migrations, addresses, shelves, assets, *dependencies.ASKING, backups,
)  # fmt: skip


def doctor(_given: argparse.Namespace) -> int:
    """Print every finding with its remedy. Exit code 1 when something needs doing."""
    findings = [*(check() for check in CHECKS), *safe()]
    for finding in findings:
        print(f"{'!!' if finding.remedy else 'ok'}  {finding.what}")
        if finding.remedy:
            print(f"    → {finding.remedy}")
    return 1 if any(finding.remedy for finding in findings) else 0
