"""What scheduling lets people see. Every function takes the viewer first and shows nothing beyond their rights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import fields, policy
from polyclinic.core.access.fields import FieldRule
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.crypto.fields import column
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.people import joined
from polyclinic.scheduling.availability import first_free, free_slots, next_free_by_doctor
from polyclinic.scheduling.models import Appointment, Schedule
from polyclinic.scheduling.patients import doctor_patients, new_patient_count, patient_of_doctor
from polyclinic.scheduling.rows import (
    AppointmentRow,
    ExceptionRow,
    Page,
    ScheduleView,
    Slot,
    WeeklyRow,
    full_name,
    require_page,
    span,
)
from polyclinic.scheduling.sight import require_doctor, visible
from polyclinic.scheduling.states import APPOINTMENT

_NOTHING_HIDDEN: tuple[FieldRule, ...] = ()
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
    "service_id", "service__name", "room__name", "reason", "attention", "overbooking__at",
)  # fmt: skip
_REASON = _COLUMNS.index("reason")
_reason = column(Appointment, "reason")
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
    (cells,) = rows
    row = _row(cells, _reason.open(cells[0], cells[_REASON]))
    policy.require_sight(viewer, "appointment.view", _subject(row))
    reads.opened(viewer, "appointment", row.id, patient_id=row.patient_id, facility_id=row.facility_id)
    return fields.shown(viewer, "appointment", _subject(row), row)


def doctor_day(viewer: Viewer, doctor_id: UUID, day: date, *, shown: bool = True) -> list[AppointmentRow]:
    """A doctor's appointments on a day of each facility's own calendar, by time, in every state.

    `shown`: whether the rows are given to the viewer; who only counts them has read about nobody. Staff see those at
    their own facility. Raises NotFound for a doctor who is none of the viewer's business.
    """
    require_doctor(viewer, "appointment.view", doctor_id)
    zones = {zone for _name, zone, _place in _places.rows(doctor_id)}
    if not zones:
        return []
    days = {zone: span(day, ZoneInfo(zone)) for zone in zones}
    low, high = min(low for low, _high in days.values()), max(high for _low, high in days.values())
    rows = _of_doctor.rows(doctor_id, low, high)
    found = _shown(viewer, [cells for cells in rows if days[cells[5]][0] <= cells[3] < days[cells[5]][1]])
    if shown:
        _listed(viewer, doctor_id, found)
    return found


def _listed(viewer: Viewer, owner: UUID | None, rows: Sequence[AppointmentRow]) -> None:
    reads.listed(viewer, "appointment", owner, ((row.patient_id, row.facility_id) for row in rows))


def _shown(viewer: Viewer, rows: Sequence[Sequence[Any]]) -> list[AppointmentRow]:
    """Those of the rows (columns as above) that the viewer may see, with the fields that they are shown."""
    decided: dict[tuple[UUID, UUID], tuple[bool, tuple[FieldRule, ...]]] = {}
    seen: list[Sequence[Any]] = []
    cut: list[int] = []
    where: tuple[UUID, UUID] | None = None
    right, hidden = False, _NOTHING_HIDDEN
    closed = policy.closed_records("appointment.read_reason")
    for cells in rows:
        if where is None or cells[9] is not where[0] or cells[6] is not where[1]:
            # Mostly the very doctor and place of the row before; equal ones that are not the same only look again.
            where = (cells[9], cells[6])
            if where not in decided:
                decided[where] = _decided(viewer, *where)
            right, hidden = decided[where]
        if right or policy.allowed(viewer, "appointment.view", Subject(cells[14], *where)):
            # Most rights need no patient; where one is missing, or closed on this very record, the patient makes the
            # difference.
            if hidden or (closed and cells[14] in closed):
                cut.append(len(seen))
            seen.append(cells)
    reasons = _reason.open_each([cells[0] for cells in seen], [cells[_REASON] for cells in seen])
    found = list(map(_row, seen, reasons))
    for place in cut:
        found[place] = fields.shown(viewer, "appointment", _subject(found[place]), found[place])
    return found


def _decided(viewer: Viewer, doctor_id: UUID, facility_id: UUID) -> tuple[bool, tuple[FieldRule, ...]]:
    """Whether the viewer sees every patient's appointment of this doctor at this place, and what of it not."""
    subject = Subject(doctor_id=doctor_id, facility_id=facility_id)
    return policy.allowed(viewer, "appointment.view", subject), fields.withheld(viewer, "appointment", subject)


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
    require_page(page, limit)
    plain = sort == "starts" and not (patient_id or facility_id or status)
    if doctor_id and plain and from_ and until and until - from_ <= timedelta(days=2):
        # So few rows that each is looked at: the statement is then always the same and built once.
        seen = _shown(viewer, _of_doctor.rows(doctor_id, from_, until))
        part = seen[(page - 1) * limit : page * limit]
        _listed(viewer, doctor_id, part)
        return Page.of(part, len(seen), page, limit)
    sight = visible(viewer, "appointment.view")
    query = Appointment.objects.filter(sight)
    wanted = {
        "doctor_id": doctor_id,
        "patient_id__in": joined.same(patient_id) if patient_id else None,
        "facility_id": facility_id,
        "state": status,
        "starts__gte": from_,
        "starts__lt": until,
    }
    query = query.filter(**cast("dict[str, Any]", {name: value for name, value in wanted.items() if value is not None}))
    total = query.count()
    rows = query.order_by(*SORTS[sort]).values_list(*_COLUMNS)[(page - 1) * limit : page * limit]
    found = _shown(viewer, list(rows))
    _listed(viewer, doctor_id or patient_id or facility_id, found)
    return Page.of(found, total, page, limit)


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


def schedules_of_facility(viewer: Viewer, facility_id: UUID) -> list[ScheduleView]:
    """Schedules in which patients are booked at a facility, by the doctor's name. Raises NotFound elsewhere."""
    policy.require_sight(viewer, "schedule.view", Subject(facility_id=facility_id))
    rows = _schedules().filter(facility_id=facility_id, bookable=True, doctor__account__is_active=True)
    return [_view(row) for row in rows.order_by("doctor__family_name", "doctor__given_name", "pk")]


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
        overbook_limit=row.overbook_limit,
        weekly=tuple(WeeklyRow(part.weekday, part.starts, part.ends, part.kind) for part in weekly),
        exceptions=tuple(
            ExceptionRow(part.pk, part.kind, part.starts, part.ends, part.note) for part in coming if part.ends > now
        ),
    )


def _subject(row: AppointmentRow) -> Subject:
    return Subject(row.patient_id, row.doctor_id, row.facility_id)


def _row(cells: Sequence[Any], opened: str) -> AppointmentRow:
    """The row of these columns with its reason opened."""
    (
        key, status, version, starts, ends, zone, facility_id, facility, schedule_id, doctor_id, title, doctor_given,
        doctor_family, specialty, patient_id, family, given, mrn, born, sex, service_id, service, room, _sealed,
        attention, extra,
    ) = cells  # fmt: skip
    return AppointmentRow(
        key, status, version, starts, ends, zone, facility_id, facility, schedule_id, doctor_id,
        f"{title} {doctor_given} {doctor_family}", specialty, patient_id, full_name(family, given), mrn, born, sex,
        service_id, service or "", room or "", opened, attention, extra=extra is not None,
    )  # fmt: skip


__all__ = [
    "Slot", "appointment", "appointments", "doctor_day", "doctor_patients", "first_free", "free_slots",
    "new_patient_count", "next_free_by_doctor", "patient_of_doctor", "places_of_doctor", "schedule",
    "schedules_of_doctor",
]  # fmt: skip
