"""What papers let people see. Every function takes the viewer first and shows nothing beyond their rights."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.papers import bodies
from polyclinic.papers.models import Letter, LetterDraft, Paper, Referral, SickNote
from polyclinic.papers.rows import DraftRow, LetterRow, PaperRow, ReferralRow, SickNoteRow
from polyclinic.papers.states import letter_subject
from polyclinic.papers.words import SEXES, LetterKind
from polyclinic.people import joined
from polyclinic.records import sight
from polyclinic.scheduling.sight import visible

MOST = 200
_NAMES = {SickNote: ("sick_note", LetterKind.SICK_NOTE), Referral: ("referral", LetterKind.REFERRAL)}


def sick_note(viewer: Viewer, note_id: UUID) -> SickNoteRow:
    """One sick note. Raises NotFound alike for a missing and for a foreign one, and for one that was erased."""
    row = _one(viewer, SickNote, note_id)
    return SickNoteRow(**_common(row), body=bodies.read_sick_note(row.body))


def referral(viewer: Viewer, referral_id: UUID) -> ReferralRow:
    """One referral. Raises NotFound alike for a missing and for a foreign one, and for one that was erased."""
    row = _one(viewer, Referral, referral_id)
    return ReferralRow(**_common(row), body=bodies.read_referral(row.body))


def sick_notes(viewer: Viewer, patient_id: UUID) -> list[SickNoteRow]:
    """A patient's sick notes that the viewer may see, newest first. NotFound if they see none of a stranger's."""
    rows = _listed(viewer, SickNote, patient_id, SickNote.objects.filter(patient_id__in=joined.same(patient_id)))
    if not rows:
        policy.require_sight(viewer, "letter.view", Subject(patient_id=patient_id))
    return [SickNoteRow(**_common(row), body=bodies.read_sick_note(row.body)) for row in rows]


def referrals(viewer: Viewer, patient_id: UUID) -> list[ReferralRow]:
    """A patient's referrals that the viewer may see, newest first. NotFound if they see none of a stranger's."""
    rows = _listed(viewer, Referral, patient_id, Referral.objects.filter(patient_id__in=joined.same(patient_id)))
    if not rows:
        policy.require_sight(viewer, "letter.view", Subject(patient_id=patient_id))
    return [ReferralRow(**_common(row), body=bodies.read_referral(row.body)) for row in rows]


def letters_of_visit(viewer: Viewer, visit_id: UUID) -> list[LetterRow]:
    """The letters of one visit that the viewer may see, newest first, without what they say."""
    found: list[LetterRow] = []
    for model in (SickNote, Referral):
        rows = _listed(viewer, model, visit_id, model.objects.filter(visit_id=visit_id))
        found += [LetterRow(**_common(row)) for row in rows]
    return sorted(found, key=lambda row: row.issued_at, reverse=True)


def papers(viewer: Viewer, patient_id: UUID) -> list[PaperRow]:
    """What was printed of a patient's, newest first, for the patient and who decides for them. Raises NotFound."""
    policy.require_sight(viewer, "letter.view", Subject(patient_id=patient_id))
    rows = (
        Paper.objects.filter(patient_id__in=joined.same(patient_id))
        .select_related("facility")
        .order_by("-issued_at")[:MOST]
    )
    found = [
        PaperRow(
            row.pk, row.kind, row.subject_id, row.patient_id, row.facility_id, row.facility.name,
            row.facility.time_zone, row.state, row.printed, row.issued_at, row.printed_at,
        )
        for row in rows
    ]  # fmt: skip
    reads.listed(viewer, "paper", patient_id, ((row.patient_id, row.facility_id) for row in found))
    return found


def draft(viewer: Viewer, visit_id: UUID, kind: str) -> DraftRow | None:
    """What the viewer has typed into a letter of this visit and not signed. Raises NotFound."""
    visit = sight.visit(viewer, "letter.issue", visit_id)
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    row = LetterDraft.objects.filter(visit_id=visit_id, kind=kind, account_id=viewer.account_id).first()
    if row is None or not row.body:
        return None
    sight.looked(viewer, visit)
    return DraftRow(bodies.read_draft(row.body), row.version, row.saved_at)


def _rows(query: QuerySet[Any]) -> QuerySet[Any]:
    return query.select_related("patient", "facility")


def _one(viewer: Viewer, model: type[Letter], key: UUID) -> Any:  # noqa: ANN401 - a SickNote or Referral
    row = _rows(model._default_manager.filter(pk=key)).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "letter.view", letter_subject(row))
    if not row.body:
        raise NotFound()
    name, _kind = _NAMES[type(row)]
    reads.opened(viewer, name, row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return row


def _listed(viewer: Viewer, model: type[Any], owner: UUID, query: QuerySet[Any]) -> list[Any]:
    if not isinstance(viewer, Person | SystemActor):
        raise Unauthenticated()
    rows = [
        row for row in _rows(query.filter(visible(viewer, "letter.view")).order_by("-issued_at"))[:MOST] if row.body
    ]
    reads.listed(viewer, _NAMES[model][0], owner, ((row.patient_id, row.facility_id) for row in rows))
    return rows


def _common(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a SickNote or Referral
    return {
        "id": row.pk, "kind": _NAMES[type(row)][1].value, "visit_id": row.visit_id, "facility_id": row.facility_id,
        "facility_name": row.facility.name, "time_zone": row.facility.time_zone, "patient_id": row.patient_id,
        "patient_name": str(row.patient), "mrn": row.patient.mrn, "born": row.patient.born,
        "sex": str(SEXES[row.patient.sex]), "doctor_id": row.doctor_id, "author": row.author, "status": row.state,
        "version": row.version, "issued_at": row.issued_at, "revoked_at": row.revoked_at,
    }  # fmt: skip
