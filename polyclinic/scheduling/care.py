"""Who treats a patient: the doctors in whose lists they stand."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from polyclinic.consent.models import EmergencyAccess
from polyclinic.consent.states import OPEN
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.scheduling.models import Appointment, CareLink


class CareRow(msgspec.Struct, frozen=True, rename="camel"):
    """A doctor who treats the patient, since the first booking."""

    doctor_id: UUID
    doctor_name: str
    specialty: str
    since: datetime


def doctors_of_patient(viewer: Viewer, patient_id: UUID) -> list[CareRow]:
    """The doctors in whose lists the patient stands, by name: for the patient and who decides for them.

    Raises NotFound for anyone else.
    """
    policy.require_sight(viewer, "consent.edit", Subject(patient_id=patient_id))
    links = CareLink.objects.filter(patient_id=patient_id, doctor__account__is_active=True).select_related("doctor")
    found = [
        CareRow(link.doctor_id, str(link.doctor), link.doctor.specialty, link.since)
        for link in links.order_by("doctor__family_name", "doctor__given_name", "pk")
    ]
    reads.listed(viewer, "carelink", patient_id, [(patient_id, None)] if found else [])
    return found


def whereabouts(person: Person, patients: Collection[UUID]) -> dict[UUID, UUID]:
    """At which of the person's places each of these patients is seen by them, for the audit of what they look at.

    Where a record was opened by break-glass; else where the two of them meet, the latest; else where the patient
    comes. A patient who comes to none of the places is left out.
    """
    places = {grant.facility_id for grant in person.grants if grant.facility_id} | person.workplaces
    comes = Appointment.objects.filter(patient_id__in=patients, facility_id__in=places).order_by("starts")
    found: dict[UUID, UUID] = {}
    met: dict[UUID, UUID] = {}
    for patient, doctor, place in comes.values_list("patient_id", "doctor_id", "facility_id"):
        found[patient] = place
        if doctor == person.doctor_id:
            met[patient] = place
    found |= met
    if person.emergencies:
        opened = EmergencyAccess.objects.filter(account_id=person.account_id, patient_id__in=patients, state=OPEN)
        found |= dict(opened.values_list("patient_id", "facility_id"))
    return found
