"""Reading people. What the viewer may not see is answered like what does not exist."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from polyclinic.core.access import fields, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound
from polyclinic.people.models import Patient


class PatientRecord(msgspec.Struct, frozen=True, rename="camel"):
    """A patient's own particulars, as the patient sees them."""

    id: UUID
    mrn: str
    family_name: str
    given_name: str
    born: date
    sex: str
    phone: str
    email: str
    version: int
    # In place of a date of birth that the viewer is not shown (`core.access.fields`).
    age: int | msgspec.UnsetType = msgspec.UNSET


def patient(viewer: Viewer, patient_id: UUID) -> PatientRecord:
    """One patient's particulars, for that patient, a carer, and whom consent or break-glass lets in.

    Raises NotFound for anyone else: whom a doctor treats is known to scheduling, which has its own selectors.
    """
    policy.require_sight(viewer, "patient.view", Subject(patient_id=patient_id))
    row = Patient.objects.select_related("account").filter(pk=patient_id).first()
    if row is None:
        raise NotFound()
    reads.opened(viewer, "patient", row.pk, patient_id=row.pk)
    record = PatientRecord(
        id=row.pk,
        mrn=row.mrn,
        family_name=row.family_name,
        given_name=row.given_name,
        born=row.born,
        sex=row.sex,
        phone=row.phone,
        email=row.account.email if row.account else "",
        version=row.version,
    )
    return fields.shown(viewer, "patient", Subject(patient_id=patient_id), record)
