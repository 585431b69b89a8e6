"""Opening hours and holidays as values: how they are written, read and resolved to a day. No database here.

Hours are the facility's own wall clock, in minutes of the day; a day has no more than six stretches, none of which
passes midnight. Which moments those are, on a day of 23 or 25 hours too, `scheduling.slots` works out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, time
from typing import Final

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT: Final = 1440
MOST_STRETCHES: Final = 6
MOST_HOLIDAYS: Final = 80
MOST_NAME: Final = 60
_STRETCH: Final = re.compile(r"^([01]\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]\d|2[0-4]):([0-5]\d)$")
# Names of holidays: letters of any script, digits and the marks that such names have.
_NAME: Final = re.compile(r"^[^\W_][\w ,.()/'’-]*$")
# A line of a letterhead: the same, and marks that numbers and addresses have; no mark that HTML knows.
LINE: Final = re.compile(r"^[\w ,.:()/'’+#·-]*$")
# Minutes of the day from … until.
Stretch = tuple[int, int]
Stretches = tuple[Stretch, ...]


class Week(msgspec.Struct, frozen=True):
    """Opening hours by weekday, Monday first. `days` None: not said, the doctors' hours alone count."""

    days: tuple[Stretches, ...] | None = None


class Holiday(msgspec.Struct, frozen=True, order=True):
    """A day on which the house is closed, or open at these hours only."""

    day: date
    name: str
    open: Stretches = ()


def read_week(text: str) -> Week:
    """`mon 08:00-12:00 13:00-18:00; sat 09:00-12:00`; a weekday left out is closed. Empty: not said. Raises Invalid."""
    parts = [part.split(None, 1) for part in text.split(";") if part.strip()]
    if not parts:
        return Week()
    found: dict[str, Stretches] = {}
    for name, *rest in parts:
        day = name.lower()[:3]
        if day not in DAYS or day in found:
            raise Invalid(_("Name each weekday once: mon, tue, wed, thu, fri, sat, sun."), field="value")
        found[day] = read_stretches(rest[0] if rest else "", "value")
    if not any(found.values()):
        raise Invalid(
            _("The house must be open on one day at least. To close it for a time, enter holidays."), field="value"
        )
    return Week(tuple(found.get(day, ()) for day in DAYS))


def write_week(week: Week) -> str:
    if week.days is None:
        return ""
    return "; ".join(f"{day} {clock_text(open_)}" for day, open_ in zip(DAYS, week.days, strict=True) if open_)


def read_stretches(text: str, field: str) -> Stretches:
    """`08:00-12:00 13:00-18:00`, in order and apart; empty is closed. Raises Invalid naming `field`."""
    text = re.sub(r"\s*[-–]\s*", "-", text.strip())
    found: list[Stretch] = []
    for part in re.split(r"[\s,]+", text) if text else ():
        seen = _STRETCH.match(part)
        if seen is None:
            raise Invalid(_("Write hours like 08:00-12:00 13:00-18:00, until 24:00 at the latest."), field=field)
        hour, minute, until_hour, until_minute = map(int, seen.groups())
        stretch = hour * 60 + minute, until_hour * 60 + until_minute
        if stretch[1] > MIDNIGHT or stretch[0] >= stretch[1]:
            raise Invalid(
                _("The end must be after the beginning. Hours past midnight are written on both days, until 24:00 and "
                  "from 00:00."), code="order", field=field,
            )  # fmt: skip
        if found and stretch[0] < found[-1][1]:
            raise Invalid(_("Write the hours of a day in order; two of them overlap."), code="overlap", field=field)
        found.append(stretch)
    if len(found) > MOST_STRETCHES:
        raise Invalid(_("That is more hours than a day needs."), field=field)
    return tuple(found)


def clock_text(open_: Iterable[Stretch]) -> str:
    return " ".join(f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}" for start, end in open_)


def read_holidays(text: str) -> tuple[Holiday, ...]:
    """`2026-12-25 closed Christmas Day; 2026-12-24 08:00-12:00 Christmas Eve`, in any order. Raises Invalid."""
    found: dict[date, Holiday] = {}
    for part in (piece.strip() for piece in text.split(";")):
        if not part:
            continue
        one = _holiday(part)
        if one.day in found:
            raise Invalid(_("There is a holiday on this day already."), code="taken", field="value")
        found[one.day] = one
    if len(found) > MOST_HOLIDAYS:
        raise Invalid(_("These are more holidays than a house may have at once."), field="value")
    return tuple(sorted(found.values()))


def _holiday(text: str) -> Holiday:
    day, _gap, rest = text.partition(" ")
    hours, words = [], rest.split()
    while words and (words[0].lower() == "closed" or (words[0][0].isdigit() and ":" in words[0])):
        hours.append(words.pop(0))
    return holiday(day, " ".join(words), "" if [part.lower() for part in hours] == ["closed"] else " ".join(hours))


def holiday(day: str, name: str, hours: str) -> Holiday:
    """One holiday of what was typed; no hours: closed. Raises Invalid naming `day`, `name` or `hours`."""
    try:
        when = date.fromisoformat(day.strip())
    except ValueError:
        raise Invalid(_("Write the day as year-month-day, for example 2026-11-21."), field="day") from None
    if not 2000 <= when.year <= 2199:
        raise Invalid(_("Write the day as year-month-day, for example 2026-11-21."), field="day")
    name = " ".join(name.split())
    if len(name) > MOST_NAME or not _NAME.match(name) or name.lower().startswith("closed"):
        raise Invalid(
            _("Name the holiday in at most 60 letters, digits, spaces and the marks - . , ( ) / '"), field="name"
        )
    return Holiday(when, name, read_stretches(hours, "hours"))


def write_holidays(rows: Sequence[Holiday]) -> str:
    return "; ".join(f"{row.day.isoformat()} {clock_text(row.open) or 'closed'} {row.name}" for row in sorted(rows))


def wall(minute: int) -> time | None:
    """A minute of the day as the clock shows it; None is the midnight that ends the day."""
    return None if minute == MIDNIGHT else time(minute // 60, minute % 60)
