"""A pharmacy with shelves and prescriptions: what tests of it begin with."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from polyclinic.billing import prices
from polyclinic.core import clock
from polyclinic.core.actors import Person, SystemActor
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Membership
from polyclinic.medicines.models import Medicine
from polyclinic.pharmacy import actions, identity, keeping, stock
from polyclinic.pharmacy.actions import Handing
from polyclinic.pharmacy.identity import Said
from polyclinic.pharmacy.keeping import Came
from polyclinic.pharmacy.models import Batch, Dispense
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from tests.house import House, account

DEMO = SystemActor("demo")


def in_days(days: int) -> date:
    return clock.now().date() + timedelta(days=days)


def medicine(code: str = "amox500", **more: Any) -> Medicine:
    """A product of the formulary: amoxicillin 500 mg capsules unless said otherwise."""
    given = {
        "generic": "amoxicillin", "form": "capsule", "strength": "500 mg", "strength_value": Decimal(500),
        "strength_unit": "mg", "unit": "capsule", "dose_unit": "capsule", "doses_per_unit": Decimal(1),
        "route": "oral", "atc": "J01CA04", "price_code": code, **more,
    }  # fmt: skip
    return Medicine.objects.create(code=code, **given)


def stocked(
    facility_id: UUID, product: Medicine, quantity: int | str = 100, *, lot: str = "A1", days: int = 400
) -> Batch:
    """A batch on the shelf, put there by a movement as every batch is."""
    return stock.put(
        facility_id, product.pk, lot, in_days(days), int(Decimal(quantity) * 100), "receive", actor=DEMO
    )  # fmt: skip


class Shop:
    """The house with amoxicillin in the formulary, two pharmacists, a nurse and a head doctor."""

    def __init__(self, house: House) -> None:
        self.house, self.place = house, house.facility.pk
        self.main, self.pharmacist, self.nurse = (
            house.person(house.staff[role]) for role in ("main_doctor", "pharmacist", "nurse")
        )
        second = account("second.pharmacist@example.org", "Second Pharmacist")
        Membership.objects.create(account=second, facility=house.facility, role="pharmacist")
        self.second = house.person(second)
        self.boss = house.person(house.manager)
        self.amox = medicine()
        prices.set_price(
            actor=DEMO, facility_id=self.place, code="amox500", name="Amoxicillin 500 mg", kind="medicine",
            amount_minor=40,
        )  # fmt: skip

    def arrive(self, patient: Any = None) -> UUID:
        """A paid visit that a doctor has checked."""
        house = self.house
        made = visits.register(
            actor=DEMO, facility_id=self.place, patient_id=(patient or house.patient).pk, doctor_id=house.doctor.pk
        )
        visits.paid(actor=DEMO, visit_id=made.pk)
        visits.check(actor=DEMO, visit_id=made.pk)
        return made.pk

    def prescribe(
        self, *products: Medicine, quantity: int | str = 21, visit: UUID | None = None, allow: bool = True
    ) -> Prescription:
        """A signed prescription, a line for each product; the visit waits at the pharmacy."""
        lines = [
            Line(
                medicine_id=one.pk, dose=Decimal(1), frequency="three", days=7, quantity=Decimal(quantity),
                substitution_allowed=allow,
            )
            for one in products or (self.amox,)
        ]  # fmt: skip
        return prescribing.sign(actor=self.main, visit_id=visit or self.arrive(), lines=lines)

    def stock(self, product: Medicine | None = None, quantity: int | str = 100, **more: Any) -> Batch:
        return stocked(self.place, product or self.amox, quantity, **more)

    def lines(self, row: Prescription) -> list[PrescriptionLine]:
        return list(PrescriptionLine.objects.filter(prescription=row).order_by("place"))

    def said(self, patient: Any = None) -> Said:
        one = patient or self.house.patient
        return Said(name=f"{one.given_name} {one.family_name}", born=one.born)

    def identify(self, row: Prescription, actor: Person | None = None) -> UUID:
        patient = row.patient
        return identity.confirm(
            actor=actor or self.pharmacist, prescription_id=row.pk, said=self.said(patient)
        ).pk  # fmt: skip

    def give(self, row: Prescription, *quantities: int | str, actor: Person | None = None, **more: Any) -> Dispense:
        """Identify and hand over so many of each line, all of it without quantities."""
        lines = self.lines(row)
        amounts = [Decimal(one) for one in quantities] or [one.quantity - one.dispensed for one in lines]
        by = actor or self.pharmacist
        items = [Handing(one.pk, amount) for one, amount in zip(lines, amounts, strict=False) if amount]
        return actions.dispense(
            actor=by, prescription_id=row.pk, items=items, check_id=self.identify(row, by), **more
        )  # fmt: skip

    def left(self, product: Medicine | None = None) -> dict[str, Decimal]:
        """What each lot of a medicine has."""
        rows = Batch.objects.filter(facility_id=self.place, medicine=product or self.amox)
        return {row.lot: Decimal(row.hundredths) / 100 for row in rows}

    def visit(self, row: Prescription) -> Visit:
        return Visit.objects.get(pk=row.visit_id)

    def supplier(self) -> UUID:
        return keeping.add_supplier(actor=self.pharmacist, facility_id=self.place, name="Medi Wholesale").pk

    def receive(self, *lines: Came, reference: str = "") -> Any:
        return keeping.receive(
            actor=self.pharmacist, facility_id=self.place, supplier_id=self.supplier(),
            reference=reference or new_id().hex, lines=lines,
        )  # fmt: skip
