"""Reads what was counted: days that are over from the rollups, today from the rows. No rights: selectors have those."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from polyclinic.analytics import days
from polyclinic.analytics.cells import Body, Cells, cells, merge, raw, read
from polyclinic.analytics.counting import count
from polyclinic.analytics.days import ONE, Range
from polyclinic.analytics.models import Counted, Rollup, StaleDay

Dimension = Rollup.Dimension


def house(facility_id: UUID, span: Range, zone: ZoneInfo) -> dict[date, Body]:
    """The measures of a whole house for each day of the range on which there was anything."""
    rows = Rollup.objects.filter(
        facility_id=facility_id, dimension=Dimension.HOUSE, day__gte=span.first, day__lte=span.last
    )
    found = {day: read(body) for day, body in rows.values_list("day", "body")}
    today = days.today(zone)
    if span.first <= today <= span.last:
        found[today] = raw(count(facility_id, today, zone).house)
    return found


def total(facility_id: UUID, span: Range) -> Cells:
    """A range of days that are over, in one."""
    rows = Rollup.objects.filter(
        facility_id=facility_id, dimension=Dimension.HOUSE, day__gte=span.first, day__lte=span.last
    )
    return merge(map(read, rows.values_list("body", flat=True)))


def totals(facility_ids: Collection[UUID], span: Range) -> dict[UUID, Cells]:
    """The same of many facilities."""
    found: dict[UUID, Cells] = defaultdict(cells)
    rows = Rollup.objects.filter(
        facility_id__in=facility_ids, dimension=Dimension.HOUSE, day__gte=span.first, day__lte=span.last
    )
    for facility_id, body in rows.values_list("facility_id", "body"):
        merge((read(body),), into=found[facility_id])
    return found


def doctors(facility_id: UUID, span: Range, zone: ZoneInfo, only: Collection[UUID] | None = None) -> dict[UUID, Cells]:
    """The measures of each doctor who had any, over the whole range."""
    found: dict[UUID, Cells] = defaultdict(cells)
    rows = Rollup.objects.filter(
        facility_id=facility_id, dimension=Dimension.DOCTOR, day__gte=span.first, day__lte=span.last
    )
    if only is not None:
        rows = rows.filter(key__in=[str(one) for one in only])
    for key, body in rows.values_list("key", "body"):
        merge((read(body),), into=found[UUID(key)])
    today = days.today(zone)
    if span.first <= today <= span.last:
        for (dimension, key), measures in count(facility_id, today, zone).parts.items():
            if dimension == Dimension.DOCTOR and (only is None or UUID(key) in only):
                merge((raw(measures),), into=found[UUID(key)])
    return found


def pending(facility_ids: Collection[UUID], span: Range, yesterday: dict[UUID, date]) -> dict[UUID, int]:
    """How many days of the range are over and not counted yet, or are to be counted again, by facility."""
    through = dict(Counted.objects.filter(facility_id__in=facility_ids).values_list("facility_id", "through"))
    found = {}
    for facility_id in facility_ids:
        last = min(span.last, yesterday[facility_id])
        begin = max(span.first, through.get(facility_id, span.first - ONE) + ONE)
        found[facility_id] = max(0, (last - begin).days + 1)
    stale = StaleDay.objects.filter(facility_id__in=facility_ids, day__gte=span.first, day__lte=span.last)
    for facility_id in stale.values_list("facility_id", flat=True):
        found[facility_id] += 1
    return found
