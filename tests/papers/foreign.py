"""What T15 needs of papers: a sick note, a referral and a printed sheet of one side's patient."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.papers import choices, drafts, letters, printing, selectors, sources
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.models import Prescription
from polyclinic.visits.models import Visit
from tests.house import House

_DEMO = SystemActor("demo")


class Sheets:
    """Letters in the visit that the laboratory has worked for, one of them printed and one begun, and the secrets."""

    def __init__(self, house: House, side: Any) -> None:
        visit = Visit.objects.get(pk=side.tubes.visit)
        Visit.objects.filter(pk=visit.pk).update(main_doctor_id=side.doctor)
        doctor = next(one for one in side.people if one.doctor_id == side.doctor)
        day = visit.day.isoformat()
        note = letters.issue_sick_note(
            actor=doctor, visit_id=visit.pk,
            fields={"unfit": "work", "first": day, "last": day, "remark": f"Remark at {side.slug}"},
        )  # fmt: skip
        referral = letters.issue_referral(
            actor=doctor, visit_id=visit.pk,
            fields={"to": f"Heart at {side.slug}", "question": "Murmur?", "urgency": "routine"},
        )  # fmt: skip
        draft = {"question": f"Begun at {side.slug}"}
        drafts.keep(actor=doctor, visit_id=visit.pk, kind="referral", fields=draft, version=0)
        paper = printing.print_(actor=_DEMO, kind="sick-note", subject_id=note.pk).paper_id
        self.prescription = _prescription(doctor, visit)
        self.visit, self.note, self.referral = visit.pk, note.pk, referral.pk
        self.secret = {str(one) for one in (visit.pk, note.pk, referral.pk, paper, self.prescription)}
        self.secret |= {f"Remark at {side.slug}", f"Heart at {side.slug}", f"Begun at {side.slug}"}


def _prescription(doctor: Any, visit: Visit) -> Any:
    """The visit's prescription; one is signed when there is none yet."""
    found = Prescription.objects.filter(visit=visit).first()
    if found is None:
        seed.load()
        medicine = Medicine.objects.filter(generic="paracetamol", form="tablet").order_by("code")[0]
        line = Line(medicine.pk, Decimal(1), frequency="three", days=5)
        found = prescribing.sign(actor=doctor, visit_id=visit.pk, lines=[line])
    return found.pk


CLOSED: dict[str, Any] = {
    "papers.selectors.sick_note": lambda v, s: selectors.sick_note(v, s.sheets.note),
    "papers.selectors.referral": lambda v, s: selectors.referral(v, s.sheets.referral),
    "papers.selectors.sick_notes": lambda v, s: selectors.sick_notes(v, s.patient),
    "papers.selectors.referrals": lambda v, s: selectors.referrals(v, s.patient),
    "papers.selectors.papers": lambda v, s: selectors.papers(v, s.patient),
    "papers.selectors.draft": lambda v, s: selectors.draft(v, s.sheets.visit, "referral"),
    "papers.choices.of_visit": lambda v, s: choices.of_visit(v, s.sheets.visit),
    "papers.choices.of_patient": lambda v, s: choices.of_patient(v, s.patient),
    "papers.sources.find": lambda v, s: _said(sources.find(v, "sick-note", s.sheets.note)),
    "papers.sources.bills.invoice": lambda v, s: _said(sources.bills.invoice(v, s.invoice)),
    "papers.sources.bills.receipt": lambda v, s: _said(sources.bills.receipt(v, s.paid.pk)),
    "papers.sources.laboratory.report": lambda v, s: _said(sources.laboratory.report(v, s.tubes.order)),
    "papers.sources.letters.sick_note": lambda v, s: _said(sources.letters.sick_note(v, s.sheets.note)),
    "papers.sources.letters.referral": lambda v, s: _said(sources.letters.referral(v, s.sheets.referral)),
    "papers.sources.summaries.summary": lambda v, s: _said(sources.summaries.summary(v, s.sheets.visit)),
    "papers.sources.prescriptions.prescription": lambda v, s: _said(
        sources.prescriptions.prescription(v, s.sheets.prescription)
    ),
}
FILTERED: dict[str, Any] = {
    "papers.selectors.letters_of_visit": lambda v, s: selectors.letters_of_visit(v, s.sheets.visit),
}


def _said(source: Any) -> list[Any]:
    """What would stand on the paper, with whose it is."""
    return [source.subject_id, source.patient_id, source.draw()]
