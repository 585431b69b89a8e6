"""What people write into the audit trail as a reason can be about someone's health: sealed with the patient's key.

The chain's digest covers the sealed text, so an entry still verifies when the patient's key is gone.
"""

from __future__ import annotations

from uuid import UUID

from polyclinic.core.crypto import ring, sealing
from polyclinic.core.crypto.problems import KeyErased

# An entry has no key of its own before it is written: what it is about and its revision stand in for it.
_PLACE = "core_auditentry.reason.{subject_id}:{action}:{revision}"


def seal(text: str, patient_id: UUID | None, subject_id: object, action: str, revision: int) -> str:
    """The reason as it is stored. One that is about no patient stays as it is; so does an empty one.

    Of a shredded patient nothing more can be said: the reason is then left out.
    """
    if not text or patient_id is None:
        return text
    place = _PLACE.format(subject_id=subject_id, action=action, revision=revision)
    try:
        return sealing.seal(ring.patient(patient_id), place, text)
    except KeyErased:
        return ""


def open_(stored: str, patient_id: UUID | None, subject_id: object, action: str, revision: int) -> str:
    """The reason as it was written; nothing when the patient's key was shredded. Raises Tampered or KeyMissing."""
    if patient_id is None or not sealing.key_of(stored):
        return stored  # about nobody, or from before reasons were sealed
    try:
        return sealing.open_(_PLACE.format(subject_id=subject_id, action=action, revision=revision), stored)
    except KeyErased:
        return ""
