"""What T15 needs of the ward's work: something of everything, written of the stay of one side's patient."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.medicines.models import Medicine
from polyclinic.nursing import actions, copies, handovers, medicines, paper, selectors, sheet, summaries
from polyclinic.nursing.models import MedicineOrder
from polyclinic.nursing.words import SBAR, SUMMARY
from polyclinic.records import links


def _wanted() -> medicines.Wanted:
    medicine = Medicine.objects.filter(generic="levothyroxine").values_list("pk", flat=True)[0]
    return medicines.Wanted(medicine, Decimal(1), "daily")


def write(side: Any) -> None:
    """A set of signs, a note, a medicine, a handover and a signed summary."""
    given: dict[str, Any] = {"actor": SystemActor("demo"), "stay_id": side.wards.stay}
    said = f"Why at {side.slug}"
    actions.observe(**given, values={"pulse": "72"})
    actions.note(**given, text=said, version=0)
    medicines.order(**given, wanted=_wanted())
    actions.hand_over(**given, parts=dict.fromkeys(SBAR, said))
    summaries.sign(**given, parts=dict.fromkeys(SUMMARY, said), version=0)
    links.make(actor=SystemActor("demo"), patient_id=side.patient, minutes=60)


def _order(side: Any) -> Any:
    return MedicineOrder.objects.filter(stay_id=side.wards.stay).values_list("pk", flat=True)[0]


CLOSED: dict[str, Any] = {
    "records.links.links": lambda v, s: links.links(v, s.patient),
    "nursing.copies.copied": lambda v, s: copies.copied(v, s.patient),
    "nursing.handovers.facts": lambda v, s: handovers.facts(v, s.wards.stay),
    "nursing.handovers.handovers": lambda v, s: handovers.handovers(v, s.wards.stay),
    "nursing.handovers.of_ward": lambda v, s: handovers.of_ward(v, s.facility, s.wards.ward),
    "nursing.medicines.previewed": lambda v, s: medicines.previewed(v, s.wards.stay, _wanted()),
    "nursing.paper.find": lambda v, s: [paper.find(v, s.wards.stay).subject_id],
    "nursing.selectors.course": lambda v, s: [row for row, _signs in selectors.course(v, s.patient)],
    "nursing.selectors.first_ward": lambda v, s: [selectors.first_ward(v, s.facility, [s.wards.ward])],
    "nursing.selectors.observations": lambda v, s: selectors.observations(v, s.wards.stay),
    "nursing.selectors.round_note": lambda v, s: selectors.round_note(v, s.wards.stay),
    "nursing.selectors.round_note_versions": lambda v, s: selectors.round_note_versions(v, s.wards.stay),
    "nursing.selectors.round_row": lambda v, s: selectors.round_row(v, s.wards.stay),
    "nursing.selectors.stay": lambda v, s: selectors.stay(v, s.wards.stay),
    "nursing.selectors.ward_round": lambda v, s: selectors.ward_round(v, s.facility, s.wards.ward),
    "nursing.selectors.without_summary": lambda v, s: selectors.without_summary(v, s.facility, s.wards.ward),
    "nursing.sheet.line": lambda v, s: sheet.line(v, _order(s))[1],
    "nursing.sheet.lines": lambda v, s: sheet.lines(v, s.wards.stay, clock.now().date()),
    "nursing.sheet.orders": lambda v, s: sheet.orders(v, s.wards.stay),
    "nursing.summaries.signed_of": lambda v, s: [row for _stay, row in summaries.signed_of(v, s.patient)],
    "nursing.summaries.summary": lambda v, s: summaries.summary(v, s.wards.stay),
}
FILTERED: dict[str, Any] = {"nursing.paper.of_patient": lambda v, s: paper.of_patient(v, s.patient)}
# Nobody has left; and what the checks say names no patient.
BARE = {"nursing.selectors.without_summary", "nursing.medicines.previewed"}
