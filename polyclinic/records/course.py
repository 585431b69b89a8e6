"""A patient's record through time: the visits one after the other with what was written down in each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from django.db.models import F, Model, QuerySet

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto.fields import column
from polyclinic.people import joined
from polyclinic.records import sight
from polyclinic.records.forms import Kind
from polyclinic.records.models import Condition, Note, VitalSet
from polyclinic.records.rows import AllergiesRow, ConditionRow, NoteRow, VitalsRow
from polyclinic.records.selectors import allergies_of, condition_row, note_row, vitals_row
from polyclinic.records.states import RECORDED
from polyclinic.scheduling.sight import visible
from polyclinic.visits.models import Visit

# Visits shown at once; a copy for the patient has no such limit.
MOST: Final = 200
Row = TypeVar("Row")
_ORDER: Final = {kind: place for place, kind in enumerate(Kind.values)}


class VisitRecord(msgspec.Struct, frozen=True, rename="camel"):
    """One visit and what was written down in it. Signs are oldest first; withdrawn ones say so."""

    visit_id: UUID
    facility_id: UUID
    facility_name: str
    time_zone: str
    doctor_name: str
    token: str
    stage: str
    opened_at: datetime
    closed_at: datetime | None
    vitals: tuple[VitalsRow, ...]
    conditions: tuple[ConditionRow, ...]
    notes: tuple[NoteRow, ...]


class WholeRecord(msgspec.Struct, frozen=True, rename="camel"):
    """Everything that was written down about a patient."""

    allergies: AllergiesRow
    visits: tuple[VisitRecord, ...]


def course(viewer: Viewer, patient_id: UUID, *, since: datetime | None = None) -> list[VisitRecord]:
    """The patient's visits that the viewer may see into, newest first, those opened after `since` alone.

    Of each visit the parts the viewer has a right to. Raises NotFound for whom none of it can be.
    """
    sight.patient(viewer, "vitals.view", patient_id)
    # The table of rights calls whoever treats a thing's doctor `doctor_id`.
    rows = Visit.objects.annotate(doctor_id=F("main_doctor_id")).filter(visible(viewer, "vitals.view"))
    rows = rows.filter(patient_id__in=joined.within(patient_id))
    if since is not None:
        rows = rows.filter(opened_at__gte=since)
    found = list(_visits(rows)[:MOST])
    reads.listed(viewer, "chart", patient_id, ((row.patient_id, row.facility_id) for row in found))
    return _written(found, lambda right, visit: policy.allowed(viewer, right, _subject(visit)))


def whole(viewer: Viewer, patient_id: UUID) -> WholeRecord:
    """All of it, notes too, for whoever may ask for the patient's copy. Raises NotFound for anyone else."""
    policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
    found = list(_visits(Visit.objects.filter(patient_id__in=joined.within(patient_id))))
    reads.opened(viewer, "chart", patient_id, patient_id=patient_id)
    return WholeRecord(allergies_of(patient_id), tuple(_written(found, lambda _right, _visit: True)))


def _visits(rows: QuerySet[Visit]) -> QuerySet[Visit]:
    return rows.select_related("patient", "facility", "main_doctor").order_by("-opened_at", "-pk")


def _subject(visit: Visit) -> Subject:
    return Subject(visit.patient_id, visit.main_doctor_id, visit.facility_id)


def _written(visits: list[Visit], may: Callable[[str, Visit], bool]) -> list[VisitRecord]:
    """What stands in these visits, read with three questions whatever their number."""
    by_id = {visit.pk: visit for visit in visits}
    vitals = _of(VitalSet, VitalSet.objects.filter(visit_id__in=by_id).order_by("taken_at", "pk"))
    conditions = _of(Condition, Condition.objects.filter(visit_id__in=by_id, state=RECORDED).order_by("made_at", "pk"))
    notes = _of(Note, Note.objects.filter(visit_id__in=by_id))

    def part(right: str, visit: Visit, rows: Iterable[Any], make: Callable[[Any], Row]) -> tuple[Row, ...]:
        # Without a body the patient's key is gone, and with it all that was said.
        return tuple(make(row) for row in rows if row.body) if may(right, visit) else ()

    return [
        VisitRecord(
            visit_id=visit.pk, facility_id=visit.facility_id, facility_name=visit.facility.name,
            time_zone=visit.facility.time_zone, doctor_name=str(visit.main_doctor) if visit.main_doctor else "",
            token=visit.token, stage=visit.state, opened_at=visit.opened_at, closed_at=visit.closed_at,
            vitals=part("vitals.view", visit, vitals[visit.pk], lambda row, at=visit: vitals_row(row, at)),  # type: ignore[misc]
            conditions=part("condition.view", visit, conditions[visit.pk], condition_row),
            notes=tuple(
                sorted(part("note.view", visit, notes[visit.pk], note_row), key=lambda one: _ORDER[one.kind])
            ),
        )
        for visit in visits
    ]  # fmt: skip


def _of(model: type[Model], rows: QuerySet[Any]) -> defaultdict[UUID, list[Any]]:
    """The rows by their visit, opened all at once."""
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    made = list(rows)
    column(model, "body").warm([str(row.__dict__["body"]) for row in made])
    for row in made:
        found[row.visit_id].append(row)
    return found
