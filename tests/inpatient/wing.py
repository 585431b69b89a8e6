"""A wing of the small hospital: a general ward with three beds, one bed for intensive care, and who works there."""

from __future__ import annotations

from typing import Any

from polyclinic.core.actors import Person, SystemActor
from polyclinic.inpatient import actions, beds, wards
from polyclinic.inpatient.models import Bed, BedStay
from polyclinic.people.models import Patient
from polyclinic.visits import known
from tests.house import House

DEMO = SystemActor("demo")


class Wing:
    """`free` beds A1, A2 and A3 in one room of a ward where rooms have one sex, and I1, which has everything."""

    def __init__(self, house: House) -> None:
        self.house = house
        boss = house.person(house.manager)
        given: dict[str, Any] = {"actor": boss, "facility_id": house.facility.pk}
        self.ward = wards.add_ward(**given, name="Ward A", kind="general", sex="room")
        self.intensive = wards.add_ward(**given, name="Ward I", kind="intensive")
        self.beds = {
            name: wards.add_bed(actor=boss, ward_id=self.ward.pk, name=name, room="Room 1", oxygen=name == "A3")
            for name in ("A1", "A2", "A3")
        }
        self.beds["I1"] = wards.add_bed(actor=boss, ward_id=self.intensive.pk, name="I1", isolation=True, oxygen=True)
        for one in (house.patient, house.other_patient):
            known.remember(one.pk, house.facility.pk)
        self.nurse = self.staff("nurse")
        self.head = self.staff("main_doctor")

    def staff(self, role: str) -> Person:
        return self.house.person(self.house.staff[role])

    def bed(self, name: str) -> Bed:
        return Bed.objects.get(pk=self.beds[name].pk)

    def ask(self, patient: Patient | None = None, **more: Any) -> BedStay:
        who = patient or self.house.patient
        return actions.request(
            actor=self.nurse, facility_id=self.house.facility.pk, patient_id=who.pk, doctor_id=self.house.doctor.pk,
            **more,
        )  # fmt: skip

    def put(self, name: str, patient: Patient | None = None, **more: Any) -> BedStay:
        """Somebody lies in this bed."""
        stay = self.ask(patient, **more)
        return actions.admit(actor=self.nurse, stay_id=stay.pk, bed_id=self.beds[name].pk)

    def clean(self, name: str) -> None:
        beds.finish_cleaning(actor=self.nurse, bed_id=self.beds[name].pk)
