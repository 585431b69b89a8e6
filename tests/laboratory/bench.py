"""A visit at the bench: what tests of the laboratory begin with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from polyclinic.core.actors import Person
from polyclinic.facilities.models import Membership
from polyclinic.laboratory import actions, entering
from polyclinic.laboratory.models import LabOrder, OrderedTest, Specimen
from polyclinic.visits import actions as visits
from tests.house import House, account


class Bench:
    """The house with a paid visit of `patient`, two technicians, a checker doctor and a head doctor."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.checker, self.main, self.tech = (
            house.person(house.staff[role]) for role in ("checker_doctor", "main_doctor", "lab_technician")
        )
        second = account("second.lab@example.org", "Second Technician")
        Membership.objects.create(account=second, facility=house.facility, role="lab_technician")
        self.second = house.person(second)
        self.desk = house.person(house.receptionist)
        self.visit = self.arrive()

    def arrive(self, patient: Any = None) -> UUID:
        """Another paid visit."""
        house = self.house
        made = visits.register(
            actor=self.desk, facility_id=house.facility.pk, patient_id=(patient or house.patient).pk,
            doctor_id=house.doctor.pk,
        )  # fmt: skip
        visits.paid(actor=self.desk, visit_id=made.pk)
        return made.pk

    def order(self, *codes: str, visit: UUID | None = None, **more: Any) -> LabOrder:
        return actions.order(actor=self.checker, visit_id=visit or self.visit, codes=codes, **more)

    def bring(self, order: LabOrder) -> None:
        """Collect and receive everything that is to be taken."""
        for one in Specimen.objects.filter(order=order, state="expected"):
            actions.collect(actor=self.tech, specimen_id=one.pk)
            actions.receive(actor=self.tech, specimen_id=one.pk)

    def ready(self, *codes: str, **more: Any) -> LabOrder:
        """An order whose specimens are in the laboratory."""
        order = self.order(*codes, **more)
        self.bring(order)
        return order

    def test(self, order: LabOrder, code: str) -> OrderedTest:
        return OrderedTest.objects.get(order=order, test=code)

    def enter(self, order: LabOrder, actor: Person | None = None, **values: str) -> None:
        ids = {self.test(order, code).pk: value for code, value in values.items()}
        entering.enter(actor=actor or self.tech, order_id=order.pk, values=ids)

    def verify(self, order: LabOrder, *codes: str, actor: Person | None = None) -> None:
        for code in codes:
            entering.verify(actor=actor or self.second, test_id=self.test(order, code).pk)

    def report(self, order: LabOrder, code: str) -> Any:
        """What the newest entry says."""
        from polyclinic.laboratory import reports
        from polyclinic.laboratory.models import Result

        row = self.test(order, code)
        return reports.open_(Result.objects.get(ordered_test=row, number=row.number).report)
