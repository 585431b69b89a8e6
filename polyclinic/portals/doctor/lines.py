"""The lines of a doctor's day: an appointment, what may be done to it now, and how it is drawn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup

from polyclinic.core import clock
from polyclinic.portals.ui import formats
from polyclinic.portals.ui.holes import Skeleton, holes
from polyclinic.scheduling.rows import AppointmentRow, span
from polyclinic.scheduling.states import APPOINTMENT
from polyclinic.web.pages import draw


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A step as a button: its words, its icon, and whether it is asked again before it is done."""

    action: str
    label: Promise
    icon: str
    done: Promise
    asks: bool = False


STEPS: Final = {
    step.action: step
    for step in (
        Step("confirm", _("Confirm"), "check", _("The appointment is confirmed.")),
        Step("check_in", _("Check in"), "log-in", _("The patient is checked in.")),
        Step("complete", _("Complete"), "circle-check", _("The consultation is completed.")),
        Step("no_show", _("No-show"), "user-x", _("Marked as not come.")),
        Step("decline", _("Decline"), "x", _("The appointment is declined; the time is free again."), asks=True),
        Step(
            "cancel", _("Cancel"), "calendar-x", _("The appointment is cancelled; the time is free again."), asks=True
        ),
    )
}
# The usual next step of a state; the others stand behind "More".
NEXT: Final = {"booked": "confirm", "confirmed": "check_in", "checked_in": "complete"}


@dataclass(frozen=True, slots=True)
class Line:
    """An appointment with what the doctor may do to it now."""

    row: AppointmentRow
    main: Step | None
    more: tuple[Step, ...]

    @property
    def day(self) -> date:
        """The calendar day at the facility."""
        return self.row.starts.astimezone(ZoneInfo(self.row.time_zone)).date()


def line(row: AppointmentRow) -> Line:
    """The row with its steps: those the state table has, less those its guards would refuse at this hour."""
    return lines([row])[0]


def lines(rows: Sequence[AppointmentRow]) -> list[Line]:
    """`line` for each of the rows, all at the same moment."""
    return [Line(row, *steps) for row, steps in zip(rows, _steps_of(rows), strict=True)]


def _steps_of(rows: Sequence[AppointmentRow]) -> list[tuple[Step | None, tuple[Step, ...]]]:
    """The usual step and the others of each of the rows, all at the same moment."""
    now, found = clock.now(), []
    days: dict[str, tuple[datetime, datetime]] = {}
    for row in rows:
        today = days.get(row.time_zone)
        if today is None:
            zone = ZoneInfo(row.time_zone)
            today = days[row.time_zone] = span(now.astimezone(zone).date(), zone)
        starts = row.starts
        found.append(_steps(row.status, starts <= now, row.ends <= now, today[0] <= starts < today[1]))
    return found


@lru_cache(maxsize=128)
def _steps(status: str, begun: bool, over: bool, today: bool) -> tuple[Step | None, tuple[Step, ...]]:
    """The usual step and the others. The guards decide; the hour only keeps useless buttons off the page."""
    timely = {
        "check_in": today,
        "complete": begun or status == "checked_in",
        "no_show": begun or status == "checked_in",
        "confirm": not over,
        "decline": not over,
        "cancel": not begun,
    }
    possible = [name for name in APPOINTMENT.possible(status) if name in STEPS and timely[name]]
    main = NEXT.get(status)
    if main not in possible:
        main = "complete" if "complete" in possible else None
    return STEPS.get(main or ""), tuple(step for name, step in STEPS.items() if name in possible and name != main)


class _Shape(NamedTuple):
    """All that the template of a row decides by, the language included."""

    language: str
    status: str
    sex: str
    main: Step | None
    more: tuple[Step, ...]
    attention: str
    coming: bool
    extra: bool
    service: bool
    reason: bool
    room: bool


# What the template of a row only prints, in the order of `_texts`.
_NAMES: Final = (
    "key", "patient", "version", "sort", "starts", "ends", "name", "age", "mrn", "service", "reason", "room", "place",
)  # fmt: skip


class _Cells(msgspec.Struct, rename="camel"):
    """What of an `AppointmentRow` is drawn; ids as the text that they are drawn as. Some fields may be withheld."""

    id: str
    status: str
    version: int
    starts: datetime
    ends: datetime
    time_zone: str
    facility_name: str
    patient_id: str
    patient_name: str
    sex: str
    service_name: str
    room_name: str
    attention: str
    extra: bool = False
    reason: str = ""
    mrn: str = "–"
    born: date | None = None
    age: int | None = None


def _age(row: _Cells, language: str, today: date) -> str:
    if row.born is None:
        return "–" if row.age is None else gettext("%(number)dy") % {"number": row.age}
    return formats.age_in(language, row.born, today)


def _texts(row: _Cells, language: str, today: date) -> tuple[str, ...]:
    zone = row.time_zone
    return (
        row.id, row.patient_id, str(row.version), row.starts.isoformat(), formats.clock(row.starts, zone),
        formats.clock(row.ends, zone), row.patient_name, _age(row, language, today), row.mrn,
        row.service_name, row.reason, row.room_name, row.facility_name,
    )  # fmt: skip


@lru_cache(maxsize=1_000)
def _skeleton(shape: _Shape) -> Skeleton:
    return Skeleton(draw("doctor/_row.html", {"shape": shape, **holes(_NAMES)}), _NAMES)


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Cells).decode


# The rows of today in a house of a hundred doctors, and as many again: 20 MB when it is full.
@lru_cache(maxsize=6_000)
def _row(encoded: bytes, main: Step | None, more: tuple[Step, ...], coming: bool, language: str, today: date) -> str:
    """One row, drawn from nothing but the arguments: what is kept cannot be another's, or out of date.

    A day open at the desk is asked for again and again, and of its fifty rows one has changed.
    """
    row = _decode(encoded)
    shape = _Shape(
        language, row.status, row.sex, main, more, row.attention, coming, row.extra, bool(row.service_name),
        bool(row.reason), bool(row.room_name),
    )  # fmt: skip
    return _skeleton(shape).fill(_texts(row, language, today))


def drawn(rows: Sequence[AppointmentRow], coming: Collection[UUID] = ()) -> Markup:
    """The rows of a day as HTML, one `<tr>` after the other, each with the steps of this hour.

    `coming`: of which of them the patients said that they come.
    """
    language, today = get_language() or "", clock.now().date()
    html = "".join(
        [
            _row(_encode(row), *steps, row.id in coming, language, today)
            for row, steps in zip(rows, _steps_of(rows), strict=True)
        ]
    )
    return Markup(html)  # noqa: S704 - the template's own, and every text escaped by `fill`
