"""Days of a facility's own calendar, and ranges of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.facilities.models import Facility

# Two years, a leap day among them.
MOST_DAYS: Final = 731
ONE: Final = timedelta(days=1)
COMPARISONS: Final = ("", "previous", "year")


@dataclass(frozen=True, slots=True)
class Range:
    """From the first day to the last, both among them."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self, compare: str) -> Range | None:
        """What it is compared with: as many days just before it, or the same days a year ago; None for nothing.

        A year ago the 29th of February is the 28th. Raises Invalid naming `compare`.
        """
        if compare not in COMPARISONS:
            raise Invalid(_("Choose one of the listed values."), field="compare", possible=list(COMPARISONS))
        if compare == "previous":
            return Range(self.first - ONE * self.days, self.first - ONE)
        if compare == "year":
            return Range(_year_ago(self.first), _year_ago(self.last))
        return None


def _year_ago(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def span(first: date, last: date, today: date) -> Range:
    """A range that can be asked for: of days that have begun, two years of them at most. Raises Invalid."""
    if last > today:
        raise Invalid(_("Choose a day that is not in the future."), field="to")
    if not ONE * 0 <= last - first < ONE * MOST_DAYS:
        raise Invalid(_("Ask for 1 to 731 days, the first before the last."), field="from")
    return Range(first, last)


def zone_of(facility_id: UUID) -> ZoneInfo:
    """The zone of a facility's calendar. Raises NotFound."""
    name = Facility.objects.filter(pk=facility_id).values_list("time_zone", flat=True).first()
    if name is None:
        raise NotFound()
    return ZoneInfo(name)


def today(zone: ZoneInfo) -> date:
    """The day it is now there."""
    return clock.now().astimezone(zone).date()


def ends(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments at which a day begins and ends: 23 to 25 hours apart."""
    return datetime.combine(day, time(0), zone), datetime.combine(day + ONE, time(0), zone)
