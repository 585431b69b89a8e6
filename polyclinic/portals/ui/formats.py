"""How dates, times, ages and names read on a page.

Clinical views write dates as dd-Mmm-yyyy and the 24-hour clock, because 04/05 has two meanings and "4 o'clock"
has two more. Patients get the long form. Every aware moment needs the zone of the facility it happens in.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.functional import Promise
from django.utils.translation import get_language, get_language_bidi, gettext, ngettext, pgettext

from polyclinic.core import clock as core_clock


class Named(Protocol):
    """A person as staff views name them."""

    family_name: str
    given_name: str


def _day(value: date | datetime, zone: str | None) -> date:
    """The calendar day of a moment in `zone`; a plain date is already a day.

    Raises ValueError for a moment without a zone: near midnight it would show yesterday or tomorrow.
    """
    if isinstance(value, datetime):
        if zone is None:
            raise ValueError("a moment needs the zone of its facility")
        return value.astimezone(ZoneInfo(zone)).date()
    return value


def _kept_in_order(text: str) -> str:
    """`text` that reads left to right wherever it stands.

    In a right-to-left sentence a bare 14-Jul-1945 is drawn as Jul-1945-14. Isolating characters prevent that, and only
    right-to-left languages get them, so that copied dates stay plain elsewhere.
    """
    return f"\u2066{text}\u2069" if get_language_bidi() else text


def clinical_date(value: date | datetime | None, zone: str | None = None) -> str:
    """21-Nov-2026; a dash when there is no date."""
    return _kept_in_order(_written(_day(value, zone), "d-M-Y", get_language())) if value else "–"


@lru_cache(maxsize=4_000)
def _written(day: date, form: str, _language: str | None) -> str:
    """A day in Django's date format, with the names of days and months in the active language."""
    return dateformat.format(day, form)


def clock(value: datetime | None, zone: str) -> str:
    """09:05, 24 hours, in the zone given; a dash when there is no time.

    In the hour that clocks show twice each autumn the offset stands beside it: 02:30 (UTC+02:00).
    """
    if value is None:
        return "–"
    shown, twice = _wall(value, zone)
    return _kept_in_order(shown) if twice else shown


@lru_cache(maxsize=8_000)
def _wall(value: datetime, zone: str) -> tuple[str, bool]:
    """What the clock on the wall shows, and whether the offset had to be said; days are drawn again and again."""
    local = value.astimezone(ZoneInfo(zone))
    shown = f"{local.hour:02}:{local.minute:02}"
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return shown, False
    offset = local.strftime("%z")
    return f"{shown} (UTC{offset[:3]}:{offset[3:5]})", True


def long_date(value: date | datetime | None, zone: str | None = None, *, year: bool = False) -> str:
    """Saturday 21 November, for patients; with the year when asked, or when it is not this year."""
    if value is None:
        return "–"
    day = _day(value, zone)
    if year or day.year != core_clock.now().year:
        return _written(day, pgettext("long date with year: weekday day month year", "l j F Y"), get_language())
    return _written(day, pgettext("long date: weekday day month", "l j F"), get_language())


def short_date(value: date | datetime | None, zone: str | None = None) -> str:
    """Sat 21 Nov, for tight places that patients read."""
    if value is None:
        return "–"
    return _written(_day(value, zone), pgettext("short date: weekday day month", "D j M"), get_language())


def zone_label(zone: str, at: datetime | None = None) -> str:
    """The place a zone is named after and its offset, such as "Kolkata (UTC+05:30)"."""
    moment = (at or core_clock.now()).astimezone(ZoneInfo(zone))
    offset = moment.strftime("%z")
    place = zone.rsplit("/", 1)[-1].replace("_", " ")
    return f"{place} (UTC{offset[:3]}:{offset[3:5]})"


def age(born: date | None, today: date | None = None) -> str:
    """Age as clinicians write it: 81y, months under two years, days under four weeks; empty when unknown."""
    if born is None:
        return ""
    return age_in(get_language(), born, today or core_clock.now().date())


@lru_cache(maxsize=8_000)
def age_in(_language: str | None, born: date, today: date) -> str:
    """`age` for whoever has asked already which language is active, as tables of many ages do."""
    days = (today - born).days
    if days < 0:
        return ""
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if months >= 24:
        return gettext("%(number)dy") % {"number": months // 12}
    if days >= 28:
        return gettext("%(number)dm") % {"number": max(months, 1)}
    return ngettext("%(number)d day", "%(number)d days", days) % {"number": days}


def staff_name(person: Named | tuple[str, str] | str | Promise, given_name: str | None = None) -> str:
    """SMITH, John: family name first, in capitals.

    Takes anything with `family_name` and `given_name`, a pair of them, or the family name with the given name as
    argument. Text alone is returned unchanged: it has been put in order where the two parts were still known.
    """
    if isinstance(person, str | Promise):
        return f"{str(person).upper()}, {given_name}" if given_name else str(person)
    family, given = person if isinstance(person, tuple) else (person.family_name, person.given_name)
    return f"{family.upper()}, {given}" if given else family.upper()
