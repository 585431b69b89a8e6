"""The doctor's day: who comes when, in which state, and the one thing to do next."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods
from markupsafe import Markup

from polyclinic.core import clock
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.common import (
    day_of,
    doctor_of,
    done,
    local_path,
    person_of,
    see,
    show,
    tell,
    today_in,
    version_of,
)
from polyclinic.scheduling import actions, selectors
from polyclinic.scheduling.states import APPOINTMENT
from polyclinic.web.access import declare


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
GONE: Final = ("cancelled", "declined")


@dataclass(frozen=True, slots=True)
class Line:
    """An appointment with what the doctor may do to it now."""

    row: Any
    main: Step | None
    more: tuple[Step, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step offered, the usual one first."""
        return (self.main, *self.more) if self.main else self.more

    @property
    def day(self) -> date:
        """The calendar day at the facility."""
        return cast("datetime", self.row.starts).astimezone(ZoneInfo(self.row.time_zone)).date()


def line(row: Any) -> Line:  # noqa: ANN401 - an AppointmentRow
    """The row with its steps: those the state table has, less those its guards would refuse at this hour."""
    possible = [name for name in APPOINTMENT.possible(row.status) if name in STEPS and _timely(row, name)]
    main = NEXT.get(row.status)
    if main not in possible:
        main = "complete" if "complete" in possible else None
    others = tuple(step for name, step in STEPS.items() if name in possible and name != main)
    return Line(row, STEPS.get(main or ""), others)


def _timely(row: Any, action: str) -> bool:  # noqa: ANN401 - an AppointmentRow
    """Whether the hour allows this step; the guards decide, this only keeps useless buttons off the page."""
    now = clock.now()
    zone = ZoneInfo(row.time_zone)
    match action:
        case "check_in":
            return bool(row.starts.astimezone(zone).date() == now.astimezone(zone).date())
        case "complete" | "no_show":
            return bool(row.starts <= now or row.status == "checked_in")
        case "confirm" | "decline":
            return bool(row.ends > now)
        case "cancel":
            return bool(row.starts > now)
        case _:
            return True


# Rows as drawn, by everything they are drawn from: a day open at the desk is drawn again and again, and of its fifty
# rows one has changed. What is kept is only ever found by whoever has just been given the very same row.
_DRAWN_KEPT: Final = 2_000
_drawn: OrderedDict[tuple[object, ...], Markup] = OrderedDict()
_drawn_lock = threading.Lock()
_encode: Final = msgspec.json.Encoder().encode


def drawn(lines: list[Line]) -> Markup:
    """The rows of a day as HTML, one `<tr>` after the other."""
    language, today = get_language(), clock.now().date()
    keys = [(_encode(line.row), line.main, line.more, language, today) for line in lines]
    found = {key: _drawn.get(key) for key in keys}
    fresh = [line for line, key in zip(lines, keys, strict=True) if found[key] is None]
    if fresh:
        text = loader.render_to_string("doctor/_rows.html", {"lines": fresh})
        # Everything in a row is escaped, so a row ends only where the template ends it.
        parts = text.split("</tr>")[: len(fresh)]
        made = iter(Markup(f"{part}</tr>") for part in parts)  # noqa: S704 - the template's own, escaped there
        for key, kept in found.items():
            if kept is None:
                found[key] = next(made)
    with _drawn_lock:
        _drawn.update((key, row) for key, row in found.items() if row is not None)
        while len(_drawn) > _DRAWN_KEPT:
            _drawn.popitem(last=False)
    return Markup().join(row for row in found.values() if row is not None)


@declare("appointment.view")
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    doctor = doctor_of(request)
    places = selectors.places_of_doctor(person_of(request), doctor)
    today = today_in(places[0][1] if places else "UTC")
    chosen = day_of(request.GET.get("day"), today)
    rows = selectors.doctor_day(person_of(request), doctor, chosen)
    seen = [row for row in rows if row.status not in GONE]
    return show(
        request, "doctor/day.html", day=chosen, today=today, rows=drawn([line(row) for row in seen]), kpis=kpis(rows),
        before=_beside(chosen, -1), after=_beside(chosen, 1), nav=nav(request, "day"),
        zones=sorted({(row.facility_name, row.time_zone) for row in seen} or set(places)),
    )  # fmt: skip


def _beside(day: date, ahead: int) -> date:
    try:
        return day + timedelta(days=ahead)
    except OverflowError:
        return day


def kpis(rows: list[Any]) -> list[dict[str, Any]]:
    """The figures of a day; cancelled and declined ones are not part of it."""
    count = Counter(row.status for row in rows)
    return [
        {"label": _("Appointments"), "value": sum(n for state, n in count.items() if state not in GONE), "name": "all"},
        {"label": _("Waiting for confirmation"), "value": count["booked"], "name": "booked"},
        {"label": _("Confirmed"), "value": count["confirmed"], "name": "confirmed"},
        {"label": _("Checked in"), "value": count["checked_in"], "name": "checked_in"},
        {"label": _("Done"), "value": count["completed"], "name": "completed"},
        {"label": _("No-show"), "value": count["no_show"], "name": "no_show"},
    ]


@declare("appointment.view")
@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """Only the figures, for when an appointment of the open day changes."""
    chosen = day_of(request.GET.get("day"), clock.now().date())
    rows = selectors.doctor_day(person_of(request), doctor_of(request), chosen)
    return show(request, "doctor/_figures.html", kpis=kpis(rows), day=chosen)


@declare("appointment.view")
@require_GET
def row(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """One row of the day; 204 when the appointment does not stand in it (any more)."""
    found = parse_id(appointment_id)
    if found is None:
        raise NotFound()
    one = selectors.appointment(person_of(request), found)
    if one.doctor_id != doctor_of(request):
        raise NotFound()
    here = one.starts.astimezone(ZoneInfo(one.time_zone)).date()
    if one.status in GONE or here != day_of(request.GET.get("day"), here):
        return HttpResponse(status=204)
    return HttpResponse(drawn([line(one)]))


@declare("appointment.view")
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, appointment_id: str, action: str) -> HttpResponse:
    """Take a step. Steps that cannot be undone show a page first that asks, with room for a reason."""
    found, step = parse_id(appointment_id), STEPS.get(action)
    if found is None or step is None:
        raise NotFound()
    one = selectors.appointment(person_of(request), found)
    if one.doctor_id != doctor_of(request):
        raise NotFound()
    here = one.starts.astimezone(ZoneInfo(one.time_zone)).date()
    back = local_path(request.POST.get("back", ""), f"/doctor?day={here}")
    if request.method == "GET":
        return show(request, "doctor/ask.html", row=one, step=step, back=back, nav=nav(request, "day"))
    try:
        actions.take(
            actor=person_of(request), appointment_id=found, action=action, version=version_of(request),
            reason=request.POST.get("reason", "").strip()[:200],
        )  # fmt: skip
    except Problem as problem:
        tell(request, problem)
        return see(back)
    done(request, step.done)
    return see(back)


def nav(request: HttpRequest, current: str) -> dict[str, Any]:
    """What the doctor's bar shows: where they are, and how many patients are new."""
    doctor: UUID = doctor_of(request)
    return {"current": current, "new": selectors.new_patient_count(person_of(request), doctor), "doctor": doctor}
