"""What prescriptions let people see. Every function takes the viewer first and shows nothing beyond their rights."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.medicines import selectors as medicines
from polyclinic.people import joined
from polyclinic.prescribing import bodies, sentences
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.prescribing.rows import LineRow, PrescriptionRow
from polyclinic.prescribing.states import CANCELLED, WAITING, subject
from polyclinic.scheduling.sight import visible

MAX_ROWS = 100


def prescription(viewer: Viewer, prescription_id: UUID) -> PrescriptionRow:
    """One prescription with its lines. Raises NotFound."""
    row = _all().filter(pk=prescription_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "prescription.view", subject(row))
    reads.opened(viewer, "prescription", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    return _row(row)


def of_visit(viewer: Viewer, visit_id: UUID) -> list[PrescriptionRow]:
    """A visit's prescriptions that the viewer may see, newest first."""
    return _listed(viewer, visit_id, _all().filter(visit_id=visit_id).order_by("-signed_at", "-number"))


def of_patient(viewer: Viewer, patient_id: UUID) -> list[PrescriptionRow]:
    """The hundred newest prescriptions of a patient that the viewer may see."""
    return _listed(
        viewer, patient_id, _all().filter(patient_id__in=joined.same(patient_id)).order_by("-signed_at", "-number")
    )


def copied(viewer: Viewer, patient_id: UUID) -> list[PrescriptionRow]:
    """All that was ever prescribed to a patient, newest first, for the copy they have asked for. Raises NotFound."""
    policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
    rows = list(_all().filter(patient_id__in=joined.same(patient_id)).order_by("-signed_at", "-number"))
    reads.listed(viewer, "prescription", patient_id, ((row.patient_id, row.facility_id) for row in rows))
    return [_row(row) for row in rows]


def waiting(viewer: Viewer, facility_id: UUID) -> list[PrescriptionRow]:
    """What waits at a facility's pharmacy, the oldest first. Raises NotFound for a place that is not the viewer's."""
    policy.require_sight(viewer, "prescription.view", Subject(facility_id=facility_id))
    return _listed(
        viewer, None, _all().filter(facility_id=facility_id, state__in=WAITING).order_by("signed_at", "number"), 300
    )


def _listed(viewer: Viewer, owner: UUID | None, query: Any, most: int = MAX_ROWS) -> list[PrescriptionRow]:  # noqa: ANN401 - a queryset
    rows = list(query.filter(visible(viewer, "prescription.view"))[:most])
    reads.listed(viewer, "prescription", owner, ((row.patient_id, row.facility_id) for row in rows))
    return [_row(row) for row in rows]


def _all() -> Any:  # noqa: ANN401 - a queryset
    rows = Prescription.objects.select_related("patient", "facility", "visit", "repeat_of")
    again = Prescription.objects.filter(repeat_of=OuterRef("pk")).exclude(state=CANCELLED).order_by()
    used = Subquery(again.values("repeat_of").annotate(number=Count("pk")).values("number"))
    return rows.annotate(used=Coalesce(used, 0)).prefetch_related("lines__medicine")


def _row(row: Any) -> PrescriptionRow:  # noqa: ANN401 - a row of `_all`
    lines = sorted(row.lines.all(), key=lambda line: line.place)
    return PrescriptionRow(
        id=row.pk, number=row.number, label=row.label, visit_id=row.visit_id, token=row.visit.token,
        visit_state=row.visit.state, facility_id=row.facility_id, facility_name=row.facility.name,
        time_zone=row.facility.time_zone, patient_id=row.patient_id, patient_name=str(row.patient),
        mrn=row.patient.mrn, born=row.patient.born, sex=row.patient.get_sex_display(), doctor_id=row.doctor_id,
        prescriber=row.signed_by, signed_at=row.signed_at, valid_until=row.valid_until, state=row.state,
        version=row.version, lines=tuple(one for line in lines if (one := line_row(line)) is not None),
        repeats=row.repeats, repeat_until=row.repeat_until, repeats_used=row.used,
        repeat_of=row.repeat_of_id, repeat_of_label=row.repeat_of.label if row.repeat_of else "",
    )  # fmt: skip


def line_row(row: PrescriptionLine) -> LineRow | None:
    """A line as readers see it; None where the patient's key was shredded."""
    if not row.body:
        return None
    body = bodies.read_line(row.body)
    medicine = medicines.row(row.medicine)
    return LineRow(
        id=row.pk, prescription_id=row.prescription_id, place=row.place, medicine=medicine, dose=body.dose,
        unit=body.unit, route=body.route, frequency=body.frequency, days=body.days, as_needed=body.as_needed,
        note=body.note, substitution_allowed=body.substitution_allowed, overrides=body.overrides,
        quantity=row.quantity, dispensed=row.dispensed, left=row.quantity - row.dispensed, until=row.until,
        state=row.state, version=row.version, sentence=str(sentences.of_parts(medicine, body)),
    )  # fmt: skip


def taken_now(patient_id: UUID) -> list[LineRow]:
    """What the patient is on by our prescriptions: lines whose treatment is not over and that were not cancelled.

    For the checks of this app, which have asked for the right before; other readers go through `of_patient`.
    """
    today = clock.now().date()
    rows = (
        PrescriptionLine.objects.filter(patient_id__in=joined.within(patient_id))
        .filter(Q(until__gte=today) | Q(until__isnull=True))
        .exclude(state=CANCELLED, dispensed=0)
        .exclude(prescription__state=CANCELLED)
        .select_related("medicine")
    )
    return [one for row in rows.order_by("prescription__signed_at", "place") if (one := line_row(row)) is not None]
