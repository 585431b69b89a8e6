"""What the matrix needs of the first check: `patient`'s visit with signs, an allergy, a diagnosis and a note."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.records import actions, notes
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from tests.house import House

_DEMO = SystemActor("demo")


def parts(house: House) -> dict[str, str]:
    """Parts of addresses; the visit is the one that is open, or a new one that has paid."""
    visit = Visit.objects.filter(patient=house.patient, closed_at__isnull=True).first()
    if visit is None:
        made = visits.register(actor=_DEMO, facility_id=house.facility.pk, patient_id=house.patient.pk)
        visit = visits.paid(actor=_DEMO, visit_id=made.pk)
    given: dict[str, Any] = {"actor": _DEMO, "visit_id": visit.pk}
    signs = actions.record_vitals(**given, values={"pulse": "80"})
    allergy = actions.note_allergy(**given, substance="Latex")
    diagnosis = actions.note_condition(**given, text="Sprained ankle", code="S93.4")
    notes.save(**given, kind="complaint", fields={"complaint": "A fall"}, version=0)
    return {
        "visit_id": str(visit.pk), "visitId": str(visit.pk), "vitals_id": str(signs.pk), "vitalsId": str(signs.pk),
        "allergy_id": str(allergy.pk), "allergyId": str(allergy.pk), "conditionId": str(diagnosis.pk),
        "note_kind": "complaint", "noteKind": "complaint",
    }  # fmt: skip


def bodies() -> dict[str, Callable[[], dict[str, Any]]]:
    return {
        "POST /api/visits/<visitId>/vitals": lambda: {"values": {"pulse": "82"}},
        "POST /api/visits/<visitId>/allergies": lambda: {"substance": "Nuts"},
        "POST /api/visits/<visitId>/conditions": lambda: {"text": "Bruise"},
        "PUT /api/visits/<visitId>/notes/<noteKind>": lambda: {"fields": {"complaint": "A bad fall"}, "version": 1},
    }


def forms() -> dict[str, dict[str, str]]:
    """What the pages' forms send."""
    visit = "/checker/visits/<str:visit_id>"
    return {
        f"POST {visit}/vitals": {"pulse": "82"},
        f"POST {visit}/vitals/<str:vitals_id>/withdraw": {"reason": "Another patient's"},
        f"POST {visit}/allergies": {"substance": "Nuts"},
        f"POST {visit}/allergies/<str:allergy_id>/remove": {"reason": "Tested"},
        f"POST {visit}/notes/<str:note_kind>": {"complaint": "A bad fall", "version": "1"},
        f"POST {visit}/notes/<str:note_kind>/draft": {"complaint": "A b", "version": "1", "draft": "0"},
        f"POST {visit}/tests": {"codes": "tsh"},
    }
