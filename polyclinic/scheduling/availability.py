"""Slot search: which times can be booked now. Public, since it says nothing about who has the others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from math import ceil
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.actors import Viewer
from polyclinic.core.db import Statement, adapt, is_postgres, run_sql
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.facilities import offers, ruling
from polyclinic.facilities.models import Facility
from polyclinic.facilities.offers import Offer
from polyclinic.people.models import Doctor
from polyclinic.scheduling import frames as frames_
from polyclinic.scheduling import needs, travel
from polyclinic.scheduling.frames import Frame
from polyclinic.scheduling.models import Schedule
from polyclinic.scheduling.needs import Asked, Crew, Needs
from polyclinic.scheduling.rows import Slot
from polyclinic.scheduling.slots import Busy, Span, minus, minute_of, moment_of, wall_minute

MAX_DAYS = 120
_FOREVER = 2**40
_IN_PART = 500
# Schedule, doctor, facility, time zone and length in minutes of one schedule's slots.
_Offer = tuple[UUID, UUID, UUID, str, int]


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
    wanted = _asked(service_id)
    found = _matching(doctor_id, specialty, wanted, facility_id, schedule_id)
    return _search(found, wanted, first_day, days, limit)


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
    wanted = _asked(service_id)
    found = _matching(doctor_id, specialty, wanted, facility_id, schedule_id)
    slots: list[Slot] = []
    # Most doctors are free within the week: look there before looking through months.
    for offset, days in _windows(horizon_days):
        slots += _search(found, wanted, _today() + timedelta(days=offset), days, limit - len(slots))
        if len(slots) >= limit:
            break
    return slots


def next_free_by_doctor(
    viewer: Viewer, doctor_ids: Iterable[UUID], *, service_id: UUID | None = None
) -> dict[UUID, Slot]:
    """Each doctor's first free slot (for a service) within 90 days; a doctor without one is absent."""
    waiting, wanted = set(doctor_ids), _asked(service_id)
    slots: dict[UUID, Slot] = {}
    found = _bookable(frames_.frames(Schedule.objects.filter(doctor_id__in=waiting, bookable=True)))
    for offset, days in _windows(90):
        left = [item for item in found if item.doctor_id in waiting]
        if not left:
            break
        for slot in _search(left, wanted, _today() + timedelta(days=offset), days, None):
            slots.setdefault(slot.doctor_id, slot)
        waiting -= slots.keys()
    return slots


def next_free_by_schedule(viewer: Viewer, schedule_ids: Iterable[UUID]) -> dict[UUID, Slot]:
    """Each schedule's first free slot within 90 days; one without is absent."""
    found = _bookable(frames_.frames(Schedule.objects.filter(pk__in=list(schedule_ids), bookable=True)))
    slots: dict[UUID, Slot] = {}
    for offset, days in _windows(90):
        left = [item for item in found if item.schedule_id not in slots]
        if not left:
            break
        for slot in _search(left, None, _today() + timedelta(days=offset), days, None):
            slots.setdefault(slot.schedule_id, slot)
    return slots


def nearest(schedule_id: UUID, service_id: UUID | None, wished: datetime, limit: int = 3) -> list[Slot]:
    """What to offer someone whose wished time is gone: the next free slots of the same schedule from then on.

    With too few left, the soonest ones of all.
    """
    item = frames_.frame(schedule_id)
    if item is None or not item.bookable:
        return []
    asked = _asked(service_id)
    start = max(wished, clock.now())
    day = start.astimezone(item.plan.zone).date()
    slots: list[Slot] = []
    for offset, days in _windows(item.horizon_days + 1):
        # One more than needed: the wished time itself may be among them.
        fresh = _search([item], asked, day + timedelta(days=offset), days, limit + 1, since=start)
        slots += [slot for slot in fresh if slot.starts != wished][: limit - len(slots)]
        if len(slots) >= limit:
            return slots
    sooner = _search([item], asked, _today(), MAX_DAYS, limit)
    return sorted({slot.starts: slot for slot in [*slots, *sooner]}.values(), key=lambda slot: slot.starts)[:limit]


def _asked(service_id: UUID | None) -> Asked | None:
    return needs.asked(service_id) if service_id else None


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
    wanted: Asked | None,
    facility_id: UUID | None,
    schedule_id: UUID | None,
) -> list[Frame]:
    if schedule_id and not (doctor_id or specialty or wanted or facility_id):
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
    if wanted:
        query = query.filter(doctor__specialty=wanted.specialty)
    if wanted and wanted.facility_id:
        query = query.filter(facility_id=wanted.facility_id)
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


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of minutes in which one schedule offers times on the same terms, and what each time takes."""

    low: int
    high: int
    minutes: int
    needs: Needs | None = None


def _parts(item: Frame, wanted: Asked | None, low: int, high: int, crew: Crew) -> list[_Part]:
    """On what terms this schedule gives the service over these minutes. The terms of a house change in between."""
    if wanted is None:
        return [_Part(low, high, item.plan.slot)]
    if item.facility.version == ruling.UNTOUCHED:
        told = [(low, high, offers.USUAL)]
    else:
        line = ruling.timeline(item.facility_id, item.facility.version)
        told = [
            (minute_of(first), minute_of(last), offer)
            for first, last, offer in line.offers(wanted.id, moment_of(low), moment_of(high))
        ]
    found = []
    for since, until, offer in told:
        if needs.given(offer, wanted, item.doctor_id, item.specialty, item.facility_id):
            first, last = _days(offer, item, since, until)
            minutes = offer.minutes or wanted.minutes or item.plan.slot
            found.append(_Part(first, last - 1, minutes, crew.needs(item, offer)))
    return found


def _days(offer: Offer, item: Frame, low: int, high: int) -> tuple[int, int]:
    """These minutes cut to the days on which the terms hold."""
    if offer.first:
        low = max(low, wall_minute(offer.first, time(0), item.plan.zone))
    if offer.last:
        high = min(high, wall_minute(offer.last + timedelta(days=1), time(0), item.plan.zone))
    return low, high


def _search(
    found: Sequence[Frame],
    wanted: Asked | None,
    first_day: date,
    days: int,
    limit: int | None,
    *,
    since: datetime | None = None,
) -> list[Slot]:
    """Free slots of these schedules in order of time, none before `since` where that is given."""
    if not found or (limit is not None and limit <= 0):
        return []
    now = clock.now()
    from_minute = int(datetime.combine(first_day, datetime.min.time(), now.tzinfo).timestamp()) // 60
    # Zones reach from UTC-12 to UTC+14; a day on either side covers every facility's calendar.
    until = from_minute + (days + 1) * 1440
    crew = Crew()
    parts = [(item, part) for item in found for part in _parts(item, wanted, from_minute - 1440, until, crew)]
    helpers = {part.needs.hours.doctor_id: part.needs.hours for _item, part in parts if part.needs and part.needs.hours}
    pooled = {key for _item, part in parts if part.needs for key in part.needs.members()}
    busy = _busy(found, pooled, from_minute - 1440, until)
    travelling = [item.doctor_id for item in (*found, *helpers.values()) if item.travel]
    away = travel.elsewhere(travelling, from_minute - 1440, until + 1440) if travelling else {}
    present = int(now.timestamp()) // 60
    begins = ceil(since.timestamp() / 60) if since is not None else 0
    free = _Free(busy, {key: _not_here(one, away, first_day, days) for key, one in helpers.items()})
    # By start: schedules of one clinic begin at the same minutes, so this costs less than sorting, in the same order.
    offered: dict[int, list[_Offer]] = {}
    for item, part in parts:
        doctor: Sequence[Span] = busy.get(_key(item.doctor_id), ())
        if item.travel:
            doctor = [*doctor, *_on_the_way(item, away.get(item.doctor_id, ()))]
        own_room = item.room_id and (part.needs is None or part.needs.own_room)
        taken = Busy(
            doctor, busy.get(_key(item.room_id), ()) if own_room else (), free.pools(part.needs) if part.needs else ()
        )
        starts = item.plan.free(
            first_day,
            days,
            part.minutes,
            taken,
            max(begins, part.low, present + 1 + item.lead_minutes),
            min(part.high, present + item.horizon_days * 1440),
        )
        offer = (item.schedule_id, item.doctor_id, item.facility_id, item.time_zone, part.minutes)
        # Each schedule is in order by itself: no more than `limit` of one can be among the first `limit` of all.
        for start in starts[:limit] if limit else starts:
            if start in offered:
                offered[start].append(offer)
            else:
                offered[start] = [offer]
    return _slots(offered, limit)


@dataclass(frozen=True, slots=True)
class _Free:
    """What the members of pools are taken for: by others, and where a second doctor is not at work here."""

    busy: dict[object, list[Span]]
    absent: dict[UUID, list[Span]]

    def pools(self, wanted: Needs) -> list[list[Sequence[Span]]]:
        return [[self._taken(key) for key in pool.members] for pool in wanted.pools]

    def _taken(self, key: UUID) -> Sequence[Span]:
        return [*self.busy.get(_key(key), ()), *self.absent.get(key, ())]


def _not_here(item: Frame, away: Mapping[UUID, Iterable[tuple[UUID, Span]]], first_day: date, days: int) -> list[Span]:
    """When a second doctor does not work at this place, or is on the way to or from another."""
    worked = [span for number in range(-1, days + 1) for span in item.plan.worked(first_day + timedelta(days=number))]
    gaps = minus([(0, _FOREVER)], worked)
    return [*gaps, *_on_the_way(item, away.get(item.doctor_id, ()))] if item.travel else gaps


def _on_the_way(item: Frame, taken: Iterable[tuple[UUID, Span]]) -> list[Span]:
    """What the doctor has at other facilities, longer on both sides by the way between."""
    return [(start - item.travel, end + item.travel) for place, (start, end) in taken if place != item.facility_id]


def _slots(offered: dict[int, list[_Offer]], limit: int | None) -> list[Slot]:
    """The first `limit` of what is offered, by time; each moment is made once for all who begin at it."""
    slots: list[Slot] = []
    for start in sorted(offered):
        if limit and len(slots) >= limit:
            break
        begins = moment_of(start)
        ends: dict[int, datetime] = {}
        for schedule_id, doctor_id, facility_id, zone, minutes in offered[start]:
            end = ends.get(minutes)
            if end is None:
                end = ends[minutes] = moment_of(start + minutes)
            slots.append(Slot(schedule_id, doctor_id, facility_id, begins, end, zone))
    return slots[:limit] if limit else slots


def _key(resource: UUID | None) -> Any:  # noqa: ANN401 - a string on SQLite, a UUID on PostgreSQL
    """A resource id as the database driver hands it back."""
    return adapt(resource)


def _busy(found: Sequence[Frame], pooled: set[UUID], from_minute: int, until: int) -> dict[object, list[Span]]:
    """What is reserved in this stretch, by resource, in any order.

    Written by hand: the database hands over one text for each resource, answered from the index alone (hence NOT IN
    and no join: holds that have expired and wait to be swept are few). Doctors begin at the same times, so there are
    few different stretches to read.
    """
    resources = {item.doctor_id for item in found} | {item.room_id for item in found if item.room_id} | pooled
    keys: list[Any] = [_key(resource) for resource in resources]
    low, high = adapt(moment_of(from_minute)), adapt(moment_of(until))
    before = adapt(moment_of(from_minute - 1440))
    read = _Spans(_span_of_minutes if is_postgres() else _span_of_texts).__getitem__
    spans: dict[object, list[Span]] = {}
    for part in range(0, len(keys), _IN_PART):
        chunk = keys[part : part + _IN_PART]
        sql = _taken(len(chunk), postgres=is_postgres())
        rows = run_sql(sql, [*chunk, high, before, low, adapt(clock.now())]).fetchall()
        spans.update((resource, list(map(read, told.split(",")))) for resource, told in rows)
    return spans


@cache
def _taken(resources: int, *, postgres: bool) -> Statement:
    minutes = "(EXTRACT(EPOCH FROM {0})/60)::bigint"
    told = (
        f"string_agg({minutes.format('r.starts')} || '/' || {minutes.format('r.ends')}, ',')"
        if postgres
        else "group_concat(r.starts || '/' || r.ends)"
    )
    return Statement(
        f"SELECT r.resource_id, {told} FROM scheduling_reservation r "  # noqa: S608 - constants
        f"WHERE r.resource_id IN ({', '.join(['%s'] * resources)}) "
        "AND r.starts < %s AND r.starts > %s AND r.ends > %s "
        "AND r.id NOT IN (SELECT old.id FROM scheduling_reservation old WHERE old.hold_id IN "
        "(SELECT h.id FROM scheduling_hold h WHERE h.expires_at <= %s)) GROUP BY r.resource_id"
    )


class _Spans(dict[str, Span]):
    """Stretches by the text that tells them, each text read once."""

    def __init__(self, read: Callable[[str], Span]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, told: str) -> Span:
        span = self[told] = self._read(told)
        return span


def _span_of_texts(told: str) -> Span:
    """From SQLite's texts, which are UTC without saying so."""
    starts, _slash, ends = told.partition("/")
    return minute_of(datetime.fromisoformat(f"{starts}+00:00")), minute_of(datetime.fromisoformat(f"{ends}+00:00"))


def _span_of_minutes(told: str) -> Span:
    starts, _slash, ends = told.partition("/")
    return int(starts), int(ends)
