"""What scheduling lets people see. Every function takes the viewer first and shows nothing beyond their rights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Case, Max, Min, OuterRef, Q, QuerySet, Subquery, When
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.scheduling.availability import first_free, free_slots, next_free_by_doctor
from polyclinic.scheduling.models import Appointment, CareLink, Schedule
from polyclinic.scheduling.rows import (
    AppointmentRow,
    ExceptionRow,
    Page,
    PatientRow,
    ScheduleView,
    Slot,
    WeeklyRow,
)
from polyclinic.scheduling.sight import require_doctor, visible
from polyclinic.scheduling.states import APPOINTMENT, CANCELLED, DECLINED, EXPECTED

MAX_LIMIT = 200
SORTS = {
    "starts": ("starts", "pk"),
    "-starts": ("-starts", "-pk"),
    "patient": ("patient__family_name", "patient__given_name", "starts", "pk"),
    "booked": ("booked_at", "pk"),
    "-booked": ("-booked_at", "-pk"),
}
_COLUMNS = (
    "id", "state", "version", "starts", "ends", "facility__time_zone", "facility_id", "facility__name",
    "schedule_id", "doctor_id", "doctor__title", "doctor__given_name", "doctor__family_name", "doctor__specialty",
    "patient_id", "patient__family_name", "patient__given_name", "patient__mrn", "patient__born", "patient__sex",
    "service_id", "service__name", "room__name", "reason", "attention",
)  # fmt: skip
_one = CompiledQuery(lambda pk: Appointment.objects.filter(pk=pk).values_list(*_COLUMNS), new_id())
_of_doctor = CompiledQuery(
    lambda doctor, low, high: (
        Appointment.objects.filter(doctor_id=doctor, starts__gte=low, starts__lt=high)
        .order_by("starts", "pk")
        .values_list(*_COLUMNS)
    ),
    new_id(),
    datetime(2001, 1, 1, tzinfo=UTC),
    datetime(2002, 1, 1, tzinfo=UTC),
)
_unseen = CompiledQuery(
    lambda doctor: CareLink.objects.filter(doctor_id=doctor, seen_at__isnull=True).values_list("pk"), new_id()
)
_places = CompiledQuery(
    lambda doctor: (
        Schedule.objects.filter(doctor_id=doctor)
        .order_by("facility__name", "pk")
        .values_list("facility__name", "facility__time_zone", "facility_id")
    ),
    new_id(),
)


def appointment(viewer: Viewer, appointment_id: UUID) -> AppointmentRow:
    """One appointment. Raises NotFound alike for a missing and for a foreign one."""
    rows = _one.rows(appointment_id)
    if not rows:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    row = _row(rows[0])
    policy.require_sight(viewer, "appointment.view", _subject(row))
    return row


def doctor_day(viewer: Viewer, doctor_id: UUID, day: date) -> list[AppointmentRow]:
    """A doctor's appointments on a day of each facility's own calendar, by time, in every state.

    Staff see those at their own facility. Raises NotFound for a doctor who is none of the viewer's business.
    """
    require_doctor(viewer, "appointment.view", doctor_id)
    zones = {zone for _name, zone, _place in _places.rows(doctor_id)}
    if not zones:
        return []
    days = {zone: _span(day, zone) for zone in zones}
    low, high = min(low for low, _high in days.values()), max(high for _low, high in days.values())
    rows = _of_doctor.rows(doctor_id, low, high)
    return _shown(viewer, [cells for cells in rows if days[cells[5]][0] <= cells[3] < days[cells[5]][1]])


def _shown(viewer: Viewer, rows: Sequence[Sequence[Any]]) -> list[AppointmentRow]:
    """Those of the rows (columns as above) that the viewer may see."""
    decided: dict[tuple[UUID, UUID], bool] = {}
    found = []
    for cells in rows:
        where = (cells[9], cells[6])
        right = decided.get(where)
        if right is None:
            # A right that needs no patient holds for every patient of this doctor at this place.
            subject = Subject(doctor_id=where[0], facility_id=where[1])
            right = decided[where] = policy.allowed(viewer, "appointment.view", subject)
        if right or policy.allowed(viewer, "appointment.view", Subject(cells[14], *where)):
            found.append(_row(cells))
    return found


def _span(day: date, zone: str) -> tuple[datetime, datetime]:
    """From midnight to midnight of a zone's calendar, in UTC."""
    here = ZoneInfo(zone)
    return (
        datetime.combine(day, time(0), here).astimezone(UTC),
        datetime.combine(day + timedelta(days=1), time(0), here).astimezone(UTC),
    )


def appointments(
    viewer: Viewer,
    *,
    doctor_id: UUID | None = None,
    patient_id: UUID | None = None,
    facility_id: UUID | None = None,
    status: str | None = None,
    from_: datetime | None = None,
    until: datetime | None = None,
    sort: str = "starts",
    page: int = 1,
    limit: int = 50,
) -> Page[AppointmentRow]:
    """Appointments the viewer may see, narrowed and sorted. `from_` is inclusive, `until` is not.

    Raises Invalid naming the field for an unknown status or sort, a page below 1, a limit outside 1 to 200.
    """
    if not isinstance(viewer, Person | SystemActor):
        raise Unauthenticated()
    if sort not in SORTS:
        raise Invalid(_("Unknown order."), field="sort", possible=sorted(SORTS))
    if status is not None and status not in APPOINTMENT.states():
        raise Invalid(_("Unknown status."), field="status", possible=APPOINTMENT.states())
    _require_page(page, limit)
    plain = sort == "starts" and not (patient_id or facility_id or status)
    if doctor_id and plain and from_ and until and until - from_ <= timedelta(days=2):
        # So few rows that each is looked at: the statement is then always the same and built once.
        seen = _shown(viewer, _of_doctor.rows(doctor_id, from_, until))
        return Page.of(seen[(page - 1) * limit : page * limit], len(seen), page, limit)
    sight = visible(viewer, "appointment.view")
    query = Appointment.objects.filter(sight)
    wanted = {
        "doctor_id": doctor_id,
        "patient_id": patient_id,
        "facility_id": facility_id,
        "state": status,
        "starts__gte": from_,
        "starts__lt": until,
    }
    query = query.filter(**cast("dict[str, Any]", {name: value for name, value in wanted.items() if value is not None}))
    total = query.count()
    rows = query.order_by(*SORTS[sort]).values_list(*_COLUMNS)[(page - 1) * limit : page * limit]
    return Page.of([_row(cells) for cells in rows], total, page, limit)


def doctor_patients(
    viewer: Viewer, doctor_id: UUID, *, search: str = "", page: int = 1, limit: int = 50
) -> Page[PatientRow]:
    """The patients in a doctor's list, new ones first, then by name. `search` is a part of a name or a record number.

    Staff see those who come to their facility.
    """
    require_doctor(viewer, "patient.list", doctor_id)
    _require_page(page, limit)
    links = CareLink.objects.filter(doctor_id=doctor_id)
    if not policy.allowed(viewer, "patient.list", Subject(doctor_id=doctor_id)):
        here = Appointment.objects.filter(visible(viewer, "appointment.view"), doctor_id=doctor_id)
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
    return Page.of(_patient_rows(ordered[(page - 1) * limit : page * limit]), total, page, limit)


def new_patient_count(viewer: Viewer, doctor_id: UUID) -> int:
    """How many patients in the list the doctor has not looked at yet."""
    policy.require_sight(viewer, "patient.list", Subject(doctor_id=doctor_id))
    return len(_unseen.rows(doctor_id))


def patient_of_doctor(viewer: Viewer, patient_id: UUID) -> PatientRow:
    """A patient in the viewing doctor's list. Raises NotFound for anyone else's."""
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    if viewer.doctor_id is None:
        raise NotFound()
    rows = _patient_rows(CareLink.objects.filter(doctor_id=viewer.doctor_id, patient_id=patient_id))
    if not rows:
        raise NotFound()
    return rows[0]


def schedule(viewer: Viewer, schedule_id: UUID) -> ScheduleView:
    """A schedule with its hours and coming exceptions, for those who may see it whole."""
    row = _schedules().filter(pk=schedule_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "schedule.view", Subject(doctor_id=row.doctor_id, facility_id=row.facility_id))
    return _view(row)


def schedules_of_doctor(viewer: Viewer, doctor_id: UUID) -> list[ScheduleView]:
    """A doctor's schedules, by facility name: all to the doctor, to staff those at their facility."""
    require_doctor(viewer, "schedule.view", doctor_id)
    rows = _schedules().filter(doctor_id=doctor_id)
    return [
        _view(row)
        for row in rows.order_by("facility__name", "pk")
        if policy.allowed(viewer, "schedule.view", Subject(doctor_id=row.doctor_id, facility_id=row.facility_id))
    ]


def places_of_doctor(viewer: Viewer, doctor_id: UUID) -> list[tuple[str, str]]:
    """Name and time zone of each place where a doctor has a schedule that the viewer may see, by name."""
    require_doctor(viewer, "schedule.view", doctor_id)
    return [
        (name, zone)
        for name, zone, place in _places.rows(doctor_id)
        if policy.allowed(viewer, "schedule.view", Subject(doctor_id=doctor_id, facility_id=place))
    ]


def _schedules() -> QuerySet[Schedule]:
    return Schedule.objects.select_related("doctor", "facility", "room").prefetch_related("weekly", "exceptions")


def _view(row: Schedule) -> ScheduleView:
    own_slot, own_buffer = row.slot_minutes, row.buffer_minutes
    weekly = sorted(row.weekly.all(), key=lambda part: (part.weekday, part.starts, part.ends))
    coming = sorted(row.exceptions.all(), key=lambda part: part.starts)
    now = clock.now()
    return ScheduleView(
        id=row.pk,
        doctor_id=row.doctor_id,
        doctor_name=str(row.doctor),
        facility_id=row.facility_id,
        facility_name=row.facility.name,
        time_zone=row.facility.time_zone,
        room_name=row.room.name if row.room else "",
        bookable=row.bookable,
        version=row.version,
        slot_minutes=row.facility.slot_minutes if own_slot is None else own_slot,
        buffer_minutes=row.facility.buffer_minutes if own_buffer is None else own_buffer,
        own_slot_minutes=own_slot,
        own_buffer_minutes=own_buffer,
        weekly=tuple(WeeklyRow(part.weekday, part.starts, part.ends, part.kind) for part in weekly),
        exceptions=tuple(
            ExceptionRow(part.pk, part.kind, part.starts, part.ends, part.note) for part in coming if part.ends > now
        ),
    )


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
        PatientRow(key, _name(family, given), mrn, born, sex, since, seen is None, at_next, at_last)
        for key, family, given, mrn, born, sex, since, seen, at_next, at_last in rows
    ]


def _name(family: str, given: str) -> str:
    return f"{family.upper()}, {given}"


def _subject(row: AppointmentRow) -> Subject:
    return Subject(row.patient_id, row.doctor_id, row.facility_id)


def _row(cells: Sequence[Any]) -> AppointmentRow:
    (
        key, status, version, starts, ends, zone, facility_id, facility, schedule_id, doctor_id, title, doctor_given,
        doctor_family, specialty, patient_id, family, given, mrn, born, sex, service_id, service, room, reason,
        attention,
    ) = cells  # fmt: skip
    return AppointmentRow(
        key, status, version, starts, ends, zone, facility_id, facility, schedule_id, doctor_id,
        f"{title} {doctor_given} {doctor_family}", specialty, patient_id, _name(family, given), mrn, born, sex,
        service_id, service or "", room or "", reason, attention,
    )  # fmt: skip


def _require_page(page: int, limit: int) -> None:
    if page < 1:
        raise Invalid(_("Pages count from 1."), field="page")
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(_("Ask for 1 to 200 rows."), field="limit")


__all__ = [
    "Slot", "appointment", "appointments", "doctor_day", "doctor_patients", "first_free", "free_slots",
    "new_patient_count", "next_free_by_doctor", "patient_of_doctor", "places_of_doctor", "schedule",
    "schedules_of_doctor",
]  # fmt: skip
