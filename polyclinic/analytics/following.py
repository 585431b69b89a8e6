"""Counts each day once it is over, and again when something is added to it later.

Two short steps, each one transaction that holds the follower's row, so that one counts at a time:

1. `_mark` reads the log after the follower's position, writes down which counted days those events touch, and moves the
   position. Either all of that is there after a crash or none of it.
2. `_count_one` counts a day from the rows and takes its mark away. Whatever the rows say then contains every event up
   to the position; what was committed since has a later position and marks the day anew.

So when there is no mark and the log is read to its end, every counted day is what its rows say: the same as if it were
counted now (`tests/analytics/test_following.py` compares them after random histories). Nothing is counted by adding an
event's own figure, so an event that is read twice does no harm.

The time zone of a facility is part of what a day is: after it was changed, `polyclinic analytics rebuild` is needed.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import Min

from polyclinic.analytics import days
from polyclinic.analytics.cells import encode
from polyclinic.analytics.counting import count
from polyclinic.analytics.models import Counted, Follower, Rollup, StaleDay
from polyclinic.billing.models import LedgerEntry
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.outbox import log
from polyclinic.core.outbox.log import Logged
from polyclinic.facilities.models import Facility
from polyclinic.inpatient.models import BedTime
from polyclinic.laboratory.models import LabOrder
from polyclinic.scheduling.models import Appointment
from polyclinic.transport.models import AmbulanceTrip
from polyclinic.visits.models import Visit

BATCH: Final = 500
# Days of which the log tells in what is no transaction's moment: an event is written a little before or after the
# moment its rows carry, and midnight may lie between.
_SLACK: Final = timedelta(hours=1)
# Events about these touch the days since they happened: money is booked and a bed changes hands at that moment, an
# appointment is moved from a day that was still to come (`scheduling.rules.with_notice`).
_SINCE: Final = frozenset({"bed", "invoice", "payment", "till", "appointment"})


class _Told(msgspec.Struct, rename="camel"):
    """What of an event says which days it touches."""

    facility_id: UUID | None = None
    starts: datetime | None = None
    visit_id: UUID | None = None
    order_id: UUID | None = None
    trip_id: UUID | None = None


_decode: Final = msgspec.json.Decoder(_Told).decode
_ABOUT: Final = _SINCE | {"visit", "queue", "lab", "ambulance"}


def catch_up(seconds: float = 0.25) -> int:
    """Mark and count until all is done or the time is over. Returns how many days were counted. Safe from anywhere."""
    until, counted = time.monotonic() + seconds, 0
    log.assign_positions()
    # Looked at before it is held: most of the time there is nothing to write, and writers have a lock to wait for.
    while log.head() != Follower.objects.values_list("position", flat=True).first() and _mark():
        pass
    while _next() is not None and _count_one():
        counted += 1
        if time.monotonic() >= until:
            break
    return counted


@transactional
def rebuild(facility_ids: Iterable[UUID] | None = None) -> None:
    """Forget what was counted, of these facilities or of all: `catch_up` counts it all again."""
    _hold()
    wanted: dict[str, Any] = {} if facility_ids is None else {"facility_id__in": list(facility_ids)}
    for model in (Rollup, StaleDay, Counted):
        model._default_manager.filter(**wanted).delete()


def _hold() -> Follower:
    """The follower, kept from everybody else until the transaction ends. It begins at the log's present head: no day is
    counted before, so nothing earlier can make one stale."""
    lock_keys(["analytics-follower"])
    return Follower.objects.first() or Follower.objects.create(position=log.head())


@transactional
def _mark() -> bool:
    """Read a batch of the log. False when there is nothing new."""
    mine = _hold()
    if log.oldest() > mine.position + 1 > 1:
        # Events that nobody has read are no longer kept, so nobody can say any more which days they touched.
        rebuild()
    events = log.read_after(mine.position, BATCH)
    if not events:
        return False
    counted = {row.facility_id: row for row in Counted.objects.select_related("facility")}
    marks = [
        StaleDay(facility_id=facility_id, day=day)
        for facility_id, touched in _touched(events, counted).items()
        for day in touched
    ]
    StaleDay.objects.bulk_create(marks, ignore_conflicts=True)
    Follower.objects.filter(pk=mine.pk).update(position=events[-1].position)
    return True


def _touched(events: list[Logged], counted: dict[UUID, Counted]) -> dict[UUID, set[date]]:
    """The counted days that these events touch, by facility."""
    found: dict[UUID, set[date]] = defaultdict(set)
    since: dict[UUID, date] = {}
    asked: dict[tuple[UUID, str], set[UUID]] = defaultdict(set)
    for event in events:
        about = event.type.partition(".")[0]
        told = _decode(event.payload) if about in _ABOUT else _Told()
        row = counted.get(told.facility_id) if told.facility_id else None
        if row is None:
            continue
        zone = ZoneInfo(row.facility.time_zone)
        if about in _SINCE:
            # An appointment may have been moved here from another house of the same doctor.
            for place in counted.values() if event.type == "appointment.rescheduled" else (row,):
                day = (event.at - _SLACK).astimezone(ZoneInfo(place.facility.time_zone)).date()
                since[place.pk] = min(day, since.get(place.pk, day))
        if told.starts is not None:
            found[row.pk].add(told.starts.astimezone(zone).date())
        for kind, key in (("visit", told.visit_id), ("order", told.order_id), ("trip", told.trip_id)):
            if key is not None:
                asked[row.pk, kind].add(key)
    for (facility_id, kind), keys in asked.items():
        found[facility_id] |= _days_of(kind, keys, ZoneInfo(counted[facility_id].facility.time_zone))
    for facility_id, day in since.items():
        more = (counted[facility_id].through - day).days + 1
        found[facility_id].update(day + days.ONE * n for n in range(max(0, more)))
    return {place: {day for day in touched if day <= counted[place].through} for place, touched in found.items()}


def _days_of(kind: str, keys: set[UUID], zone: ZoneInfo) -> set[date]:
    """The days to which these visits, orders or trips belong; they never change."""
    if kind == "visit":
        return set(Visit.objects.filter(pk__in=keys).values_list("day", flat=True))
    moments: Iterable[datetime] = (
        LabOrder.objects.filter(pk__in=keys).values_list("ordered_at", flat=True)
        if kind == "order"
        else AmbulanceTrip.objects.filter(pk__in=keys).values_list("requested_at", flat=True)
    )
    return {moment.astimezone(zone).date() for moment in moments}


@transactional
def _count_one() -> bool:
    """Count the next day there is to count. False when there is none."""
    _hold()
    found = _next()
    if found is None:
        return False
    place, day, new = found
    if new:
        Counted.objects.update_or_create(facility=place, defaults={"through": day})
    _write(place.pk, day, ZoneInfo(place.time_zone))
    StaleDay.objects.filter(facility=place, day=day).delete()
    return True


def _next() -> tuple[Facility, date, bool] | None:
    """A day that is stale, else the next that is over, and whether it is new."""
    stale = StaleDay.objects.select_related("facility").order_by("day").first()
    if stale is not None:
        return stale.facility, stale.day, False
    counted = dict(Counted.objects.values_list("facility_id", "through"))
    for place in Facility.objects.order_by("slug"):
        zone = ZoneInfo(place.time_zone)
        last = days.today(zone) - days.ONE
        through = counted.get(place.pk)
        if through is None:
            # Where there was nothing yet everything is counted at once.
            return place, min(_earliest(place.pk, zone) or last, last), True
        if through < last:
            return place, through + days.ONE, True
    return None


def _write(facility_id: UUID, day: date, zone: ZoneInfo) -> None:
    Rollup.objects.filter(facility_id=facility_id, day=day).delete()
    Rollup.objects.bulk_create(
        Rollup(facility_id=facility_id, day=day, dimension=dimension, key=key, body=encode(measures))
        for (dimension, key), measures in count(facility_id, day, zone).parts.items()
    )


def _earliest(facility_id: UUID, zone: ZoneInfo) -> date | None:
    """The first day on which there is anything at all."""
    place = {"facility_id": facility_id}
    moments = [
        Appointment.objects.filter(**place).aggregate(at=Min("starts"))["at"],
        BedTime.objects.filter(bed__facility_id=facility_id).aggregate(at=Min("entered_at"))["at"],
        LabOrder.objects.filter(**place).aggregate(at=Min("ordered_at"))["at"],
        AmbulanceTrip.objects.filter(**place).aggregate(at=Min("requested_at"))["at"],
        LedgerEntry.objects.filter(**place).aggregate(at=Min("at"))["at"],
    ]
    found = [moment.astimezone(zone).date() for moment in moments if moment is not None]
    came = Visit.objects.filter(**place).aggregate(day=Min("day"))["day"]
    return min([*found, *([came] if came else [])], default=None)
