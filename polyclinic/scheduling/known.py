"""Whom an actor may book for, and how a first booking makes a patient known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import Asked, CompiledQuery, InsertStatement
from polyclinic.core.errors import Forbidden, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.core.outbox import log
from polyclinic.people.models import Patient, PatientPlace
from polyclinic.scheduling.events import PatientAttached
from polyclinic.scheduling.frames import Frame
from polyclinic.scheduling.models import Appointment, CareLink

_insert_link = InsertStatement(CareLink, "doctor", "patient", "since")
_link = CompiledQuery(
    lambda doctor, patient: CareLink.objects.filter(doctor_id=doctor, patient_id=patient).values_list("pk"),
    new_id(),
    new_id(),
)
_came_to = CompiledQuery(
    lambda place, patient: Appointment.objects.filter(facility_id=place, patient_id=patient).values_list("pk")[:1],
    new_id(),
    new_id(),
)
_patient = CompiledQuery(lambda pk: Patient.objects.filter(pk=pk).values_list("pk"), new_id())


def require_bookable(actor: Actor, patient_id: UUID, frame: Frame) -> None:
    """Whom this actor may book for: oneself; a doctor's or facility's known patient; someone new to every place.

    Anyone else is answered as missing, since an id alone must not bring up a stranger's name.
    """
    if not isinstance(actor, Person | SystemActor):
        raise Unauthenticated()
    if isinstance(actor, Person) and (actor.patient_id == patient_id or patient_id in actor.delegated):
        return
    desks = policy.places(actor, "appointment.book") if isinstance(actor, Person) else frozenset()
    if isinstance(actor, Person) and not (actor.doctor_id or desks):
        raise NotFound(field="patientId")
    if isinstance(actor, SystemActor):
        if not _patient.rows(patient_id):
            raise NotFound(field="patientId")
        return
    known = _known_to(actor, patient_id)
    subject = Subject(patient_id, frame.doctor_id, frame.facility_id)
    if not policy.allowed(actor, "appointment.book", subject):
        raise Forbidden() if known else NotFound(field="patientId")
    # Who is known is there; of anyone else it is asked whether they are.
    if known:
        return
    fresh = bool(_patient.rows(patient_id)) and not Appointment.objects.filter(patient_id=patient_id).exists()
    if not (fresh and frame.facility_id in desks):
        raise NotFound(field="patientId")


def _known_to(actor: Person, patient_id: UUID) -> bool:
    if actor.doctor_id and _link.rows(actor.doctor_id, patient_id):
        return True
    return any(_came_to.rows(place, patient_id) for place in policy.places(actor, "appointment.book"))


def asking(made: Appointment) -> Asked:
    """Whether the patient stands in the doctor's list, for who asks other things under the patient's lock as well."""
    return _link.asking(made.doctor_id, made.patient_id)


def attach(made: Appointment, linked: Sequence[Any] | None = None) -> None:
    """Put the patient in the doctor's list at the first booking. The patient's lock makes this first one sure.

    `linked`: the answer to `asking`, if it was asked under that lock.
    """
    if _link.rows(made.doctor_id, made.patient_id) if linked is None else linked:
        return
    _insert_link.run_later(made.doctor_id, made.patient_id, clock.now())
    # From now on the place knows the patient: its desk may find them.
    PatientPlace.objects.bulk_create(
        [PatientPlace(patient_id=made.patient_id, facility_id=made.facility_id)], ignore_conflicts=True
    )
    log.append(PatientAttached(doctor_id=made.doctor_id, patient_id=made.patient_id, appointment_id=made.pk))
