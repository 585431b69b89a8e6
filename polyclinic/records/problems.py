"""A patient's diagnoses over all visits that the viewer may read: what is known before this visit."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F

from polyclinic.core.actors import Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto.fields import column
from polyclinic.records.models import Condition
from polyclinic.records.rows import ConditionRow
from polyclinic.records.selectors import condition_row
from polyclinic.records.states import RECORDED
from polyclinic.scheduling.sight import visible
from polyclinic.visits.models import Visit

MOST = 30


def of_patient(viewer: Viewer, patient_id: UUID, *, but: UUID) -> list[ConditionRow]:
    """The newest of each diagnosis, newest first, without those of the visit `but`. Two questions to the database."""
    seen = Visit.objects.annotate(doctor_id=F("main_doctor_id")).filter(
        visible(viewer, "condition.view"), patient_id=patient_id
    )
    rows = list(
        Condition.objects.filter(visit__in=seen, state=RECORDED)
        .exclude(visit_id=but)
        .select_related("visit")
        .order_by("-made_at", "pk")[:200]
    )
    column(Condition, "body").warm([str(row.__dict__["body"]) for row in rows])
    reads.listed(viewer, "condition", patient_id, ((row.patient_id, row.visit.facility_id) for row in rows))
    found: dict[str, ConditionRow] = {}
    for row in rows:
        if row.body:
            one = condition_row(row)
            found.setdefault(one.code or one.text.casefold(), one)
    return list(found.values())[:MOST]
