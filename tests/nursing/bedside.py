"""A patient in bed A1 of the small hospital, with a nurse of each shift, a head doctor, and the formulary."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from polyclinic.facilities.models import Membership
from polyclinic.inpatient import actions as stays
from polyclinic.inpatient.models import BedStay
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.nursing import medicines
from polyclinic.nursing.medicines import Wanted
from polyclinic.nursing.models import MedicineOrder
from tests.house import House, account
from tests.inpatient.wing import Wing

CALM = {"respiration": "16", "spo2": "97", "systolic": "120", "diastolic": "80", "pulse": "70", "temperature": "36.8"}
AIR: dict[str, Any] = {"oxygen": False, "consciousness": "A"}


class Bedside:
    def __init__(self, house: House) -> None:
        self.house, self.wing = house, Wing(house)
        if not Medicine.objects.exists():
            seed.load()
        self.nurse, self.head, self.patient = self.wing.nurse, self.wing.head, house.patient
        late = account("late@example.org", "Late Shift")
        Membership.objects.create(account=late, facility=house.facility, role="nurse")
        self.late_account, self.late = late, house.person(late)
        self.stay = self.wing.put("A1", reason="Pneumonia")

    def second(self) -> BedStay:
        """Another patient in A2."""
        stay = self.wing.ask(self.house.other_patient)
        return stays.admit(
            actor=self.nurse, stay_id=stay.pk, bed_id=self.wing.beds["A2"].pk, despite="The house is full"
        )

    def medicine(self, code: str = "amoxicillin-500-mg-capsule") -> UUID:
        return Medicine.objects.values_list("pk", flat=True).get(code=code)

    def wanted(self, code: str = "amoxicillin-500-mg-capsule", **more: Any) -> Wanted:
        return Wanted(self.medicine(code), **{"dose": Decimal(1), "frequency": "once", **more})

    def order(self, code: str = "amoxicillin-500-mg-capsule", **more: Any) -> MedicineOrder:
        return medicines.order(actor=self.head, stay_id=self.stay.pk, wanted=self.wanted(code, **more))

    @property
    def two(self) -> dict[str, Any]:
        """Two identifiers of the patient."""
        return {"wristband": self.patient.mrn, "born": self.patient.born.isoformat()}
