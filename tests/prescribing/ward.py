"""A visit before the doctor: what tests of prescribing begin with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.prescribing import actions
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.models import Prescription
from polyclinic.records import actions as records
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from tests.house import House


class Ward:
    """The house with the formulary and a checked visit of `patient`, whose doctor is `doctor`."""

    def __init__(self, house: House) -> None:
        seed.load()
        self.house = house
        self.main, self.checker, self.pharmacist = (
            house.person(house.staff[role]) for role in ("main_doctor", "checker_doctor", "pharmacist")
        )
        self.doctor = house.person(house.doctor)
        self.desk = house.person(house.receptionist)
        self.visit = self.arrive()

    def arrive(self, patient: Any = None) -> UUID:
        """Another visit that waits for the doctor."""
        made = visits.register(
            actor=self.desk, facility_id=self.house.facility.pk, patient_id=(patient or self.house.patient).pk,
            doctor_id=self.house.doctor.pk,
        )  # fmt: skip
        visits.paid(actor=self.desk, visit_id=made.pk)
        visits.check(actor=self.checker, visit_id=made.pk)
        return made.pk

    def no_allergies(self) -> None:
        records.no_known_allergies(actor=self.main, visit_id=self.visit)

    def allergic(self, substance: str) -> None:
        records.note_allergy(actor=self.main, visit_id=self.visit, substance=substance)

    def medicine(self, code: str) -> UUID:
        return Medicine.objects.values_list("pk", flat=True).get(code=code)

    def line(
        self, code: str = "amoxicillin-500-mg-capsule", dose: str = "1", frequency: str = "three", days: int | None = 7,
        **more: Any,
    ) -> Line:  # fmt: skip
        return Line(self.medicine(code), Decimal(dose), frequency, days, **more)

    def sign(self, *lines: Line, visit: UUID | None = None, **more: Any) -> Prescription:
        more.setdefault("actor", self.main)
        return actions.sign(visit_id=visit or self.visit, lines=lines or (self.line(),), **more)

    def state(self) -> str:
        return Visit.objects.values_list("state", flat=True).get(pk=self.visit)
