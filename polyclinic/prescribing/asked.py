"""What requests for repeats let people see. Every function takes the viewer first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import Conflict, NotFound, Unauthenticated
from polyclinic.people import joined
from polyclinic.prescribing import actions, refills, repeats
from polyclinic.prescribing.checking import Warning_
from polyclinic.prescribing.models import Prescription, RefillRequest
from polyclinic.prescribing.rows import LineRow, RefillRow, RepeatRow
from polyclinic.prescribing.states import ASKED, subject
from polyclinic.scheduling.sight import visible

MAX_ROWS = 100


def request(viewer: Viewer, refill_id: UUID) -> RefillRow:
    """One request. Raises NotFound."""
    row = _all().filter(pk=refill_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "prescription.view", subject(row))
    reads.opened(viewer, "refill", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return _row(row)


def waiting(viewer: Viewer) -> list[RefillRow]:
    """The requests that the viewer may answer, the oldest first."""
    rows = list(_open(viewer).order_by("asked_at", "pk")[:MAX_ROWS])
    reads.listed(viewer, "refill", None, ((row.patient_id, row.facility_id) for row in rows))
    return [_row(row) for row in rows]


def number(viewer: Viewer) -> int:
    """How many requests wait for the viewer's answer."""
    return int(_open(viewer).count())


def what(viewer: Viewer, refill_id: UUID) -> list[LineRow]:
    """What would be given again, for whoever may agree. Raises NotFound.

    Read beside `request`, which leaves the entry in the audit.
    """
    return refills.lines_of(_to_answer(viewer, refill_id).prescription)


def against(viewer: Viewer, refill_id: UUID) -> list[Warning_]:
    """What the checks say of it by now that the first signature has not decided. Raises as `what`, and Invalid when a
    medicine is not in use any more."""
    row = _to_answer(viewer, refill_id)
    if row.state != ASKED:
        return []
    lines = refills.lines_of(row.prescription)
    decided = {said.key for line in lines for said in line.overrides}
    return [one for one in refills.warnings(row.prescription, lines) if one.key not in decided]


def repeats_of(viewer: Viewer, patient_id: UUID) -> dict[UUID, RepeatRow]:
    """How it stands with each prescription of a patient that may be repeated, by its id."""
    rows = Prescription.objects.filter(patient_id__in=joined.same(patient_id), repeats__gt=0)
    rows = rows.filter(visible(viewer, "prescription.view")).select_related("facility").prefetch_related("repeated")
    found = list(rows.order_by("-signed_at")[:MAX_ROWS])
    newest: dict[UUID, RefillRequest] = {}
    for one in _all().filter(prescription__in=found).order_by("asked_at", "pk"):
        newest[one.prescription_id] = one
    reads.listed(viewer, "refill", patient_id, ((row.patient_id, row.facility_id) for row in newest.values()))
    return {row.pk: _repeat(viewer, row, newest.get(row.pk)) for row in found}


def copied(viewer: Viewer, patient_id: UUID) -> list[RefillRow]:
    """All that was ever asked for, newest first, for the copy a patient has asked for. Raises NotFound."""
    policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
    rows = list(_all().filter(patient_id__in=joined.same(patient_id)).order_by("-asked_at", "-pk"))
    reads.listed(viewer, "refill", patient_id, ((row.patient_id, row.facility_id) for row in rows))
    return [_row(row) for row in rows]


def _to_answer(viewer: Viewer, refill_id: UUID) -> RefillRequest:
    row: RefillRequest | None = _all().filter(pk=refill_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "prescription.view", subject(row))
    policy.require_sight(viewer, "prescription.sign", subject(row))
    return row


def _repeat(viewer: Viewer, row: Prescription, newest: RefillRequest | None) -> RepeatRow:
    why, open_ = "", newest is not None and newest.state == ASKED
    try:
        repeats.require(row, actions.today(row))
    except Conflict as refused:
        why = str(refused.sentence)
    can = not why and not open_ and policy.allowed(viewer, "refill.request", subject(row))
    return RepeatRow(
        prescription_id=row.pk, left=max(0, row.repeats - repeats.used(row)), until=row.repeat_until,
        newest=_row(newest) if newest else None, can_ask=can, why_not="" if open_ else why,
    )  # fmt: skip


def _open(viewer: Viewer) -> Any:  # noqa: ANN401 - a queryset
    return _all().filter(visible(viewer, "prescription.sign"), state=ASKED)


def _all() -> Any:  # noqa: ANN401 - a queryset
    return RefillRequest.objects.select_related("prescription__repeat_of", "patient", "facility")


def _row(row: RefillRequest) -> RefillRow:
    first = row.prescription
    return RefillRow(
        id=row.pk, prescription_id=first.pk, label=first.label, visit_id=first.visit_id, facility_id=row.facility_id,
        facility_name=row.facility.name, time_zone=row.facility.time_zone, patient_id=row.patient_id,
        patient_name=str(row.patient), mrn=row.patient.mrn, born=row.patient.born, sex=row.patient.get_sex_display(),
        prescriber=first.signed_by, note=row.note, asked_at=row.asked_at, answer=row.answer,
        answered_at=row.answered_at, answered_by=row.answered_by, made_id=row.made_id, state=row.state,
        version=row.version,
    )  # fmt: skip
