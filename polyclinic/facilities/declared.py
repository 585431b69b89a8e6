"""What a manager sets for a hospital: one row a setting, with its type, limits, usual value and who may change it.

A setting that is not written here does not exist. Its values are kept as versions (`setting`), and what is in force at
a moment is found by `ruling`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.utils import dateformat
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from polyclinic.core.errors import Invalid, NotFound
from polyclinic.facilities import hours, lettering, offers, reminding
from polyclinic.facilities.hours import Holiday, Week

Sentence = str | Promise


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of value: read from text (raises Invalid naming `value`), written as text, said to a person."""

    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    said: Callable[[Any], str]
    low: int = 0
    high: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `permission`: who may change it. `column`: the facility's column that holds its usual value.

    `departments`: a department may have its own. `strands`: a change may leave booked patients without their time, so
    it goes through `scheduling.house`, which lists them first.
    """

    key: str
    title: Sentence
    about: Sentence
    kind: Kind
    usual: Any
    permission: str = "setting.edit"
    column: bool = False
    departments: bool = False
    strands: bool = False


def whole(low: int, high: int, said: Callable[[int], str]) -> Kind:
    """A whole number between `low` and `high`."""

    def read(text: str) -> int:
        text = text.strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 7 and low <= int(text) <= high):
            raise Invalid(
                _("Choose a whole number between %(low)s and %(high)s.") % {"low": low, "high": high},
                code="range", field="value", low=low, high=high,
            )  # fmt: skip
        return int(text)

    return Kind("number", read, str, said, low, high)


def hours_said(count: int) -> str:
    return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": count}


def minutes_said(count: int) -> str:
    return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}


def days_said(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def weekdays() -> tuple[str, ...]:
    """Their names, Monday first, in the active language."""
    return (_now("Monday"), _now("Tuesday"), _now("Wednesday"), _now("Thursday"), _now("Friday"), _now("Saturday"),
            _now("Sunday"))  # fmt: skip


def open_said(open_: hours.Stretches) -> str:
    """The hours of a day in words."""
    return hours.clock_text(open_).replace("-", "–").replace(" ", ", ") or _now("closed")


def _week_said(week: Week) -> str:
    if week.days is None:
        return _now("As the doctors' hours say")
    # Days that follow each other with the same hours are said together.
    parts: list[tuple[str, str, str]] = []
    for name, open_ in zip(weekdays(), map(open_said, week.days), strict=True):
        if parts and parts[-1][2] == open_:
            parts[-1] = parts[-1][0], name, open_
        else:
            parts.append((name, name, open_))
    return "; ".join(f"{first if first == last else f'{first} – {last}'} {open_}" for first, last, open_ in parts)


def holiday_said(row: Holiday) -> str:
    return f"{dateformat.format(row.day, 'd-M-Y')} {row.name}: {open_said(row.open)}"


def _holidays_said(rows: tuple[Holiday, ...]) -> str:
    return "; ".join(map(holiday_said, rows)) or _now("None")


def line(most: int, unsaid: Sentence) -> Kind:
    """A line of at most `most` characters, printed as it is; `unsaid` says what an empty one means."""

    def read(text: str) -> str:
        text = " ".join(text.split())
        if len(text) > most or not hours.LINE.match(text):
            raise Invalid(
                _("Write at most %(most)s letters, digits, spaces and the marks - . , : ( ) / ' + # ·")
                % {"most": most},
                field="value",
            )  # fmt: skip
        return text

    return Kind("line", read, str, lambda text: text or str(unsaid))


WEEK: Final = Kind("week", hours.read_week, hours.write_week, _week_said)
REMINDERS: Final = Kind("reminders", reminding.read_offsets, reminding.write_offsets, reminding.offsets_said)
QUIET: Final = Kind("line", reminding.read_quiet, reminding.write_quiet, reminding.quiet_said)
HOLIDAYS: Final = Kind("holidays", hours.read_holidays, hours.write_holidays, _holidays_said)

_ROWS: Final = (
    Setting(
        "opening_hours", _("Opening hours"),
        _("Outside them nothing can be booked, whatever the doctors' own hours say."),
        WEEK, Week(), "hours.edit", departments=True, strands=True,
    ),
    Setting(
        "holidays", _("Holidays"), _("Days on which the house is closed, or open for less."),
        HOLIDAYS, (), "hours.edit", departments=True, strands=True,
    ),
    Setting(
        "notice_hours", _("Notice to cancel or move"),
        _("Until so long before the start patients can cancel or move an appointment themselves. 0: until it begins."),
        whole(0, 336, hours_said), 24, column=True,
    ),
    Setting(
        "horizon_days", _("Bookable ahead"), _("How far ahead appointments can be booked."),
        whole(1, 365, days_said), 90, column=True,
    ),
    Setting(
        "lead_minutes", _("Earliest booking before the start"),
        _("Patients cannot book a time that begins sooner than this. The front desk can."),
        whole(0, 20160, minutes_said), 0, column=True,
    ),
    Setting(
        "hold_minutes", _("A chosen time is kept"),
        _("So long a chosen time is kept for a patient who is still confirming."),
        whole(2, 30, minutes_said), 5,
    ),
    Setting(
        "reminders", _("Reminders"),
        _("When patients are reminded of an appointment by mail. Each of them can choose fewer."),
        REMINDERS, tuple(reminding.OFFSETS),
    ),
    Setting(
        "quiet_hours", _("Quiet hours"),
        _("In these hours no reminder leaves; it does when they are over, if the appointment has not begun by then. "
          "Written as 21:00-07:00."),
        QUIET, (21 * 60, 7 * 60),
    ),
    Setting(
        "letter_name", _("Name on papers"),
        _("How papers that are printed from then on name the house."),
        line(80, _("The name of the hospital")), "",
    ),
    Setting(
        "letter_note", _("Line under the address on papers"),
        _("For example a registration number. On papers that are printed from then on."),
        line(120, _("None")), "",
    ),
)  # fmt: skip


def _letters() -> list[Setting]:
    """The words of each letter in each language."""
    found = []
    for name, letter in lettering.KINDS.items():
        kind = Kind("letter", partial(lettering.read, letter), lettering.write, lettering.said)
        for language, _called in settings.LANGUAGES:
            found.append(Setting(lettering.key_of(name, language), letter.title, letter.about, kind, lettering.Words()))
    return found


SETTINGS: Final = {row.key: row for row in (*_ROWS, *_letters())}
OFFER: Final = Kind("offer", offers.read, offers.write, offers.said)


def find(key: str) -> Setting | None:
    """The setting of this name, that of a service's terms too; None where there is none."""
    found = SETTINGS.get(key)
    if found is None and offers.service_of(key) is not None:
        return Setting(
            key, _("Terms of a service"), _("On what terms the house gives this service."), OFFER, offers.USUAL,
            "service.edit", strands=True,
        )  # fmt: skip
    return found


def known(key: str) -> Setting:
    """The setting of this name. Raises NotFound."""
    found = find(key)
    if found is None:
        raise NotFound(field="key")
    return found
