"""A visit with everything that can be printed: results, a diagnosis, a paid invoice, letters."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from pypdf import PdfReader

from polyclinic.billing.models import Invoice, Price
from polyclinic.core.actors import Person
from polyclinic.laboratory import entering
from polyclinic.laboratory.models import LabOrder
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.papers import letters, printing
from polyclinic.papers.models import Paper, Referral, SickNote
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.models import Prescription
from polyclinic.prescribing.repeats import NONE, Repeats
from polyclinic.visits import actions as visits
from polyclinic.visits.models import Visit
from tests.billing import desk as money
from tests.house import House
from tests.laboratory.bench import Bench


class Desk(Bench):
    """The laboratory's bench, with who prints."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.doctor, self.patient = house.person(house.doctor), house.person(house.patient)
        self.other, self.stranger = house.person(house.other_patient), house.person(house.stranger_receptionist)
        self.manager = house.person(house.manager)

    def see(self) -> UUID:
        """The first check is done: letters can be written."""
        visits.check(actor=self.checker, visit_id=self.visit)
        return self.visit

    def results(self, *codes: str, release: bool = True, **values: str) -> LabOrder:
        """An order with these results, verified and (usually) released."""
        order = self.ready(*values, *codes)
        self.enter(order, **values)
        self.verify(order, *values)
        if release:
            self.release(order, *values)
        return order

    def release(self, order: LabOrder, *codes: str) -> None:
        for code in codes:
            entering.release(actor=self.main, test_id=self.test(order, code).pk)

    def amend(self, order: LabOrder, code: str, value: str) -> None:
        """A result is corrected, verified and released again."""
        entering.amend(actor=self.tech, test_id=self.test(order, code).pk, value=value, reason="Repeated")
        self.verify(order, code)
        self.release(order, code)

    def invoice(self, *codes: str) -> Invoice:
        """An invoice of the patient with these lines."""
        if not Price.objects.exists():
            money.priced(self.house)
        return money.begun(self.house, *(codes or ("CONS",)))

    def sick_note(self, actor: Person | None = None, **more: str) -> SickNote:
        day = Visit.objects.get(pk=self.visit).day
        given = {"unfit": "work", "first": day.isoformat(), "last": (day + timedelta(days=4)).isoformat(), **more}
        return letters.issue_sick_note(actor=actor or self.main, visit_id=self.visit, fields=given)

    def referral(self, actor: Person | None = None, **more: str) -> Referral:
        given = {"to": "Cardiology, Hilltop Hospital", "urgency": "urgent", "question": "New murmur?", **more}
        return letters.issue_referral(actor=actor or self.main, visit_id=self.visit, fields=given)

    def print(self, kind: str, key: UUID, actor: Person | None = None, size: str = "a4") -> printing.Printed:
        return printing.print_(actor=actor or self.main, kind=kind, subject_id=key, size=size)

    def prescribe(self, note: str = "", repeats: Repeats = NONE) -> Prescription:
        """A prescription of the formulary's first tablet that fits, signed."""
        seed.load()
        medicine = Medicine.objects.filter(generic="paracetamol", form="tablet").order_by("code")[0]
        lines = [Line(medicine.pk, Decimal(1), frequency="three", days=5, note=note)]
        return prescribing.sign(actor=self.main, visit_id=self.visit, lines=lines, repeats=repeats)


def text_of(pdf: bytes) -> str:
    """All the words of a PDF, spaces made single."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def paper_of(printed: printing.Printed) -> Paper:
    return Paper.objects.get(pk=printed.paper_id)
