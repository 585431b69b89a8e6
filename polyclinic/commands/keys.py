"""`polyclinic keys`: the master key, the data keys, and destroying a patient's."""

from __future__ import annotations

import argparse
from typing import Final

from django.db import DatabaseError

from polyclinic.commands.ending import fail
from polyclinic.core.actors import SystemActor
from polyclinic.core.crypto import rotation
from polyclinic.core.crypto.problems import CryptoError
from polyclinic.core.errors import Problem
from polyclinic.facilities.models import Membership
from polyclinic.people import erasing
from polyclinic.people.models import Patient

ACTOR: Final = SystemActor("operator")


def keys(given: argparse.Namespace) -> int:
    """Run one of the subcommands. Exit code 1 when it did not work, with what to do."""
    try:
        return {"status": status, "rotate": rotate, "rewrap": rewrap, "shred": shred}[given.what](given)
    except CryptoError as problem:
        fail(f"{problem}.")
    except DatabaseError as problem:
        fail(f"the database cannot be used: {str(problem).strip()}. Run `polyclinic migrate`, or check DATABASE_URL.")


def status(_given: argparse.Namespace) -> int:
    """Say what there is. Exit code 1 when a rotation was broken off."""
    found = rotation.status()
    print(f"Master key {found.master}, {found.roots} root key(s)")
    print(f"Data keys: {found.current:,} in use, {found.retired:,} older, {found.shredded:,} destroyed")
    if found.left_behind or found.roots > 1:
        print(f"A rotation was broken off; {found.left_behind:,} keys wait: run `polyclinic keys rewrap`")
        return 1
    return 0


def rotate(given: argparse.Namespace) -> int:
    """A new master key, or with --data-keys new data keys and every text sealed anew."""
    if given.data_keys:
        print(f"{rotation.rotate_data(print):,} texts sealed anew. Older data keys are kept for older backups.")
        return 0
    print(f"{rotation.rotate_master(print):,} data keys wrapped anew.")
    print("Back up the key file and the key vault now: older copies of the vault no longer open.")
    return 0


def rewrap(_given: argparse.Namespace) -> int:
    """End a rotation that was broken off, or follow one that was made in the key service."""
    print(f"{rotation.rewrap(print):,} data keys wrapped anew, {rotation.walk(print):,} texts sealed anew.")
    return 0


def shred(given: argparse.Namespace) -> int:
    """Erase a patient for good."""
    if not given.mrn or not given.reason:
        fail("name the patient's record number and --reason.")
    row = Patient.objects.filter(mrn=given.mrn).first()
    if row is None:
        fail(f"there is no patient {given.mrn}.")
    if not given.yes:
        fail(f"{given.mrn} would be erased for good, in every backup too. Say so with --yes.")
    colleague = row.account_id is not None and Membership.objects.filter(account_id=row.account_id).exists()
    try:
        erasing.shred_patient(actor=ACTOR, patient_id=row.pk, keep_account=colleague, reason=given.reason)
    except Problem as problem:
        fail(str(problem.sentence))
    print(f"{given.mrn} is erased: nothing sealed for this patient can be read again.")
    print("Older copies of the key vault still hold the key: destroy them, or run `polyclinic keys rotate`.")
    return 0
