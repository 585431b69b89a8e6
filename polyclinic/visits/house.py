"""A facility's day in numbers, for whoever runs it: how many visits stand where. Says nothing about anybody."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Count, Min, Q

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import NotFound
from polyclinic.facilities.models import Facility
from polyclinic.visits.models import StageTime, Visit
from polyclinic.visits.states import CHECKED, DIAGNOSED, DONE, LAB_DONE, LAB_PENDING, LEFT, PAID, REGISTERED

# Whoever has results waits for the doctor as much as whoever needed none: one number for both.
_STANDS: Final = {
    "desk": (REGISTERED,), "check": (PAID,), "lab": (LAB_PENDING,), "doctor": (CHECKED, LAB_DONE),
    "pharmacy": (DIAGNOSED,),
}  # fmt: skip


class Stand(msgspec.Struct, frozen=True):
    """The visits that one line has to do with now, and the minutes of the one that came to it first."""

    line: str
    visits: int
    longest: int


class HouseDay(msgspec.Struct, frozen=True):
    """`came`, `done` and `left` are of today in the facility's calendar; the stands are of this moment."""

    day: date
    came: int
    done: int
    left: int
    stands: tuple[Stand, ...]


def day(viewer: Viewer, facility_id: UUID) -> HouseDay:
    """The day until now. Raises NotFound for a facility where the viewer has no such right."""
    policy.require_sight(viewer, "facility.stats", Subject(facility_id=facility_id))
    place = Facility.objects.filter(pk=facility_id).values_list("time_zone", flat=True).first()
    if place is None:
        raise NotFound()
    zone = ZoneInfo(place)
    today = clock.now().astimezone(zone).date()
    since = datetime.combine(today, time(0), zone)
    came = Visit.objects.filter(facility_id=facility_id, opened_at__gte=since).count()
    ended = Visit.objects.filter(facility_id=facility_id, closed_at__gte=since)
    over = ended.aggregate(done=Count("pk", Q(state=DONE)), left=Count("pk", Q(state=LEFT)))
    return HouseDay(today, came, over["done"], over["left"], _stands(facility_id))


def _stands(facility_id: UUID) -> tuple[Stand, ...]:
    rows = StageTime.objects.filter(
        left_at__isnull=True, visit__facility_id=facility_id, visit__closed_at__isnull=True
    ).order_by()
    counted = {row["stage"]: row for row in rows.values("stage").annotate(visits=Count("pk"), first=Min("entered_at"))}
    now, found = clock.now(), []
    for line, stages in _STANDS.items():
        here = [counted[stage] for stage in stages if stage in counted]
        first = min((row["first"] for row in here), default=now)
        found.append(Stand(line, sum(row["visits"] for row in here), int((now - first).total_seconds() // 60)))
    return tuple(found)
