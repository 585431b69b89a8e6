"""Slot search: which times can be booked now. Public, since it says nothing about who has the others."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.actors import Viewer
from polyclinic.core.db import adapt, is_postgres
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.facilities.models import Facility, Service
from polyclinic.people.models import Doctor
from polyclinic.scheduling import frames as frames_
from polyclinic.scheduling.frames import Frame
from polyclinic.scheduling.models import Schedule
from polyclinic.scheduling.rows import Slot
from polyclinic.scheduling.slots import Busy, Span, minute_of, moment_of

MAX_DAYS = 120
_IN_PART = 500


def free_slots(
    viewer: Viewer,
    *,
    doctor_id: UUID | None = None,
    specialty: str | None = None,
    service_id: UUID | None = None,
    facility_id: UUID | None = None,
    schedule_id: UUID | None = None,
    first_day: date,
    days: int,
    limit: int | None = None,
) -> list[Slot]:
    """Free slots of every schedule that matches, on `days` days from `first_day` in each facility's calendar.

    Raises Invalid for a number of days outside 1 to 120, NotFound when something named does not exist.
    """
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(_("Choose between 1 and 120 days."), field="days")
    found = _matching(doctor_id, specialty, service_id, facility_id, schedule_id)
    return _search(found, _minutes(service_id), first_day, days, limit)


def first_free(
    viewer: Viewer,
    *,
    doctor_id: UUID | None = None,
    specialty: str | None = None,
    service_id: UUID | None = None,
    facility_id: UUID | None = None,
    schedule_id: UUID | None = None,
    limit: int = 1,
    horizon_days: int = 90,
) -> list[Slot]:
    """The next `limit` free slots of every schedule that matches, soonest first."""
    found = _matching(doctor_id, specialty, service_id, facility_id, schedule_id)
    length = _minutes(service_id)
    slots: list[Slot] = []
    # Most doctors are free within the week: look there before looking through months.
    for offset, days in _windows(horizon_days):
        slots += _search(found, length, _today() + timedelta(days=offset), days, limit - len(slots))
        if len(slots) >= limit:
            break
    return slots


def next_free_by_doctor(viewer: Viewer, doctor_ids: Iterable[UUID]) -> dict[UUID, Slot]:
    """Each doctor's first free slot within 90 days; a doctor without one is absent."""
    waiting = set(doctor_ids)
    slots: dict[UUID, Slot] = {}
    found = _bookable(frames_.frames(Schedule.objects.filter(doctor_id__in=waiting, bookable=True)))
    for offset, days in _windows(90):
        left = [item for item in found if item.doctor_id in waiting]
        if not left:
            break
        for slot in _search(left, None, _today() + timedelta(days=offset), days, None):
            slots.setdefault(slot.doctor_id, slot)
        waiting -= slots.keys()
    return slots


def nearest(schedule_id: UUID, service_id: UUID | None, wished: datetime, limit: int = 3) -> list[Slot]:
    """What to offer someone whose wished time is gone: the next free slots of the same schedule from then on.

    With too few left, the soonest ones of all.
    """
    item = frames_.frame(schedule_id)
    if item is None or not item.bookable:
        return []
    length = _minutes(service_id)
    start = max(wished, clock.now())
    day = start.astimezone(item.plan.zone).date()
    slots: list[Slot] = []
    for offset, days in _windows(item.horizon_days + 1):
        fresh = _search([item], length, day + timedelta(days=offset), days, None)
        slots += [slot for slot in fresh if slot.starts >= start and slot.starts != wished][: limit - len(slots)]
        if len(slots) >= limit:
            return slots
    sooner = _search([item], length, _today(), MAX_DAYS, limit)
    return sorted({slot.starts: slot for slot in [*slots, *sooner]}.values(), key=lambda slot: slot.starts)[:limit]


def service_minutes(service_id: UUID, specialty: str) -> int | None:
    """How long the service takes, None when it leaves that to the schedule.

    Raises NotFound for an unknown service, Invalid when the doctor's specialty does not give it.
    """
    minutes, given_by = _service(service_id)
    if given_by != specialty:
        raise Invalid(_("This doctor does not give this service."), code="other_specialty", field="serviceId")
    return minutes


def _service(service_id: UUID) -> tuple[int | None, str]:
    row = Service.objects.filter(pk=service_id).values_list("minutes", "specialty").first()
    if row is None:
        raise NotFound(field="serviceId")
    return row


def _minutes(service_id: UUID | None) -> int | None:
    return _service(service_id)[0] if service_id else None


def _today() -> date:
    # A day early, since somewhere west it is still yesterday; past slots are cut off by the clock, not by the day.
    return clock.now().date() - timedelta(days=1)


def _windows(horizon: int) -> list[tuple[int, int]]:
    """(offset, days) parts of the horizon, the first ones small."""
    edges = [0, *(edge for edge in (8, 36) if edge < horizon + 2), horizon + 2]
    return [(low, high - low) for low, high in itertools.pairwise(edges)]


def _matching(
    doctor_id: UUID | None,
    specialty: str | None,
    service_id: UUID | None,
    facility_id: UUID | None,
    schedule_id: UUID | None,
) -> list[Frame]:
    if schedule_id and not (doctor_id or specialty or service_id or facility_id):
        one = frames_.frame(schedule_id)
        if one is None:
            raise NotFound(field="scheduleId")
        return _bookable([one])
    query = Schedule.objects.filter(bookable=True, doctor__account__is_active=True)
    if schedule_id:
        query = query.filter(pk=schedule_id)
    if doctor_id:
        query = query.filter(doctor_id=doctor_id)
    if facility_id:
        query = query.filter(facility_id=facility_id)
    if specialty:
        query = query.filter(doctor__specialty=specialty)
    if service_id:
        query = query.filter(doctor__specialty=_service(service_id)[1])
    found = frames_.frames(query)
    if not found:
        _require_known(doctor_id, facility_id, schedule_id)
    return found


def _require_known(doctor_id: UUID | None, facility_id: UUID | None, schedule_id: UUID | None) -> None:
    """Nothing matched: say so plainly when what was named does not even exist."""
    if doctor_id and not Doctor.objects.filter(pk=doctor_id).exists():
        raise NotFound(field="doctorId")
    if facility_id and not Facility.objects.filter(pk=facility_id).exists():
        raise NotFound(field="facilityId")
    if schedule_id and not Schedule.objects.filter(pk=schedule_id).exists():
        raise NotFound(field="scheduleId")


def _bookable(found: list[Frame]) -> list[Frame]:
    return [item for item in found if item.bookable]


def _search(found: Sequence[Frame], length: int | None, first_day: date, days: int, limit: int | None) -> list[Slot]:
    if not found or (limit is not None and limit <= 0):
        return []
    now = clock.now()
    from_minute = int(datetime.combine(first_day, datetime.min.time(), now.tzinfo).timestamp()) // 60
    # Zones reach from UTC-12 to UTC+14; a day on either side covers every facility's calendar.
    until = from_minute + (days + 1) * 1440
    busy = _busy(found, from_minute - 1440, until)
    present = int(now.timestamp()) // 60
    picked: list[tuple[int, int, Frame]] = []
    for item in found:
        taken = Busy(busy.get(_key(item.doctor_id), ()), busy.get(_key(item.room_id), ()) if item.room_id else ())
        minutes = length or item.plan.slot
        starts = item.plan.free(
            first_day,
            days,
            minutes,
            taken,
            present + 1 + item.lead_minutes,
            present + item.horizon_days * 1440,
        )
        # Each schedule is in order by itself: no more than `limit` of one can be among the first `limit` of all.
        picked += [(start, start + minutes, item) for start in (starts[:limit] if limit else starts)]
    if len(found) > 1:
        picked.sort(key=itemgetter(0))
    if limit:
        picked = picked[:limit]
    # Doctors of one clinic begin at the same minutes: each moment is made once.
    moments = {minute: moment_of(minute) for start, end, _item in picked for minute in (start, end)}
    return [
        Slot(item.schedule_id, item.doctor_id, item.facility_id, moments[start], moments[end], item.time_zone)
        for start, end, item in picked
    ]


def _key(resource: UUID | None) -> Any:  # noqa: ANN401 - a string on SQLite, a UUID on PostgreSQL
    """A resource id as the database driver hands it back."""
    return adapt(resource)


def _busy(found: Sequence[Frame], from_minute: int, until: int) -> dict[object, list[Span]]:
    """What is reserved in this stretch, by resource. Written by hand: turning ten thousand rows into datetimes costs
    more than the whole search. PostgreSQL counts the minutes itself; SQLite hands over its texts, of which there are
    few different ones, since doctors begin at the same times."""
    resources = {item.doctor_id for item in found} | {item.room_id for item in found if item.room_id}
    keys: list[Any] = [_key(resource) for resource in resources]
    # The concatenation hides the column's declared type, by which the driver would make datetimes after all.
    minutes = "(EXTRACT(EPOCH FROM {0})/60)::bigint" if is_postgres() else "{0} || ''"
    known: dict[Any, int] = {}
    spans: dict[object, list[Span]] = {}
    low, high = adapt(moment_of(from_minute)), adapt(moment_of(until))
    before = adapt(moment_of(from_minute - 1440))
    for part in range(0, len(keys), _IN_PART):
        chunk = keys[part : part + _IN_PART]
        sql = (
            f"SELECT r.resource_id, {minutes.format('r.starts')}, {minutes.format('r.ends')} "  # noqa: S608 - constants
            "FROM scheduling_reservation r LEFT JOIN scheduling_hold h ON h.id = r.hold_id "
            f"WHERE r.resource_id IN ({', '.join(['%s'] * len(chunk))}) "
            "AND r.starts < %s AND r.starts > %s AND r.ends > %s "
            "AND (r.hold_id IS NULL OR h.expires_at > %s)"
        )
        params: list[Any] = [*chunk, high, before, low, adapt(clock.now())]
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: list[Any] = cursor.fetchall()
        for resource, start, end in rows:
            spans.setdefault(resource, []).append((_minute(known, start), _minute(known, end)))
    return spans


def _minute(known: dict[Any, int], value: Any) -> int:  # noqa: ANN401 - minutes on PostgreSQL, text on SQLite
    found = known.get(value)
    if found is None:
        text = not isinstance(value, int)
        found = known[value] = minute_of(datetime.fromisoformat(f"{value}+00:00")) if text else value
    return found
