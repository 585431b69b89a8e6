"""The doctors of a house: who they are and when they are next free, and the week as a table of doctors and days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Count, QuerySet

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import NotFound
from polyclinic.facilities.models import Department, Facility, Room
from polyclinic.scheduling import availability, frames
from polyclinic.scheduling.models import Appointment, Schedule, ScheduleException
from polyclinic.scheduling.rows import Slot
from polyclinic.scheduling.slots import moment_of
from polyclinic.scheduling.states import EXPECTED

WEEK = 7


class MemberRow(msgspec.Struct, frozen=True, rename="camel"):
    """A doctor of the house. `state`: active, away (on leave now), closed (the account) or paused (not bookable).

    `next_free` is the soonest time that can be booked here; `elsewhere`, that they also see patients at another house.
    """

    doctor_id: UUID
    schedule_id: UUID
    name: str
    specialty: str
    department_name: str
    room_name: str
    state: str
    next_free: datetime | None
    time_zone: str
    elsewhere: bool
    coming: int


class RotaDay(msgspec.Struct, frozen=True, rename="camel"):
    """One doctor's day: stretches worked as wall-clock times of the house, whether leave lies in it, what is booked."""

    day: date
    worked: tuple[tuple[str, str], ...]
    leave: bool
    booked: int


class RotaRow(msgspec.Struct, frozen=True, rename="camel"):
    """One doctor's week."""

    doctor_id: UUID
    schedule_id: UUID
    name: str
    department_name: str
    room_name: str
    days: tuple[RotaDay, ...]
    minutes: int


class Rota(msgspec.Struct, frozen=True, rename="camel"):
    """A house's week, Monday to Sunday in its own calendar."""

    hospital_id: UUID
    hospital_name: str
    time_zone: str
    first_day: date
    rows: tuple[RotaRow, ...]


class Choice(msgspec.Struct, frozen=True, rename="camel"):
    """Something of a house that can be chosen."""

    id: UUID
    name: str


def members(viewer: Viewer, facility_id: UUID) -> list[MemberRow]:
    """The doctors who have hours at this house, by name. Raises NotFound for a house that is not the viewer's."""
    facility = _facility(viewer, facility_id)
    now = clock.now()
    rows = list(_schedules(facility_id).order_by("doctor__family_name", "doctor__given_name", "pk"))
    others = Schedule.objects.filter(doctor__in=[row.doctor_id for row in rows]).exclude(facility_id=facility_id)
    travelling = set(others.values_list("doctor_id", flat=True))
    expected = Appointment.objects.filter(schedule__in=rows, state__in=EXPECTED, starts__gt=now)
    coming = dict(expected.values_list("schedule_id").annotate(Count("pk")).order_by())
    free: dict[UUID, Slot] = availability.next_free_by_schedule(viewer, [row.pk for row in rows])
    leave = ScheduleException.objects.filter(
        schedule__in=rows, kind=ScheduleException.Kind.LEAVE, starts__lte=now, ends__gt=now
    )
    away = set(leave.values_list("schedule_id", flat=True))
    return [
        MemberRow(
            row.doctor_id, row.pk, str(row.doctor), row.doctor.specialty,
            row.department.name if row.department else "", row.room.name if row.room else "", _state(row, away),
            free[row.pk].starts if row.pk in free and row.doctor.account.is_active else None, facility.time_zone,
            row.doctor_id in travelling, coming.get(row.pk, 0),
        )
        for row in rows
    ]  # fmt: skip


def rota(viewer: Viewer, facility_id: UUID, day: date, *, department_id: UUID | None = None) -> Rota:
    """The week in which `day` lies, for all doctors of a house or those of a department, by department and name.

    Raises NotFound for a house that is not the viewer's.
    """
    facility = _facility(viewer, facility_id)
    first = day - timedelta(days=day.weekday())
    query = _schedules(facility_id).filter(doctor__account__is_active=True)
    if department_id is not None:
        query = query.filter(department_id=department_id)
    rows = list(query.order_by("department__name", "doctor__family_name", "doctor__given_name", "pk"))
    plans = {frame.schedule_id: frame.plan for frame in frames.frames(query.order_by())}
    zone = ZoneInfo(facility.time_zone)
    leave, booked = _leave(rows, first, zone), _booked(rows, first, zone)
    made = []
    for row in rows:
        days, minutes = [], 0
        for number in range(WEEK):
            one = first + timedelta(days=number)
            worked = plans[row.pk].worked(one)
            minutes += sum(end - start for start, end in worked)
            days.append(
                RotaDay(
                    one, tuple((_wall(start, zone), _wall(end, zone)) for start, end in worked),
                    (row.pk, one) in leave, booked.get((row.pk, one), 0),
                )
            )  # fmt: skip
        made.append(
            RotaRow(
                row.doctor_id, row.pk, str(row.doctor), row.department.name if row.department else "",
                row.room.name if row.room else "", tuple(days), minutes,
            )
        )  # fmt: skip
    return Rota(facility.pk, facility.name, facility.time_zone, first, tuple(made))


def departments(viewer: Viewer, facility_id: UUID) -> list[Choice]:
    """The departments of a house, by name."""
    _facility(viewer, facility_id)
    rows = Department.objects.filter(facility_id=facility_id).order_by("name", "pk")
    return [Choice(*cells) for cells in rows.values_list("id", "name")]


def rooms(viewer: Viewer, facility_id: UUID) -> list[Choice]:
    """The rooms of a house, by name."""
    _facility(viewer, facility_id)
    rows = Room.objects.filter(facility_id=facility_id).order_by("name", "pk")
    return [Choice(*cells) for cells in rows.values_list("id", "name")]


def _facility(viewer: Viewer, facility_id: UUID) -> Facility:
    policy.require_sight(viewer, "rota.view", Subject(facility_id=facility_id))
    found = Facility.objects.filter(pk=facility_id).first()
    if found is None:
        raise NotFound()
    return found


def _schedules(facility_id: UUID) -> QuerySet[Schedule]:
    rows = Schedule.objects.filter(facility_id=facility_id)
    return rows.select_related("doctor__account", "department", "room")


def _state(row: Schedule, away: set[UUID]) -> str:
    if not row.doctor.account.is_active:
        return "closed"
    if not row.bookable:
        return "paused"
    return "away" if row.pk in away else "active"


def _leave(rows: list[Schedule], first: date, zone: ZoneInfo) -> set[tuple[UUID, date]]:
    """Schedule and day wherever leave touches the day. Past leave too: a rota is also read afterwards."""
    low, high = _moment(first, zone), _moment(first + timedelta(days=WEEK), zone)
    found = ScheduleException.objects.filter(
        schedule__in=rows, kind=ScheduleException.Kind.LEAVE, starts__lt=high, ends__gt=low
    )
    touched = set()
    for key, starts, ends in found.values_list("schedule_id", "starts", "ends"):
        for number in range(WEEK):
            day = first + timedelta(days=number)
            if starts < _moment(day + timedelta(days=1), zone) and ends > _moment(day, zone):
                touched.add((key, day))
    return touched


def _booked(rows: list[Schedule], first: date, zone: ZoneInfo) -> dict[tuple[UUID, date], int]:
    low, high = _moment(first, zone), _moment(first + timedelta(days=WEEK), zone)
    counts: dict[tuple[UUID, date], int] = {}
    found = Appointment.objects.filter(schedule__in=rows, state__in=EXPECTED, starts__gte=low, starts__lt=high)
    for key, starts in found.values_list("schedule_id", "starts"):
        place = key, starts.astimezone(zone).date()
        counts[place] = counts.get(place, 0) + 1
    return counts


def _moment(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _wall(minute: int, zone: ZoneInfo) -> str:
    return f"{moment_of(minute).astimezone(zone):%H:%M}"
