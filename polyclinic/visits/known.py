"""Which patients a facility knows: those who came or were booked there, and those registered there."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Actor, SystemActor
from polyclinic.core.errors import Conflict, NotFound
from polyclinic.people.models import PatientPlace
from polyclinic.scheduling.models import Appointment
from polyclinic.visits.models import Visit


def at(patient_id: UUID, facility_id: UUID) -> bool:
    """Whether the facility knows this patient."""
    return (
        PatientPlace.objects.filter(patient_id=patient_id, facility_id=facility_id).exists()
        or Appointment.objects.filter(patient_id=patient_id, facility_id=facility_id).exists()
    )


def require(actor: Actor, patient_id: UUID, facility_id: UUID) -> None:
    """Let pass for a patient whom the facility knows or nobody does yet; another's patient is answered as missing."""
    if isinstance(actor, SystemActor) or at(patient_id, facility_id):
        return
    elsewhere = (
        PatientPlace.objects.filter(patient_id=patient_id).exists()
        or Appointment.objects.filter(patient_id=patient_id).exists()
    )
    if elsewhere:
        raise NotFound(field="patientId")


def remember(patient_id: UUID, facility_id: UUID) -> None:
    """The facility knows this patient from now on."""
    PatientPlace.objects.bulk_create(
        [PatientPlace(patient_id=patient_id, facility_id=facility_id)], ignore_conflicts=True
    )


def from_bookings() -> int:
    """Make every facility know those who were ever booked there: after loading bookings in bulk. Returns how many."""
    known = set(PatientPlace.objects.values_list("patient_id", "facility_id"))
    came = set(Appointment.objects.values_list("patient_id", "facility_id").distinct())
    PatientPlace.objects.bulk_create(
        (PatientPlace(patient_id=patient, facility_id=place) for patient, place in sorted(came - known)),
        batch_size=500, ignore_conflicts=True,
    )  # fmt: skip
    return len(came - known)


def refuse_merging(_stays: UUID, gone: UUID) -> None:
    """A visit that goes on under the record that goes would be seen by nobody looking for the other one."""
    found = Visit.objects.filter(patient_id=gone, closed_at__isnull=True).first()
    if found is not None:
        raise Conflict(
            _("There is an open visit under the other record, with the token %(token)s. Finish it first.")
            % {"token": found.token},
            code="visit_open", token=found.token,
        )  # fmt: skip
