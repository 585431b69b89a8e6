"""A patient's record as somebody may see it who is not the patient: who they are, and their appointments."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from polyclinic.core import clock
from polyclinic.core.access import fields
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound
from polyclinic.people.models import Patient
from polyclinic.privacy import closing, restrictions
from polyclinic.records import sight
from polyclinic.scheduling import selectors
from polyclinic.scheduling.rows import AppointmentRow
from polyclinic.scheduling.sight import require_patient

MOST = 100


class Particulars(msgspec.Struct, frozen=True, rename="camel"):
    """Who a patient is, as staff read it. `name` is "SMITH, John". Withheld fields are absent."""

    id: UUID
    name: str
    mrn: str
    born: date
    sex: str
    phone: str
    email: str
    age: int | msgspec.UnsetType = msgspec.UNSET


class Record(msgspec.Struct, frozen=True, rename="camel"):
    """What of a record the viewer sees. `appointments` is None where those are not theirs to see.

    `open_until`: set when the viewer sees it by break-glass alone or as well; then it ends at this moment.
    `restricted_since`: by the patient's wish it is kept and not used, since this moment; `closed`: so that what is
    written in it is not the viewer's to see, which the rest of this page does not show either.
    """

    patient: Particulars
    appointments: tuple[AppointmentRow, ...] | None
    open_until: datetime | None
    restricted_since: datetime | None
    closed: bool


def record(viewer: Viewer, patient_id: UUID) -> Record:
    """The record of this patient. Raises NotFound alike for a stranger's and for one that does not exist."""
    # Also where they came without an appointment.
    subject = sight.patient(viewer, "patient.view", patient_id)
    row = Patient.objects.select_related("account").filter(pk=patient_id).first()
    if row is None:
        raise NotFound()
    who = Particulars(
        id=row.pk,
        name=str(row),
        mrn=row.mrn,
        born=row.born,
        sex=row.sex,
        phone=row.phone,
        email=row.account.email if row.account else "",
    )
    until = opened_until(viewer, patient_id)
    reads.opened(
        viewer, "patient", patient_id, patient_id=patient_id, facility_id=subject.facility_id,
        purpose="emergency" if until else "",
    )  # fmt: skip
    return Record(
        patient=fields.shown(viewer, "patient", subject, who),
        appointments=_appointments(viewer, patient_id),
        open_until=until,
        restricted_since=restrictions.since(viewer, patient_id),
        closed=closing.shuts_out(viewer, patient_id),
    )


def opened_until(viewer: Viewer, patient_id: UUID) -> datetime | None:
    """When this viewer's break-glass of this patient ends; None when there is none or it has ended."""
    if not isinstance(viewer, Person):
        return None
    now = clock.now()
    return max((ends for patient, ends in viewer.emergencies if patient == patient_id and now < ends), default=None)


def _appointments(viewer: Viewer, patient_id: UUID) -> tuple[AppointmentRow, ...] | None:
    """Newest first; None for whom the appointments are not shared with."""
    try:
        require_patient(viewer, "appointment.view", patient_id)
    except NotFound:
        return None
    return tuple(selectors.appointments(viewer, patient_id=patient_id, sort="-starts", limit=MOST).rows)
