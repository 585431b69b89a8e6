"""The summary of a visit: what a patient takes home.

It says what the patient may know, whoever prints it: released results alone, and of the doctor's note only the part
that is addressed to them. The reader's own right opens it; the parts are then read by the system.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from polyclinic.core.actors import SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import Conflict, NotFound
from polyclinic.laboratory import selectors as laboratory
from polyclinic.laboratory.rows import Entry, TestRow
from polyclinic.papers.sheet import Banner, Block, Cell, Items, Pairs, Run, Sheet, Source, Text, facts_of
from polyclinic.papers.sources.laboratory import results
from polyclinic.papers.sources.prescriptions import items, line_facts
from polyclinic.papers.words import SEXES, PaperKind, born, day, moment
from polyclinic.prescribing import selectors as prescribing
from polyclinic.records import selectors as records
from polyclinic.records.forms import Kind
from polyclinic.records.rows import AllergiesRow, ConditionRow, VitalsRow
from polyclinic.records.vitals import BY_NAME
from polyclinic.visits import selectors as visits
from polyclinic.visits.rows import VisitRow

READER: Final = SystemActor("papers")
_SEEN_BY_NOBODY: Final = ("registered", "paid", "cancelled")


class _Parts:
    """Everything that stands on a summary."""

    def __init__(self, visit: VisitRow) -> None:
        # Nothing of this is shown by its being read here; that the reader opens the visit is on record already.
        with reads.gathering():
            self.allergies: AllergiesRow = records.allergies_at(READER, visit.id)
            self.conditions: list[ConditionRow] = records.conditions(READER, visit.id)
            sets = [one for one in records.vital_sets(READER, visit.id) if one.status == "recorded"]
            self.vitals: VitalsRow | None = sets[-1] if sets else None
            self.results = _released(visit.id)
            self.medicines = [row for row in prescribing.of_visit(READER, visit.id) if row.state != "cancelled"]
            self.advice = _advice(visit.id)


def summary(viewer: Viewer, visit_id: UUID, _variant: str = "") -> Source:
    """The summary of a visit. Raises NotFound; Conflict before anybody has seen the patient, or if it was cancelled."""
    visit = visits.visit(viewer, visit_id)
    # Who may see that there was a visit may not yet read what was found: a carer, the front desk.
    records.conditions(viewer, visit_id)
    with reads.gathering():
        # As the patient may know it: the sheet says, and verifies as, the same whoever of the staff has it printed.
        visit = visits.visit(READER, visit_id)
    if visit.stage in _SEEN_BY_NOBODY:
        raise Conflict(_("There is nothing to sum up yet."), code="nothing_to_print")
    parts = _Parts(visit)
    facts = facts_of(
        visit.closed_at is not None, visit.complaint, visit.doctor_name,
        parts.allergies.status, [one.substance for one in parts.allergies.allergies],
        [(one.code, one.text, one.certainty) for one in parts.conditions],
        parts.vitals.values if parts.vitals else {},
        [(test.test, [(one.number, one.report) for one in entries]) for test, entries in parts.results],
        # What was given out of a prescription does not change what the patient was told.
        [[line_facts(one)[:9] for one in row.lines] for row in parts.medicines], parts.advice,
    )  # fmt: skip
    return Source(
        kind=PaperKind.VISIT_SUMMARY, subject_id=visit.id, variant="", patient_id=visit.patient_id,
        facility_id=visit.facility_id, doctor_id=visit.doctor_id, time_zone=visit.time_zone, facts=facts,
        draw=lambda: _sheet(visit, parts), at=visit.opened_at,
    )  # fmt: skip


def _released(visit_id: UUID) -> list[tuple[TestRow, list[Entry]]]:
    found: list[tuple[TestRow, list[Entry]]] = []
    try:
        orders = laboratory.orders_of_visit(READER, visit_id)
    except NotFound:
        return found
    for order in reversed(orders):
        for test in order.tests:
            entries = [one for one in test.entries if one.released_at]
            if entries:
                found.append((test, entries))
    return found


def _advice(visit_id: UUID) -> str:
    """What the note's plan says to the patient."""
    for note in records.notes(READER, visit_id):
        if note.kind == Kind.PLAN:
            return note.fields.get("advice", "")
    return ""


def _sheet(visit: VisitRow, parts: _Parts) -> Sheet:
    blocks: list[Block] = []
    if visit.closed_at is None:
        blocks.append(Banner(_("Preliminary"), _("The visit is not over; more may be added.")))
    blocks.append(Pairs(tuple(_about(visit, parts))))
    if parts.conditions:
        blocks.append(Text(tuple(_condition(one) for one in parts.conditions), _("Diagnoses")))
    if parts.vitals:
        blocks.append(Pairs(tuple(_vitals(parts.vitals)), _("Measured")))
    if parts.results:
        blocks.append(results(parts.results))
    medicines = [item for row in parts.medicines for item in items(row.lines)]
    if medicines:
        blocks.append(Items(_("Medicines"), tuple(medicines)))
    if parts.advice:
        blocks.append(Text(tuple(parts.advice.splitlines()), _("What you should do")))
    blocks.append(Text((_("Take this sheet along to your next visit."),)))
    who = (
        (_("Patient"), visit.patient_name), (_("Born"), born(visit.born)), (_("Sex"), str(SEXES[visit.sex])),
        (_("Record number"), visit.mrn),
    )  # fmt: skip
    return Sheet(_("Visit summary"), day(visit.opened_at, visit.time_zone), who, tuple(blocks))


def _about(visit: VisitRow, parts: _Parts) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [(_("Came"), moment(visit.opened_at, visit.time_zone))]
    if visit.closed_at:
        pairs.append((_("Left"), moment(visit.closed_at, visit.time_zone)))
    if visit.doctor_name:
        pairs.append((_("Doctor"), visit.doctor_name.strip()))
    if visit.complaint:
        pairs.append((_("Came because of"), visit.complaint))
    known = parts.allergies
    if known.status == "not_asked":
        pairs.append((_("Allergies"), _("not asked")))
    elif known.status == "none_known":
        pairs.append((_("Allergies"), _("none known")))
    else:
        pairs.append((_("Allergies"), (Run(", ".join(one.substance for one in known.allergies), strong=True),)))
    return pairs


def _condition(one: ConditionRow) -> str:
    return f"{one.text} ({one.code})" if one.code else one.text


def _vitals(row: VitalsRow) -> list[tuple[str, Cell]]:
    # Blood pressure is one thing with two numbers.
    given: dict[str, Any] = dict(row.values)
    pairs: list[tuple[str, Cell]] = []
    if "systolic" in given and "diastolic" in given:
        pairs.append((_("Blood pressure"), f"{given.pop('systolic')}/{given.pop('diastolic')}\u00a0mmHg"))
    pairs += [(str(BY_NAME[name].label), f"{value}\u00a0{BY_NAME[name].unit}") for name, value in given.items()]
    return pairs
