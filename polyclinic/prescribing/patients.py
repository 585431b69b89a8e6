"""What of a patient the checks look at, gathered for whoever has the right to prescribe for them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from uuid import UUID

from polyclinic.core.access import fields
from polyclinic.laboratory import reports
from polyclinic.laboratory.models import Result
from polyclinic.people.models import Patient
from polyclinic.prescribing.rows import LineRow
from polyclinic.prescribing.selectors import taken_now
from polyclinic.records import bodies, selectors
from polyclinic.records.models import VitalSet
from polyclinic.records.states import RECORDED
from polyclinic.visits.models import Visit


@dataclass(frozen=True, slots=True)
class Whom:
    """What is known of a patient. None is not known, and is said where it would matter."""

    age: int
    allergies: tuple[str, ...]
    allergies_asked: bool
    pregnant: bool
    weight: Decimal | None
    egfr: Decimal | None
    taken: tuple[LineRow, ...]


def whom(visit: Visit) -> Whom:
    """The patient of a visit as they are known now."""
    known = selectors.allergies_of(visit.patient_id)
    weight, pregnant = measured(visit.pk)
    return Whom(
        fields.years(visit.patient.born), tuple(one.substance for one in known.allergies),
        known.status != "not_asked", pregnant, weight, _egfr(visit.patient_id), tuple(taken_now(visit.patient_id)),
    )  # fmt: skip


def in_bed(patient: Patient, weight: Decimal | None, pregnant: bool) -> Whom:
    """A patient in bed, with the last weight measured there, and whether a pregnancy was told with the last signs."""
    known = selectors.allergies_of(patient.pk)
    return Whom(
        fields.years(patient.born), tuple(one.substance for one in known.allergies), known.status != "not_asked",
        pregnant, weight, _egfr(patient.pk), tuple(taken_now(patient.pk)),
    )  # fmt: skip


def at_counter(patient_id: UUID) -> Whom:
    """What whoever hands medicines over may know: allergies, and what is taken. Nothing that was measured."""
    known = selectors.allergies_of(patient_id)
    return Whom(
        0, tuple(one.substance for one in known.allergies), known.status != "not_asked", False, None, None,
        tuple(taken_now(patient_id)),
    )  # fmt: skip


def measured(visit_id: UUID) -> tuple[Decimal | None, bool]:
    """The last weight of this visit, and whether a pregnancy was told with its last signs."""
    weight, pregnant = None, False
    rows = VitalSet.objects.filter(visit_id=visit_id, state=RECORDED).order_by("taken_at", "pk")
    for row in rows:
        if row.body:
            body = bodies.read_vitals(row.body)
            weight = body.values.get("weight", weight)
            pregnant = body.pregnant
    return weight, pregnant


def _egfr(patient_id: UUID) -> Decimal | None:
    """The last verified filtration rate, in mL/min/1.73 m²; "<15" counts as 15."""
    row = (
        Result.objects.filter(patient_id=patient_id, ordered_test__test="egfr", verified_at__isnull=False)
        .order_by("-verified_at")
        .first()
    )
    report = reports.open_(row.report) if row else None
    if report is None:
        return None
    try:
        return Decimal(report.value.lstrip("<>≤≥ "))
    except InvalidOperation:
        return None
