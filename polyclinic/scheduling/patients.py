"""The patients in a doctor's list, and how many of them are new."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Case, Count, Max, Min, OuterRef, Q, QuerySet, Subquery, When

from polyclinic.core import clock
from polyclinic.core.access import fields, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.scheduling.models import Appointment, CareLink
from polyclinic.scheduling.rows import Page, PatientRow, full_name, require_page
from polyclinic.scheduling.sight import require_doctor, visible
from polyclinic.scheduling.states import CANCELLED, DECLINED, EXPECTED

_unseen = CompiledQuery(
    lambda doctor: (
        CareLink.objects.filter(doctor_id=doctor, seen_at__isnull=True)
        .values("doctor_id")
        .annotate(number=Count("pk"))
        .values_list("number")
    ),
    new_id(),
)


def doctor_patients(
    viewer: Viewer, doctor_id: UUID, *, search: str = "", page: int = 1, limit: int = 50
) -> Page[PatientRow]:
    """The patients in a doctor's list, new ones first, then by name. `search` is a part of a name or a record number.

    Staff see those who come to their facility.
    """
    require_doctor(viewer, "patient.list", doctor_id)
    require_page(page, limit)
    links = CareLink.objects.filter(doctor_id=doctor_id)
    if not policy.allowed(viewer, "patient.list", Subject(doctor_id=doctor_id)):
        here = Appointment.objects.filter(visible(viewer, "patient.list"), doctor_id=doctor_id)
        links = links.filter(patient_id__in=here.values("patient_id"))
    for word in search.split()[:5]:
        links = links.filter(
            Q(patient__family_name__icontains=word)
            | Q(patient__given_name__icontains=word)
            | Q(patient__mrn__icontains=word)
        )
    total = links.count()
    unseen_first = Case(When(seen_at__isnull=True, then=0), default=1)
    ordered = links.order_by(unseen_first, "patient__family_name", "patient__given_name", "pk")
    rows = _patient_rows(ordered[(page - 1) * limit : page * limit])
    reads.listed(viewer, "patient", doctor_id, ((row.id, None) for row in rows))
    return Page.of(_cut_patients(viewer, doctor_id, rows), total, page, limit)


def _cut_patients(viewer: Viewer, doctor_id: UUID, rows: list[PatientRow]) -> list[PatientRow]:
    """The rows with the fields that this viewer is shown: the doctor's own, staff by any of their places here."""
    subjects = [Subject(doctor_id=doctor_id)]
    if isinstance(viewer, Person):
        subjects += [Subject(facility_id=place) for place in policy.places(viewer, "patient.list")]
    hidden = [fields.withheld(viewer, "patient", subject) for subject in subjects]
    least = min(hidden, key=len)
    return [fields.cut(row, least) for row in rows]


def new_patient_count(viewer: Viewer, doctor_id: UUID) -> int:
    """How many patients in the list the doctor has not looked at yet."""
    policy.require_sight(viewer, "patient.list", Subject(doctor_id=doctor_id))
    return sum(number for (number,) in _unseen.rows(doctor_id))


def patient_of_doctor(viewer: Viewer, patient_id: UUID) -> PatientRow:
    """A patient in the viewing doctor's list. Raises NotFound for anyone else's."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    if viewer.doctor_id is None:
        raise NotFound()
    policy.require_sight(viewer, "patient.list", Subject(patient_id=patient_id, doctor_id=viewer.doctor_id))
    rows = _patient_rows(CareLink.objects.filter(doctor_id=viewer.doctor_id, patient_id=patient_id))
    if not rows:
        raise NotFound()
    reads.opened(viewer, "patient", patient_id, patient_id=patient_id)
    return _cut_patients(viewer, viewer.doctor_id, rows)[0]


def _patient_rows(links: QuerySet[CareLink]) -> list[PatientRow]:
    now = clock.now()
    visits = Appointment.objects.filter(doctor_id=OuterRef("doctor_id"), patient_id=OuterRef("patient_id"))
    grouped = visits.order_by().values("patient_id")
    coming = grouped.filter(state__in=EXPECTED, starts__gt=now).annotate(at=Min("starts")).values("at")
    past = grouped.exclude(state__in=(CANCELLED, DECLINED)).filter(starts__lte=now).annotate(at=Max("starts"))
    rows = links.annotate(coming=Subquery(coming), past=Subquery(past.values("at"))).values_list(
        "patient_id", "patient__family_name", "patient__given_name", "patient__mrn", "patient__born", "patient__sex",
        "since", "seen_at", "coming", "past",
    )  # fmt: skip
    return [
        PatientRow(key, full_name(family, given), mrn, born, sex, since, seen is None, at_next, at_last)
        for key, family, given, mrn, born, sex, since, seen, at_next, at_last in rows
    ]
