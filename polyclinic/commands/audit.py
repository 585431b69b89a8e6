"""`polyclinic audit`: verify, sign, restart, protect."""

from __future__ import annotations

import argparse

from django.db import DatabaseError, connection, transaction

from polyclinic.commands.ending import fail
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import chain, checkpoints, guard, journal, proof
from polyclinic.core.db import is_postgres
from polyclinic.core.models import AuditEntry

_OPERATOR = SystemActor("operator", via="cli")


def audit(given: argparse.Namespace) -> int:
    """Run one of the four."""
    run = {"verify": verify, "sign": sign, "restart": restart, "protect": protect}
    return run[given.what](given)


def verify(_given: argparse.Namespace) -> int:
    """Check everything there is to check. Exit code 1 when something does not hold, each named with its remedy."""
    findings = list(proof.verify())
    for finding in findings:
        print(finding.what)
    for remedy in dict.fromkeys(finding.remedy for finding in findings):
        print(f"    → {remedy}")
    for table in guard.alterable():
        print(f"note: this database role could alter {table}; see `polyclinic audit protect --help`")
    total, wrong = AuditEntry.objects.count(), len(findings)
    print(f"{total} entries checked, {wrong} do not hold." if wrong else f"{total} entries checked, all hold.")
    return 1 if findings else 0


def sign(_given: argparse.Namespace) -> int:
    """Bring in what a stopped server has left in the journal, and write a checkpoint."""
    journal.begin()
    done = checkpoints.take()
    print("A checkpoint is written." if done else "Nothing new to sign, or a chain that does not hold; try verify.")
    return 0


def restart(given: argparse.Namespace) -> int:
    """Begin checkpoints anew on this database, which an old backup may have brought back. The reason is kept for good.

    Refused while a chain does not hold in itself: that is no old backup.
    """
    if not given.reason.strip():
        fail('say why: polyclinic audit restart "restored the backup of Monday"')
    broken = next(chain.verify(), None)
    if broken is not None:
        fail(f"chain {broken.lane}, entry {broken.seq}: {broken.why}. A restored backup holds in itself.")
    with transaction.atomic():
        chain.append(
            actor=_OPERATOR, action="audit.restart", subject_kind="audit", subject_id="checkpoints",
            reason=given.reason.strip()[:500],
        )  # fmt: skip
    checkpoints.take(restart=given.reason.strip()[:500])
    print("Checkpoints begin anew from this database; the files before it are kept.")
    return 0


def protect(given: argparse.Namespace) -> int:
    """Give the audit's tables to an owner who cannot sign in. Run with a DATABASE_URL that may, not the application's.

    From then on a migration that alters these tables is run by that owner's members too.
    """
    if not is_postgres():
        fail("only PostgreSQL has roles; on SQLite keep AUDIT_CHECKPOINTS on another machine's disk")
    if not given.role:
        fail("name the database role the application signs in with: --role polyclinic")
    statements = guard.protect(given.role, given.owner)
    if given.show:
        print(";\n".join(statements) + ";")
        return 0
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except DatabaseError as problem:
        fail(f"{str(problem).strip()}. Use a DATABASE_URL that may give tables away, such as the superuser's.")
    print(f"{given.role} can read and add to the audit's tables, and can neither change nor delete there.")
    return 0
