"""Reading a visit's record: signs and scores, allergies, conditions, notes, and one's own drafts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from polyclinic.core.access import policy
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto.fields import column
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.people import joined
from polyclinic.records import bodies, scores, sight, vitals
from polyclinic.records.forms import Kind
from polyclinic.records.models import Allergy, AllergyList, Condition, Draft, Note, NoteVersion, VitalSet
from polyclinic.records.rows import AllergiesRow, AllergyRow, ConditionRow, DraftRow, NoteRow, ScoreRow, VitalsRow
from polyclinic.records.states import RECORDED
from polyclinic.visits.models import Visit


def vital_sets(viewer: Viewer, visit_id: UUID) -> list[VitalsRow]:
    """The signs measured during a visit, oldest first, withdrawn ones among them. Raises NotFound."""
    visit = sight.visit(viewer, "vitals.view", visit_id)
    sight.looked(viewer, visit)
    return [vitals_row(row, visit) for row in visit.vitals.order_by("taken_at", "pk")]


def vitals_row(row: VitalSet, visit: Visit) -> VitalsRow:
    """A set as readers see it; empty where the patient's key was shredded."""
    body = bodies.read_vitals(row.body) if row.body else bodies.VitalsBody({})
    return VitalsRow(
        id=row.pk,
        visit_id=row.visit_id,
        patient_id=row.patient_id,
        status=row.state,
        version=row.version,
        taken_at=row.taken_at,
        author=row.author,
        values={name: vitals.written(name, body.values[name]) for name in vitals.BY_NAME if name in body.values},
        oxygen=body.oxygen,
        consciousness=body.consciousness,
        pregnant=body.pregnant,
        confirmed=body.confirmed,
        score=scores.of(body, visit.patient.born, row.taken_at),
    )


def latest_scores(viewer: Viewer, visit_ids: Collection[UUID]) -> dict[UUID, tuple[datetime, ScoreRow]]:
    """When each visit's latest signs were taken and what they come to; visits one may not see are left out."""
    rows = VitalSet.objects.filter(visit_id__in=list(visit_ids), state=RECORDED).select_related(
        "visit", "visit__patient"
    )
    found = list(rows.order_by("taken_at", "pk"))
    seen = [row for row in found if policy.allowed(viewer, "vitals.view", _subject(row.visit))]
    column(VitalSet, "body").warm([str(row.__dict__["body"]) for row in seen])
    latest = {row.visit_id: row for row in seen}
    reads.listed(viewer, "chart", None, [(row.patient_id, row.visit.facility_id) for row in latest.values()])
    return {
        key: (row.taken_at, scores.of(bodies.read_vitals(row.body), row.visit.patient.born, row.taken_at))
        for key, row in latest.items()
        if row.body
    }


def allergies(viewer: Viewer, patient_id: UUID) -> AllergiesRow:
    """What is known of a patient's allergies, wherever it was written down. Raises NotFound."""
    subject = sight.patient(viewer, "allergy.view", patient_id)
    reads.opened(viewer, "allergies", patient_id, patient_id=patient_id, facility_id=subject.facility_id)
    return allergies_of(patient_id)


def allergies_at(viewer: Viewer, visit_id: UUID) -> AllergiesRow:
    """The same for the patient of a visit. Raises NotFound."""
    visit = sight.visit(viewer, "allergy.view", visit_id)
    sight.looked(viewer, visit)
    return allergies_of(visit.patient_id)


def allergies_of(patient_id: UUID) -> AllergiesRow:
    """The list as it stands, for selectors that have asked whether it may be seen."""
    ids = joined.same(patient_id)
    lists = {row.patient_id: row for row in AllergyList.objects.filter(patient_id__in=ids)}
    known = lists.get(patient_id) or next(iter(lists.values()), None)
    if known is None:
        return AllergiesRow(patient_id, "not_asked", 0, None, ())
    rows = Allergy.objects.filter(patient_id__in=ids, state=RECORDED).order_by("made_at", "pk")
    found = tuple(_allergy(row) for row in rows if row.body)
    # Beside the list itself the entries decide: no hand could make "none known" hide one of them.
    status = "present" if found else ("none_known" if known.status == "none_known" else "not_asked")
    return AllergiesRow(patient_id, status, known.version, known.asked_at, found)


def _allergy(row: Allergy) -> AllergyRow:
    body = bodies.read_allergy(row.body)
    return AllergyRow(
        row.pk, row.patient_id, body.substance, body.reaction, str(body.severity), row.version, row.made_at, row.author
    )


def conditions(viewer: Viewer, visit_id: UUID) -> list[ConditionRow]:
    """The diagnoses of a visit that stand, oldest first. Raises NotFound."""
    visit = sight.visit(viewer, "condition.view", visit_id)
    sight.looked(viewer, visit)
    rows = Condition.objects.filter(visit_id=visit_id, state=RECORDED).order_by("made_at", "pk")
    return [condition_row(row) for row in rows if row.body]


def condition_row(row: Condition) -> ConditionRow:
    """A diagnosis as readers see it."""
    body = bodies.read_condition(row.body)
    return ConditionRow(
        row.pk, row.visit_id, row.patient_id, body.code, body.text, str(body.certainty), row.version, row.made_at,
        row.author, body.edition,
    )  # fmt: skip


def notes(viewer: Viewer, visit_id: UUID) -> list[NoteRow]:
    """The parts of a visit's note that are written, in the order of the forms. Raises NotFound."""
    visit = sight.visit(viewer, "note.view", visit_id)
    sight.looked(viewer, visit)
    found = {row.kind: note_row(row) for row in Note.objects.filter(visit_id=visit_id)}
    return [found[kind] for kind in Kind.values if kind in found]


def note(viewer: Viewer, visit_id: UUID, kind: str) -> NoteRow:
    """One part of a visit's note. Raises NotFound, also for one that is not written yet."""
    for row in notes(viewer, visit_id):
        if row.kind == kind:
            return row
    raise NotFound()


def note_versions(viewer: Viewer, visit_id: UUID, kind: str) -> list[NoteRow]:
    """Every wording of one part, newest first. Raises NotFound."""
    visit = sight.visit(viewer, "note.view", visit_id)
    sight.looked(viewer, visit)
    rows = NoteVersion.objects.select_related("note").filter(note__visit_id=visit_id, note__kind=kind)
    return [
        NoteRow(
            row.note_id, visit_id, row.patient_id, kind, _fields(row.body), row.version, row.saved_at, row.author
        )
        for row in rows.order_by("-version")
    ]  # fmt: skip


def note_row(row: Note) -> NoteRow:
    """A part of a note as readers see it."""
    return NoteRow(
        row.pk, row.visit_id, row.patient_id, row.kind, _fields(row.body), row.version, row.saved_at, row.author
    )


def _fields(body: str) -> dict[str, str]:
    return bodies.read_note(body) if body else {}


def drafts(viewer: Viewer, visit_id: UUID) -> list[DraftRow]:
    """What the viewer has typed into this visit's note and not saved. Raises NotFound."""
    visit = sight.visit(viewer, "note.write", visit_id)
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    saved = dict(Note.objects.filter(visit_id=visit_id).values_list("kind", "version"))
    rows = list(Draft.objects.filter(visit_id=visit_id, account_id=viewer.account_id))
    if rows:
        sight.looked(viewer, visit)
    return _drafts(rows, saved)


def _drafts(rows: Iterable[Draft], saved: dict[str, int]) -> list[DraftRow]:
    return [
        DraftRow(row.kind, _fields(row.body), row.base, row.version, row.saved_at, saved.get(row.kind, 0) != row.base)
        for row in rows
    ]


def _subject(visit: Visit) -> policy.Subject:
    return policy.Subject(visit.patient_id, visit.main_doctor_id, visit.facility_id)
