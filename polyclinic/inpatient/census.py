"""The beds of a house in figures: how many are in which state, how fast they turn round, and who will leave when."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.facilities.models import Facility
from polyclinic.inpatient import beds
from polyclinic.inpatient.models import Bed, BedStay
from polyclinic.inpatient.rows import Census, CountRow, DayRow
from polyclinic.inpatient.states import (
    AVAILABLE,
    BLOCKED,
    CLEANING,
    IN_BED,
    OCCUPIED,
    ORDERED,
    REQUESTED,
    RESERVED,
    RETIRED,
)

# So many days are looked ahead, today among them: further on plans say little.
AHEAD: Final = 5
_TURNED: Final = timedelta(days=7)


def census(viewer: Viewer, facility_id: UUID) -> Census:
    """The figures of a facility's beds. Raises NotFound where the viewer sees no beds. Nobody is named in them.

    The forecast counts the days that were planned, whoever has an order among those of today, and takes everybody who
    waits as coming today: what is free in it is what can be promised.
    """
    policy.require_sight(viewer, "bed.view", Subject(facility_id=facility_id))
    now = clock.now()
    states: dict[tuple[UUID, str], Counter[str]] = defaultdict(Counter)
    there = Bed.objects.filter(facility_id=facility_id).exclude(state=RETIRED)
    for ward, name, state in there.values_list("ward_id", "ward__name", "state"):
        states[ward, name][state] += 1
    whole = _count(None, _("All wards"), sum(states.values(), Counter()))
    by_name = sorted(states.items(), key=lambda one: one[0][1])
    waiting = BedStay.objects.filter(facility_id=facility_id, state=REQUESTED).count()
    zone = Facility.objects.values_list("time_zone", flat=True).get(pk=facility_id)
    days, undated = _ahead(facility_id, now.astimezone(ZoneInfo(zone)).date(), whole, waiting)
    turned = beds.turnarounds(facility_id, now - _TURNED)
    return Census(
        facility_id=facility_id,
        total=whole,
        wards=tuple(_count(ward, name, counted) for (ward, name), counted in by_name),
        waiting=waiting,
        undated=undated,
        turnaround=turned[len(turned) // 2] if turned else None,
        days=days,
    )


def _count(ward_id: UUID | None, name: str, states: Counter[str]) -> CountRow:
    usable = states.total() - states[BLOCKED]
    return CountRow(
        ward_id=ward_id, ward_name=name, total=states.total(), available=states[AVAILABLE], reserved=states[RESERVED],
        occupied=states[OCCUPIED], cleaning=states[CLEANING], blocked=states[BLOCKED],
        occupancy=round(100 * states[OCCUPIED] / usable) if usable else 0,
    )  # fmt: skip


def _ahead(facility_id: UUID, today: date, whole: CountRow, waiting: int) -> tuple[tuple[DayRow, ...], int]:
    leaving: Counter[date] = Counter()
    undated = 0
    rows = BedStay.objects.filter(facility_id=facility_id, state__in=IN_BED).values_list("expected_on", "state")
    for day, state in rows:
        if state == ORDERED:
            leaving[today] += 1
        elif day is None:
            undated += 1
        else:
            # Whose day is past is still here, and may leave any day.
            leaving[max(day, today)] += 1
    free, found = whole.available + whole.cleaning - waiting, []
    for ahead in range(AHEAD):
        day = today + timedelta(days=ahead)
        free += leaving[day]
        found.append(DayRow(day=day, leaving=leaving[day], free=free))
    return tuple(found), undated
