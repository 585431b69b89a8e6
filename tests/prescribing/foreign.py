"""What T15 needs of prescribing: the prescription that papers have signed, a draft, a star and a look at a result."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from polyclinic.medicines.models import Medicine
from polyclinic.prescribing import asked, checking, drafts, quick, reviews, selectors
from polyclinic.prescribing.bodies import Diagnosis, Line
from polyclinic.prescribing.models import Prescription, RefillRequest
from polyclinic.records import problems
from polyclinic.visits import selectors as visits
from tests.house import House


class Desk:
    """A draft of the side's doctor in the visit that the laboratory has worked for, and its secrets."""

    def __init__(self, _house: House, side: Any) -> None:
        doctor = next(one for one in side.people if one.doctor_id == side.doctor)
        self.visit, self.prescription = side.sheets.visit, side.sheets.prescription
        self.medicine = Medicine.objects.filter(generic="omeprazole").values_list("pk", flat=True)[0]
        begun = Diagnosis(f"Begun by {side.slug}")
        version = drafts.prepared(doctor, self.visit).version
        drafts.add_diagnosis(actor=doctor, visit_id=self.visit, diagnosis=begun, version=version)
        quick.star(actor=doctor, medicine_id=self.medicine, starred=True)
        reviews.mark(actor=doctor, visit_id=self.visit, numbers={side.tubes.test: 1})
        self.test = side.tubes.test
        self.refill = self._asked(side)
        self.secret = {begun.text, str(self.prescription), str(self.refill)}

    def _asked(self, side: Any) -> Any:
        """A request for a repeat of that prescription, as if it had been picked up and might be repeated."""
        first = Prescription.objects.get(pk=self.prescription)
        return RefillRequest.objects.create(
            prescription=first, patient_id=first.patient_id, facility_id=first.facility_id, doctor_id=side.doctor,
            state="asked", answered_by=f"Asked at {side.slug}",
        ).pk  # fmt: skip


def _line(side: Any) -> list[Line]:
    return [Line(side.desk.medicine, Decimal(1), "daily", 7)]


def _seen(viewer: Any, side: Any) -> list[Any]:
    found = reviews.of_visit(viewer, side.desk.visit)
    return [[key[0], key[1], one.name] for key, one in found.items()]


CLOSED: dict[str, Any] = {
    "prescribing.selectors.prescription": lambda v, s: selectors.prescription(v, s.desk.prescription),
    "prescribing.selectors.waiting": lambda v, s: selectors.waiting(v, s.facility),
    "prescribing.selectors.copied": lambda v, s: selectors.copied(v, s.patient),
    "prescribing.asked.request": lambda v, s: asked.request(v, s.desk.refill),
    "prescribing.asked.what": lambda v, s: [len(asked.what(v, s.desk.refill))],
    "prescribing.asked.against": lambda v, s: [len(asked.against(v, s.desk.refill))],
    "prescribing.asked.copied": lambda v, s: asked.copied(v, s.patient),
    "prescribing.drafts.prepared": lambda v, s: drafts.prepared(v, s.desk.visit),
    "prescribing.checking.of_lines": lambda v, s: [one.says for one in checking.of_lines(v, s.desk.visit, _line(s))],
    "prescribing.reviews.of_visit": _seen,
}
FILTERED: dict[str, Any] = {
    "prescribing.asked.waiting": lambda v, _s: asked.waiting(v),
    "prescribing.asked.number": lambda v, _s: asked.number(v),
    "prescribing.asked.repeats_of": lambda v, s: asked.repeats_of(v, s.patient),
    "prescribing.selectors.of_visit": lambda v, s: selectors.of_visit(v, s.desk.visit),
    "prescribing.selectors.of_patient": lambda v, s: selectors.of_patient(v, s.patient),
    "prescribing.quick.starred": lambda v, s: sorted(map(str, quick.starred(v))),
    "prescribing.quick.at_hand": lambda v, s: quick.at_hand(v),
    "records.problems.of_patient": lambda v, s: problems.of_patient(v, s.patient, but=s.desk.prescription),
    "visits.selectors.treated": lambda v, s: visits.treated(v),
}
# Warnings name medicines and rules, and nobody.
BARE = {"prescribing.checking.of_lines", "prescribing.asked.what", "prescribing.asked.against"}
