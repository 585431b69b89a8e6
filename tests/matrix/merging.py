"""What the matrix needs of merging: somebody like `patient`, and two records that are merged already."""

from __future__ import annotations

from datetime import date
from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.people import merge
from polyclinic.people.models import Patient, PatientPlace
from tests.house import House


def _known(house: House, number: int, family: str) -> Patient:
    made = Patient.objects.create(
        mrn=f"MRN{number:07d}", family_name=family, given_name="Tove", born=date(1971, 3, 2), sex="female"
    )
    PatientPlace.objects.create(patient=made, facility_id=house.facility.pk)
    return made


def parts(house: House) -> dict[str, str]:
    """Made once, after the visit that makes `patient` known at the desk."""
    one, other, twin = (_known(house, 8801 + place, name) for place, name in enumerate(("Berg", "Bergh", "Dahl")))
    done = merge.merge(
        actor=SystemActor("demo"), facility_id=house.facility.pk, patient_id=one.pk, gone_id=other.pk, reason="Same"
    )
    return {"other_id": str(twin.pk), "merge_id": str(done.pk)}


def forms(_house: House) -> dict[str, Any]:
    """What a form on a page sends."""
    return {
        "POST /reception/merge/<str:patient_id>/<str:other_id>": {"reason": "Same passport seen"},
        "POST /reception/merged/<str:merge_id>/undo": {"reason": "Two sisters"},
    }
