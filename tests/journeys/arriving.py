"""For the scripts that journeys run beside their server: the house of a file is shared by the journeys in it."""

from __future__ import annotations

from uuid import UUID

from polyclinic.core.actors import SystemActor
from polyclinic.visits import actions
from polyclinic.visits.models import Visit


def arrive(patient: str, facility: str, doctor: str) -> Visit:
    """A new visit of the patient, whom an earlier journey may have left in the house: nobody is there twice."""
    demo = SystemActor("demo")
    for one in Visit.objects.filter(patient_id=patient, facility_id=facility, closed_at__isnull=True):
        actions.leave(actor=demo, visit_id=one.pk, reason="Went home")
    return actions.register(actor=demo, facility_id=UUID(facility), patient_id=UUID(patient), doctor_id=UUID(doctor))
