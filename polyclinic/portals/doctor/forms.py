"""Reading the schedule editor's fields. Times are wall-clock times of the facility; nothing is decided here."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid
from polyclinic.scheduling.rows import ScheduleView, WeeklyRow

WEEKDAYS: Final = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
KINDS: Final = ("hours", "break")
# Rows offered for each day; a schedule that has more keeps them all.
OFFERED: Final = {"hours": 2, "break": 1}
MOST: Final = 12


@dataclass(frozen=True, slots=True)
class Cell:
    """A pair of time inputs: `name` without its `_from` or `_until`, and what stands in them."""

    name: str
    kind: str
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class DayRow:
    weekday: int
    label: Promise
    cells: list[Cell]


def week_rows(schedule: ScheduleView, sent: QueryDict | None = None) -> list[DayRow]:
    """The editor's seven rows, filled from the schedule, or as they were sent when something was wrong."""
    by_day: dict[tuple[int, str], list[WeeklyRow]] = defaultdict(list)
    for row in schedule.weekly:
        by_day[(row.weekday, row.kind)].append(row)
    days = []
    for weekday, label in enumerate(WEEKDAYS):
        cells = []
        for kind in KINDS:
            rows = by_day[(weekday, kind)]
            for number in range(max(OFFERED[kind], len(rows))):
                name = f"{kind}_{weekday}_{number}"
                starts = f"{rows[number].starts:%H:%M}" if number < len(rows) else ""
                ends = f"{rows[number].ends:%H:%M}" if number < len(rows) else ""
                if sent is not None:
                    starts, ends = sent.get(f"{name}_from", "")[:8], sent.get(f"{name}_until", "")[:8]
                cells.append(Cell(name, kind, starts, ends))
        days.append(DayRow(weekday, label, cells))
    return days


def read_week(sent: QueryDict) -> list[WeeklyRow]:
    """The weekly hours and breaks that were sent; Invalid names the field at fault."""
    rows = []
    for weekday in range(7):
        for kind in KINDS:
            for number in range(MOST):
                name = f"{kind}_{weekday}_{number}"
                starts, ends = sent.get(f"{name}_from", ""), sent.get(f"{name}_until", "")
                if not starts and not ends:
                    continue
                rows.append(
                    WeeklyRow(weekday, read_time(starts, f"{name}_from"), read_time(ends, f"{name}_until"), kind)
                )
    return rows


def read_time(text: str, field: str) -> time:
    """A wall-clock time such as 09:30 (also 9:30 or 0930)."""
    digits = text.strip().replace(".", ":")
    if ":" in digits:
        hour, _colon, minute = digits.partition(":")
    else:
        hour, minute = digits[:-2], digits[-2:]
    try:
        return time(int(hour), int(minute[:2]))
    except ValueError:
        raise Invalid(_("Write both times as hours and minutes, for example 09:30."), field=field) from None


def read_minutes(text: str, field: str) -> int | None:
    """A number of minutes; nothing written means the facility's own."""
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > 4:
        raise Invalid(_("Write a whole number of minutes."), field=field)
    return int(text)


def read_stretch(sent: QueryDict, zone: str) -> tuple[datetime, datetime]:
    """From and until of leave or an opening. Without a time, leave begins and ends with the day."""
    there = ZoneInfo(zone)
    first = _day(sent.get("from_day", ""), "from_day")
    last = _day(sent.get("until_day", "") or sent.get("from_day", ""), "until_day")
    begin = sent.get("from_time", "")
    end = sent.get("until_time", "")
    starts = datetime.combine(first, read_time(begin, "from_time") if begin else time(), there)
    if end:
        return starts, datetime.combine(last, read_time(end, "until_time"), there)
    return starts, datetime.combine(last + timedelta(days=1), time(), there)


def _day(text: str, field: str) -> date:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(_("Write the day as year-month-day; it must be a day that exists."), field=field) from None
    if not 2000 <= found.year <= 2200:
        raise Invalid(_("Choose a day nearer to now."), field=field)
    return found
