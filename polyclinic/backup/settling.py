"""What makes a database that was brought back one that may be used.

Nobody is signed in any more; whoever was erased since then is erased again; and the audit says that all this happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.management import call_command
from django.db import connection, transaction

from polyclinic.backup import keeping, load
from polyclinic.backup.problems import Damaged
from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.audit import chain, checkpoints, proof
from polyclinic.core.audit.proof import Finding
from polyclinic.core.crypto import ring
from polyclinic.core.errors import Problem
from polyclinic.facilities.models import Membership
from polyclinic.people import erasing
from polyclinic.people.models import Patient, Session
from polyclinic.tokens.models import RefreshFamily

ACTOR: Final = SystemActor("operator", via="cli")
_PATIENT: Final = ring.patient(UUID(int=0)).partition(":")[0] + ":"


@dataclass
class Settled:
    """What was done, and what does not hold."""

    rows: int = 0
    sessions: int = 0
    erased: int = 0
    entries: int = 0
    findings: list[Finding] = field(default_factory=list)


def settle(name: str, made_at: datetime, database: dict[str, Any]) -> Settled:
    """On the database as it was brought back. Raises Damaged when its audit is not the one of the backup."""
    found = Settled(rows=sum(database["tables"].values()))
    heads = {str(lane): list(head) for lane, head in chain.heads().items()}
    if heads != database["heads"]:
        raise Damaged(f"the audit of backup {name} does not end where its list of contents says")
    # Of an older version: brought up to this one, whose models are asked from here on.
    if connection.in_atomic_block:
        load.run("SET CONSTRAINTS ALL IMMEDIATE")
    call_command("migrate", interactive=False, verbosity=0)
    found.entries = sum(seq for seq, _digest in database["heads"].values())
    found.findings = [
        Finding(f"chain {broken.lane}, entry {broken.seq}: {broken.why}", "it did not hold when the backup was made")
        for broken in chain.verify()
    ]
    with transaction.atomic():
        found.sessions = Session.objects.all().delete()[0]
        RefreshFamily.objects.filter(revoked_at__isnull=True).update(revoked_at=clock.now(), why="restored")
        found.erased = _erase_again()
        chain.append(
            actor=ACTOR, action="backup.restore", subject_kind="backup", subject_id=name,
            reason=f"as it was at {made_at:%Y-%m-%dT%H:%M:%SZ}",
        )  # fmt: skip
    return found


def sign(name: str, made_at: datetime) -> None:
    """Checkpoints begin anew from this database, and say why."""
    checkpoints.take(restart=f"backup {name} of {made_at:%Y-%m-%dT%H:%M:%SZ} was restored")


def _erase_again() -> int:
    """The vault's marks of destroyed keys are later than the rows: particulars that are back in clear go once more."""
    done = 0
    # A hold or a payment that stood against it then was out of the way when they were erased.
    guards, erasing.guards[:] = erasing.guards[:], []
    try:
        for owner in keeping.erased():
            if not owner.startswith(_PATIENT):
                continue
            row = Patient.objects.filter(pk=UUID(owner[len(_PATIENT) :])).exclude(family_name=erasing.ERASED).first()
            if row is None:
                continue
            colleague = row.account_id is not None and Membership.objects.filter(account_id=row.account_id).exists()
            try:
                erasing.shred_patient(
                    actor=ACTOR,
                    patient_id=row.pk,
                    keep_account=colleague,
                    reason="erased before; a backup was restored",
                )
            except Problem as problem:
                raise Damaged(f"a patient who was erased cannot be erased again: {problem.sentence}") from None
            done += 1
    finally:
        erasing.guards[:] = guards
    return done


def verify() -> list[Finding]:
    """Everything there is to check about the audit, after all of it."""
    return list(proof.verify())
