"""What wards let people see. Every function takes the viewer first and shows nothing beyond their rights."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from polyclinic.core.access import fields, policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.inpatient import placing, rules
from polyclinic.inpatient.models import Bed, BedStay, Ward
from polyclinic.inpatient.rows import BedRow, ReasonRow, StayRow, SuggestionRow, WardRow
from polyclinic.inpatient.states import (
    AVAILABLE,
    CLEANING,
    HOLDING,
    ORDERED,
    REQUESTED,
    RESERVED,
    RETIRED,
    bed_subject,
    stay_subject,
)
from polyclinic.inpatient.words import BED_STATES, FEATURES, RANK
from polyclinic.people import joined
from polyclinic.people.models import Patient
from polyclinic.people.search import Hit
from polyclinic.scheduling.sight import visible
from polyclinic.visits import known

# What the board can be narrowed to, beside the states.
FILTERS: Final = (*FEATURES, "children", "leaving")
_NUMBERS: Final = re.compile(r"\d+")
STATES: Final = tuple(state for state in BED_STATES if state != RETIRED)


def wards(viewer: Viewer, facility_id: UUID) -> list[WardRow]:
    """The wards of a facility by name. Raises NotFound where the viewer sees no beds."""
    policy.require_sight(viewer, "bed.view", Subject(facility_id=facility_id))
    rows = Ward.objects.filter(facility_id=facility_id, ended_at__isnull=True).order_by("name")
    counted = rows.annotate(many=Count("beds", filter=~Q(beds__state=RETIRED)))
    return [
        WardRow(id=row.pk, facility_id=row.facility_id, name=row.name, kind=row.kind, sex=row.sex, beds=row.many)
        for row in counted
    ]


def board(
    viewer: Viewer, facility_id: UUID, *, state: str = "", feature: str = "", ward_id: UUID | None = None
) -> list[BedRow]:
    """The beds of a facility by ward and name, with who lies in them as far as the viewer may see that.

    Raises NotFound where the viewer sees no beds, Invalid for an unknown state or feature.
    """
    narrowed(state, feature)
    policy.require_sight(viewer, "bed.view", Subject(facility_id=facility_id))
    query = Bed.objects.filter(facility_id=facility_id).exclude(state=RETIRED)
    query = query.filter(state=state) if state else query
    query = query.filter(ward_id=ward_id) if ward_id else query
    found = sorted(_beds(viewer, query), key=lambda row: (row.ward_name, sort_key(row)))
    shown = [row for row in found if matches(row, state, feature)]
    _listed(viewer, facility_id, (row.stay for row in shown if row.stay))
    return shown


def narrowed(state: str, feature: str) -> None:
    """Raise Invalid for what the board cannot be narrowed to."""
    if state and state not in STATES:
        raise Invalid(_("Choose one of the listed values."), field="state", possible=list(STATES))
    if feature and feature not in FILTERS:
        raise Invalid(_("Choose one of the listed values."), field="feature", possible=list(FILTERS))


def matches(row: BedRow, state: str, feature: str) -> bool:
    """Whether a bed stands on a board that is narrowed so."""
    return (not state or row.state == state) and (not feature or bool(getattr(row, feature)))


def sort_key(row: BedRow) -> str:
    """Where a bed stands in its ward: by room and name, with the numbers in them as people count."""
    return _NUMBERS.sub(lambda found: found.group().zfill(6), f"{row.room}/{row.name}".casefold())


def bed(viewer: Viewer, bed_id: UUID) -> BedRow:
    """One bed. Raises NotFound alike for a missing and for a foreign one."""
    row = Bed.objects.filter(pk=bed_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "bed.view", bed_subject(row))
    found = _beds(viewer, Bed.objects.filter(pk=bed_id))[0]
    if found.stay is not None:
        _opened(viewer, found.stay)
    return found


def waiting(viewer: Viewer, facility_id: UUID) -> list[StayRow]:
    """Who waits for a bed or has one reserved: the most urgent first, then who was asked for first.

    Raises NotFound where the viewer sees no beds; of stays they may not see there is none in the list.
    """
    policy.require_sight(viewer, "bed.view", Subject(facility_id=facility_id))
    query = BedStay.objects.filter(facility_id=facility_id, state__in=(REQUESTED, RESERVED))
    rows = [_stay(viewer, row) for row in _stays(query.filter(visible(viewer, "stay.view")))]
    _listed(viewer, facility_id, rows)
    return sorted(rows, key=lambda row: (RANK[row.priority], row.requested_at))  # type: ignore[index]


def stay(viewer: Viewer, stay_id: UUID) -> StayRow:
    """One stay. Raises NotFound alike for a missing and for a foreign one."""
    found = _stay(viewer, _one(viewer, stay_id))
    _opened(viewer, found)
    return found


def suggestions(viewer: Viewer, stay_id: UUID) -> list[SuggestionRow]:
    """The beds that are free or being cleaned, each with what speaks for and against it; the best first.

    A bed that fits comes before one that does not, a free one before one to be cleaned, and before one that can do more
    than is needed one that does not: beds with isolation, oxygen or intensive care are for whoever needs them.
    """
    row = _one(viewer, stay_id)
    policy.require_sight(viewer, "bed.view", Subject(facility_id=row.facility_id))
    query = Bed.objects.filter(facility_id=row.facility_id, state__in=(AVAILABLE, CLEANING))
    beds = list(query.select_related("ward", "facility").order_by("ward__name", "room", "name"))
    reasons = placing.reasons_of(row, beds)
    found = [
        SuggestionRow(
            bed=_bed(one, None, hidden=None), fits=rules.fits(reasons[one.pk]), ready=one.state == AVAILABLE,
            reasons=tuple(ReasonRow(why.kind, why.code, str(why.words)) for why in reasons[one.pk]),
        )
        for one in beds
    ]  # fmt: skip
    _opened(viewer, _stay(viewer, row))
    return sorted(found, key=lambda one: (rules.badness(reasons[one.bed.id])[0], not one.ready,
                                          rules.badness(reasons[one.bed.id])[1]))  # fmt: skip


def stays_of(viewer: Viewer, patient_id: UUID) -> list[StayRow]:
    """A patient's stays, the newest first, as far as the viewer may see them. Raises NotFound if they see none."""
    query = BedStay.objects.filter(visible(viewer, "stay.view"), patient_id__in=joined.same(patient_id))
    found = [_stay(viewer, row) for row in _stays(query.order_by("-requested_at"))]
    if not found:
        policy.require_sight(viewer, "stay.view", Subject(patient_id=patient_id))
    _listed(viewer, patient_id, found)
    return found


def subject_of(row: StayRow) -> Subject:
    """Whom a stay is about and where it belongs."""
    return Subject(patient_id=row.patient_id, doctor_id=row.doctor_id, facility_id=row.facility_id)


def _one(viewer: Viewer, stay_id: UUID) -> BedStay:
    row: BedStay | None = _stays(BedStay.objects.filter(pk=stay_id)).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "stay.view", stay_subject(row))
    return row


def _opened(viewer: Viewer, row: StayRow) -> None:
    reads.opened(viewer, "bed_stay", row.id, patient_id=row.patient_id, facility_id=row.facility_id)


def _listed(viewer: Viewer, whose: UUID, rows: Iterable[StayRow]) -> None:
    reads.listed(viewer, "bed_stay", whose, ((row.patient_id, row.facility_id) for row in rows))


def _stays(query: Any) -> Any:  # noqa: ANN401 - a queryset of stays
    return query.select_related("patient", "facility", "doctor", "bed__ward", "ward")


def _beds(viewer: Viewer, query: Any) -> list[BedRow]:  # noqa: ANN401 - a queryset of beds
    """The beds of a query, each with its stay if the viewer may see it, in three questions however many."""
    beds = list(query.select_related("ward", "facility"))
    held = BedStay.objects.filter(bed_id__in=[one.pk for one in beds], state__in=HOLDING)
    seen = {row.bed_id: row for row in _stays(held.filter(visible(viewer, "stay.view")))}
    # Whoever may not see whose a bed is may know when it will be free.
    dates = {bed: (day, state) for bed, day, state in held.values_list("bed_id", "expected_on", "state")}
    return [
        _bed(one, _stay(viewer, seen[one.pk]) if one.pk in seen else None, hidden=dates.get(one.pk)) for one in beds
    ]


def _bed(row: Bed, stay: StayRow | None, *, hidden: tuple[Any, str] | None) -> BedRow:
    day, state = hidden or (None, "")
    return BedRow(
        id=row.pk, facility_id=row.facility_id, time_zone=row.facility.time_zone, ward_id=row.ward_id,
        ward_name=row.ward.name, name=row.name, room=row.room, isolation=row.isolation, oxygen=row.oxygen,
        intensive=row.intensive, children=row.children, sex=row.sex or row.ward.sex, state=row.state,
        version=row.version, since=row.since, cleaning_since=row.cleaning_since, why=row.why, expected_on=day,
        leaving=state == ORDERED, stay=stay,
    )  # fmt: skip


def _stay(viewer: Viewer, row: BedStay) -> StayRow:
    patient, bed = row.patient, row.bed
    shown = StayRow(
        id=row.pk, facility_id=row.facility_id, time_zone=row.facility.time_zone, patient_id=row.patient_id,
        patient_name=str(patient), mrn=patient.mrn, born=patient.born, sex=patient.sex, doctor_id=row.doctor_id,
        doctor_name=str(row.doctor) if row.doctor else "", visit_id=row.visit_id, bed_id=row.bed_id,
        bed_name=bed.name if bed else "", ward_id=bed.ward_id if bed else None, ward_name=bed.ward.name if bed else "",
        wished_ward_id=row.ward_id, wished_ward_name=row.ward.name if row.ward else "", stage=row.state,
        version=row.version, priority=row.priority, isolation=row.isolation, oxygen=row.oxygen,
        intensive=row.intensive, reason=row.reason, requested_at=row.requested_at, admitted_at=row.admitted_at,
        expected_on=row.expected_on, ordered_at=row.ordered_at, ended_at=row.ended_at,
    )  # fmt: skip
    return fields.shown(viewer, "bed_stay", stay_subject(row), shown)


def patient(viewer: Viewer, facility_id: UUID, patient_id: UUID) -> Hit:
    """A patient whom the facility knows, to ask a bed for. Raises NotFound for another's and a missing one alike."""
    policy.require_sight(viewer, "stay.request", Subject(facility_id=facility_id))
    row = Patient.objects.filter(pk=patient_id).first()
    if row is None or not known.at(patient_id, facility_id):
        raise NotFound()
    reads.opened(viewer, "patient", row.pk, patient_id=row.pk, facility_id=facility_id)
    found = Hit(
        id=row.pk, mrn=row.mrn, name=str(row), born=row.born, sex=row.sex, temporary=row.temporary, score=0.0,
        place=facility_id,
    )  # fmt: skip
    return fields.shown(viewer, "patient", Subject(patient_id=row.pk, facility_id=facility_id), found)
