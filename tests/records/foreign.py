"""What T15 needs of the record: a visit of one side's patient with everything written in it, and its readers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from polyclinic.core.actors import Person, SystemActor
from polyclinic.records import actions, course, drafts, notes, selectors
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit

_DEMO = SystemActor("demo")


class Chart:
    """A visit to this doctor, and what would give it away wherever it stood in an answer."""

    def __init__(self, doctor: Person, patient_id: UUID, facility_id: UUID, slug: str) -> None:
        made = Visit.objects.filter(patient_id=patient_id, closed_at__isnull=True).first()
        if made is None:
            made = visits.register(
                actor=_DEMO, facility_id=facility_id, patient_id=patient_id, doctor_id=doctor.doctor_id
            )
        elif made.main_doctor_id is None:
            made = visits.transfer(actor=_DEMO, visit_id=made.pk, doctor_id=doctor.doctor_id)
        self.visit = made.pk
        given: dict[str, Any] = {"actor": doctor, "visit_id": made.pk}
        actions.record_vitals(**given, values={"pulse": "80"})
        actions.note_allergy(**given, substance=f"Pollen of {slug}")
        actions.note_condition(**given, text=f"Sprain of {slug}")
        notes.save(**given, kind="exam", fields={"lungs": f"Lungs of {slug}"}, version=0)
        drafts.keep(**given, kind="plan", fields={"plan": f"Plan of {slug}"}, base=0, version=0)
        self.secret = {str(made.pk), *(f"{one} of {slug}" for one in ("Pollen", "Sprain", "Lungs", "Plan"))}


CLOSED: dict[str, Any] = {
    "records.selectors.vital_sets": lambda v, s: selectors.vital_sets(v, s.chart.visit),
    "records.selectors.allergies": lambda v, s: selectors.allergies(v, s.patient),
    "records.selectors.allergies_at": lambda v, s: selectors.allergies_at(v, s.chart.visit),
    "records.selectors.conditions": lambda v, s: selectors.conditions(v, s.chart.visit),
    "records.selectors.notes": lambda v, s: selectors.notes(v, s.chart.visit),
    "records.selectors.note": lambda v, s: selectors.note(v, s.chart.visit, "exam"),
    "records.selectors.note_versions": lambda v, s: selectors.note_versions(v, s.chart.visit, "exam"),
    "records.course.course": lambda v, s: course.course(v, s.patient),
    "records.course.whole": lambda v, s: course.whole(v, s.patient),
    "records.selectors.drafts": lambda v, s: selectors.drafts(v, s.chart.visit),
}
FILTERED: dict[str, Any] = {
    "records.selectors.latest_scores": lambda v, s: selectors.latest_scores(v, [s.chart.visit]),
}
