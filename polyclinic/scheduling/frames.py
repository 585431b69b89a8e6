"""Schedules made ready for arithmetic, kept per version: no stale answer can outlive the commit that changed it.

The versions of schedule and facility are read with every use, in one query; a plan is only believed under both.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from polyclinic.core import clock
from polyclinic.core.db import Asked, CompiledQuery, run_together
from polyclinic.core.errors import NotFound
from polyclinic.core.ids import new_id
from polyclinic.facilities import ruling
from polyclinic.facilities.declared import SETTINGS
from polyclinic.facilities.models import Facility
from polyclinic.scheduling.models import Schedule, ScheduleException, WeeklyHours
from polyclinic.scheduling.rows import WeeklyRow
from polyclinic.scheduling.slots import Plan, Span, minute_of

_CACHE_SIZE = 5_000
_plans: OrderedDict[tuple[UUID, int, int], Plan] = OrderedDict()
_lock = threading.Lock()
_touched = threading.local()

_COLUMNS = (
    "id", "version", "doctor_id", "facility_id", "room_id", "bookable", "slot_minutes", "buffer_minutes",
    "doctor__specialty", "facility__version", "facility__time_zone", "facility__slot_minutes",
    "facility__buffer_minutes", "facility__notice_hours", "facility__lead_minutes", "facility__horizon_days",
    "facility__phone", "doctor__travel_minutes", "department_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """A schedule with what booking needs of its facility, and its plan."""

    schedule_id: UUID
    version: int
    doctor_id: UUID
    facility_id: UUID
    room_id: UUID | None
    bookable: bool
    specialty: str
    lead_minutes: int
    horizon_days: int
    facility: Facility
    plan: Plan
    # How long a chosen time is kept, in minutes.
    hold_minutes: int
    # Minutes that lie at least between the doctor's work here and at another facility.
    travel: int = 0

    @property
    def time_zone(self) -> str:
        return self.plan.zone.key


_one = CompiledQuery(lambda pk: Schedule.objects.filter(pk=pk).values_list(*_COLUMNS), new_id())


def frame(schedule_id: UUID) -> Frame | None:
    """One schedule made ready, or None when there is no such schedule."""
    found = _made(_one.rows(schedule_id))
    return found[0] if found else None


def required(schedule_id: UUID) -> Frame:
    """The frame of a schedule that must be there. Raises NotFound naming the field."""
    return of_rows(run_together(_one.asking(schedule_id))[0])


def asking(schedule_id: UUID) -> Asked:
    """What `required` asks, for who has other questions as well; `of_rows` reads the answer."""
    return _one.asking(schedule_id)


def of_rows(fetched: list[Sequence[Any]]) -> Frame:
    """The frame of what was fetched. Raises NotFound naming the field."""
    found = _made(_one.read(fetched))
    if not found:
        raise NotFound(field="scheduleId")
    return found[0]


def frames(schedules: QuerySet[Schedule]) -> list[Frame]:
    """All schedules of a query made ready, with at most three queries."""
    return _made(list(schedules.values_list(*_COLUMNS)))


def plan_afresh(schedule_id: UUID) -> Plan:
    """The plan as the running transaction sees it, past the cache and without entering it."""
    being_changed(schedule_id)
    return _load(_one.rows(schedule_id))[schedule_id]


def unchanged(known: Frame) -> bool:
    """Whether the schedule is still the version it was made ready from."""
    rows = _one.rows(known.schedule_id)
    return bool(rows) and (rows[0][1], rows[0][5], rows[0][9], rows[0][17]) == (
        known.version,
        known.bookable,
        known.facility.version,
        known.travel,
    )


# The same asked of PostgreSQL inside another statement, with the values of `sameness`.
SAME: Final = (
    "SELECT 1 FROM scheduling_schedule s JOIN facilities_facility f ON f.id = s.facility_id "
    "JOIN people_doctor d ON d.id = s.doctor_id WHERE s.id = %s AND s.version = %s AND s.bookable = %s "
    "AND f.version = %s AND d.travel_minutes = %s"
)


def sameness(known: Frame) -> list[Any]:
    return [known.schedule_id, known.version, known.bookable, known.facility.version, known.travel]


def being_changed(schedule_id: UUID) -> None:
    """From now on this thread does not remember the schedule from inside a transaction: it may yet roll back."""
    if not hasattr(_touched, "ids"):
        _touched.ids = set()
    _touched.ids.add(schedule_id)


def _made(rows: Sequence[Sequence[Any]]) -> list[Frame]:
    missing = [row for row in rows if (row[0], row[1], row[9]) not in _plans]
    fresh = _load(missing) if missing else {}
    made = []
    for row in rows:
        plan = fresh.get(row[0]) or _plans.get((row[0], row[1], row[9]))
        # Another thread may have pushed it out of the cache since we looked.
        made.append(_frame(row, plan or _load([row])[row[0]]))
    return made


def _frame(row: Sequence[Any], plan: Plan) -> Frame:
    facility = _facility(row[3], *row[9:17])
    lead, horizon, hold = row[14], row[15], SETTINGS["hold_minutes"].usual
    if row[9] != ruling.UNTOUCHED:
        lead, horizon, hold = (ruling.value(facility, key) for key in ("lead_minutes", "horizon_days", "hold_minutes"))
    return Frame(row[0], row[1], row[2], row[3], row[4], row[5], row[8], lead, horizon, facility, plan, hold, row[17])


@lru_cache(512)
def _facility(key: UUID, *cells: Any) -> Facility:  # noqa: ANN401 - the facility's columns above
    """What booking needs of a facility. Shared by all who read these same values, so nobody may change it."""
    version, time_zone, slot, buffer, notice, lead, horizon, phone = cells
    return Facility(
        id=key, version=version, time_zone=time_zone, slot_minutes=slot, buffer_minutes=buffer, notice_hours=notice,
        lead_minutes=lead, horizon_days=horizon, phone=phone,
    )  # fmt: skip


def _load(rows: Sequence[Sequence[Any]]) -> dict[UUID, Plan]:
    ids = [row[0] for row in rows]
    weekly: dict[UUID, list[WeeklyRow]] = {key: [] for key in ids}
    leave: dict[UUID, list[Span]] = {key: [] for key in ids}
    openings: dict[UUID, list[Span]] = {key: [] for key in ids}
    for part in _parts(ids):
        columns = ("schedule_id", "weekday", "starts", "ends", "kind")
        for key, *cells in WeeklyHours.objects.filter(schedule_id__in=part).order_by("pk").values_list(*columns):
            weekly[key].append(WeeklyRow(*cells))
        # What is over can hide or open no slot any more.
        current = ScheduleException.objects.filter(schedule_id__in=part, ends__gt=clock.now())
        for key, kind, starts, ends in current.values_list("schedule_id", "kind", "starts", "ends"):
            (leave if kind == ScheduleException.Kind.LEAVE else openings)[key].append(
                (minute_of(starts), minute_of(ends))
            )
    plans = {row[0]: plan_of(row, weekly[row[0]], leave[row[0]], openings[row[0]]) for row in rows}
    unsure = getattr(_touched, "ids", ()) if connection.in_atomic_block else ()
    with _lock:
        for row in rows:
            if row[0] not in unsure:
                _plans[row[0], row[1], row[9]] = plans[row[0]]
        while len(_plans) > _CACHE_SIZE:
            _plans.popitem(last=False)
    return plans


def plan_of(row: Sequence[Any], weekly: Iterable[WeeklyRow], leave: Iterable[Span], openings: Iterable[Span]) -> Plan:
    """The plan of a schedule row (in the order of the columns above) with these parts."""
    opening = ruling.opening(_facility(row[3], *row[9:17]), row[18])
    return Plan(
        zone=ZoneInfo(row[10]),
        weekly=tuple(weekly),
        leave=tuple(leave),
        openings=tuple(openings),
        slot=row[6] if row[6] is not None else row[11],
        buffer=row[7] if row[7] is not None else row[12],
        house=opening.on if opening else None,
    )


def _parts(ids: list[UUID], size: int = 500) -> Iterable[list[UUID]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
