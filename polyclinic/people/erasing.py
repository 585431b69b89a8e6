"""Erasing a patient: the key that opens what was said about them is destroyed, and the row says only that it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor
from polyclinic.core.crypto import ring
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, NotFound
from polyclinic.people.models import Account, Doctor, Patient, PatientWord, PhoneTail, Session, Sex

ERASED: Final = "[erased]"


# What may still forbid it, asked inside the transaction: each raises the reason. Other apps add theirs at start.
guards: list[Callable[[UUID], None]] = []
# What ends with the record, done inside the transaction before the key goes, whoever erases and why.
endings: list[Callable[[UUID], None]] = []


class AlreadyErased(Conflict):
    """There is nothing left to erase."""

    code = "already_erased"
    sentence = _("This patient's record was erased before.")


@transactional
def shred_patient(
    *,
    actor: Actor,
    patient_id: UUID,
    facility_id: UUID | None = None,
    keep_account: bool = False,
    reason: str = "",
) -> None:
    """Destroy a patient's key and blank the particulars; appointments stay as times without a person or a reason.

    What was sealed is unreadable from then on, in every older copy of the database too. It cannot be undone. The
    account is closed and emptied, unless it also belongs to a doctor or `keep_account` says that it is a colleague's.
    For a privacy officer `facility_id` is where they hold that office; that the patient is known there is the caller's
    to check. `reason` goes to the audit trail and must name nobody. Raises Forbidden, NotFound, AlreadyErased, or what
    one of the `guards` raises, such as that a court wants it kept.
    """
    subject = Subject(patient_id=patient_id, facility_id=facility_id)
    policy.require(actor, "patient.shred", subject)
    row = Patient.objects.select_for_update(of=("self",)).filter(pk=patient_id).first()
    if row is None:
        raise NotFound()
    if row.family_name == ERASED:
        raise AlreadyErased()
    for guard in guards:
        guard(patient_id)
    for ending in endings:
        ending(patient_id)
    if row.account_id and not keep_account and not Doctor.objects.filter(account_id=row.account_id).exists():
        _close(row.account_id)
    blank: dict[str, object] = {
        "family_name": ERASED, "given_name": "–", "born": date(row.born.year, 1, 1), "sex": Sex.UNKNOWN,
        "phone": "", "phone_index": "", "account": None,
    }  # fmt: skip
    # The audit keeps the reason in clear: sealed, it would go with the key.
    detail: dict[str, object] = {"reason": reason} if reason else {}
    ledger.change(
        row, blank, permission="patient.shred", subject=subject, actor=actor, action="patient.shred", detail=detail
    )
    # What searching knew of them goes at once and not when the index follows.
    PatientWord.objects.filter(patient_id=patient_id).delete()
    PhoneTail.objects.filter(patient_id=patient_id).delete()
    # Last, still inside: if the vault cannot do it, nothing is said to have been erased. If the commit fails after it,
    # the particulars are still there to be blanked, and asking again does so.
    ring.ring.shred(ring.patient(patient_id))


def _close(account_id: UUID) -> None:
    """Nobody signs in with it again, and it names nobody."""
    account = Account.objects.get(pk=account_id)
    account.set_unusable_password()
    Account.objects.filter(pk=account_id).update(
        is_active=False, name=ERASED, email=f"erased-{account_id.hex}@invalid.invalid", password=account.password
    )
    Session.objects.filter(account_id=account_id).delete()
    # Browsers, networks and addresses it was used with.
    account.devices.all().delete()
    account.networks.all().delete()
    account.email_checks.all().delete()
