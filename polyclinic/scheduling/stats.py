"""A facility's day in numbers, counted from the rows themselves."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Count

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import NotFound
from polyclinic.facilities.models import Facility
from polyclinic.scheduling import availability
from polyclinic.scheduling.models import Appointment, Schedule
from polyclinic.scheduling.states import APPOINTMENT, CANCELLED, DECLINED


class FacilityStats(msgspec.Struct, frozen=True, rename="camel"):
    """Counts of one day in the facility's calendar. `free_slots` are those that can still be booked that day."""

    facility_id: UUID
    day: date
    appointments: int
    by_status: dict[str, int]
    doctors: int
    free_slots: int


def facility_stats(viewer: Viewer, facility_id: UUID, day: date | None = None) -> FacilityStats:
    """Today's counts, or another day's. Raises NotFound for a facility where the viewer has no such right."""
    policy.require_sight(viewer, "facility.stats", Subject(facility_id=facility_id))
    place = Facility.objects.filter(pk=facility_id).values_list("time_zone", flat=True).first()
    if place is None:
        raise NotFound()
    zone = ZoneInfo(place)
    day = day or clock.now().astimezone(zone).date()
    low = datetime.combine(day, time(0), zone)
    high = datetime.combine(day + timedelta(days=1), time(0), zone)
    counted = (
        Appointment.objects.filter(facility_id=facility_id, starts__gte=low, starts__lt=high)
        .order_by()
        .values_list("state")
        .annotate(number=Count("pk"))
    )
    by_status = dict.fromkeys(APPOINTMENT.states(), 0) | dict(counted)
    return FacilityStats(
        facility_id=facility_id,
        day=day,
        appointments=sum(number for state, number in by_status.items() if state not in (CANCELLED, DECLINED)),
        by_status=by_status,
        doctors=Schedule.objects.filter(facility_id=facility_id, bookable=True).count(),
        free_slots=len(availability.free_slots(viewer, facility_id=facility_id, first_day=day, days=1)),
    )
