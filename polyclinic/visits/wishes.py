"""What a desk asks for a visit, checked: the booking, department and doctor are of this place, the texts fit."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Actor
from polyclinic.core.errors import Conflict, Invalid, NotFound
from polyclinic.facilities.models import Department, Service
from polyclinic.people.models import Doctor, Patient
from polyclinic.scheduling.models import Appointment, Schedule
from polyclinic.visits import rules
from polyclinic.visits.models import Visit
from polyclinic.visits.words import Priority


def booking_of(actor: Actor, appointment_id: UUID | None, patient_id: UUID, facility_id: UUID) -> Appointment | None:
    """The booking this visit is for: this patient's, here, not used for a visit before."""
    if appointment_id is None:
        return None
    row = Appointment.objects.filter(pk=appointment_id, patient_id=patient_id, facility_id=facility_id).first()
    if row is None:
        raise NotFound(field="appointmentId")
    if Visit.objects.filter(appointment_id=row.pk).exists():
        raise Conflict(_("There is a visit for this appointment already."), code="visit_exists", field="appointmentId")
    return row


def department_of(facility_id: UUID, department_id: UUID | None, booking: Appointment | None) -> Department | None:
    if department_id is None and booking is not None:
        department_id = Schedule.objects.values_list("department_id", flat=True).get(pk=booking.schedule_id)
    if department_id is None:
        return None
    found = Department.objects.filter(pk=department_id, facility_id=facility_id).first()
    if found is None:
        raise NotFound(field="departmentId")
    return found


def service_of(service_id: UUID | None) -> Service | None:
    if service_id is None:
        return None
    found = Service.objects.filter(pk=service_id).first()
    if found is None:
        raise NotFound(field="serviceId")
    return found


def doctor_of(facility_id: UUID, doctor_id: UUID | None) -> UUID | None:
    """A doctor who sees patients here."""
    if doctor_id is None:
        return None
    if not Doctor.objects.filter(pk=doctor_id, schedules__facility_id=facility_id).exists():
        raise NotFound(field="doctorId")
    return doctor_id


def priority_of(asked: str, patient: Patient, booking: Appointment | None) -> str:
    if asked:
        if asked not in Priority.values:
            raise Invalid(_("Choose one of the listed values."), field="priority", possible=list(Priority.values))
        return asked
    return rules.first_priority(patient.born, booking.starts if booking else None)


def text_of(text: str, longest: int, field: str) -> str:
    text = text.strip()
    if len(text) > longest:
        raise Invalid(_("This text is longer than can be stored."), code="too_long", field=field, maxLength=longest)
    return text


def reason_of(reason: str) -> str:
    reason = text_of(reason, 200, "reason")
    if not reason:
        raise Invalid(_("Say why."), code="required", field="reason")
    return reason
