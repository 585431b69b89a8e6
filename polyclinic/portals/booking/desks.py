"""Who books for whom: the doctor for their own patients, the desk for those whom its hospital knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from polyclinic.core.access import policy
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import parse_id
from polyclinic.portals.common import allergies_of, person_of
from polyclinic.portals.doctor.day import nav
from polyclinic.portals.reception.desk import frame, place_of
from polyclinic.scheduling import selectors
from polyclinic.scheduling.rows import ScheduleView
from polyclinic.visits import choices


@dataclass(frozen=True, slots=True)
class Desk:
    """From where it is booked: the patient, whose time may be given, and what the page's frame needs."""

    patient_id: UUID
    who: Any
    schedules: list[ScheduleView]
    back: str
    base: str
    context: dict[str, Any]

    @property
    def address(self) -> str:
        return f"/bookings/{self.patient_id}"


def id_of(text: str) -> UUID:
    """The id in an address. A malformed one is answered like a missing thing."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    return found


def desk_of(request: HttpRequest, patient_id: str) -> Desk:
    """The doctor's own desk for a patient of theirs, else the front desk's. Raises NotFound for anybody else."""
    person, patient = person_of(request), id_of(patient_id)
    if person.doctor_id is not None:
        who = selectors.patient_of_doctor(person, patient)
        own = selectors.schedules_of_doctor(person, person.doctor_id)
        context = {"nav": nav(request, "patients"), "allergies": allergies_of(request, patient)}
        return Desk(patient, who, list(own), f"/doctor/patients/{patient}", "doctor/base.html", context)
    if not policy.places(person, "appointment.book"):
        raise NotFound()
    place = place_of(request)
    found = choices.patient(person, place.id, patient)
    context = {**frame(request, "find", place), "allergies": allergies_of(request, patient)}
    there = selectors.schedules_of_facility(person, place.id)
    return Desk(patient, found, there, f"/reception?place={place.id}", "reception/base.html", context)
