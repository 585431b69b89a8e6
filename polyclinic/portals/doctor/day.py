"""The doctor's day: who comes when, in which state, and the one thing to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.errors import NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.files.selectors import photo_of
from polyclinic.laboratory.selectors import waiting_for
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
from polyclinic.portals.doctor.lines import STEPS, drawn
from polyclinic.portals.ui import formats
from polyclinic.portals.ui.holes import Glimpse, Skeleton, holes
from polyclinic.reminders.selectors import coming
from polyclinic.scheduling import actions, offering, selectors
from polyclinic.scheduling.asked import waiting_invitations
from polyclinic.web.access import declare
from polyclinic.web.pages import csrf_field, draw

GONE: Final = ("cancelled", "declined")


# What the frame around a day's rows only prints: texts first, then markup. The figures go by their states' names.
_FIGURES: Final = ("all", "booked", "confirmed", "checked_in", "completed", "no_show")
_TEXTS: Final = ("day", "date", "long_date", "before", "after", "cursor", *_FIGURES)
_MARKUP: Final = ("csrf_input", "rows")


@declare("appointment.view")
@require_GET
def day(request: HttpRequest) -> HttpResponse:
    person, doctor = person_of(request), doctor_of(request)
    places = selectors.places_of_doctor(person, doctor)
    today = today_in(places[0][1] if places else "UTC")
    chosen = day_of(request.GET.get("day"), today)
    rows = selectors.doctor_day(person, doctor, chosen)
    seen = [row for row in rows if row.status not in GONE]
    around = _Around(
        get_language() or "", person, selectors.new_patient_count(person, doctor), chosen == today, bool(seen),
        tuple(sorted({(row.facility_name, row.time_zone) for row in seen} or set(places))), waiting_for(person),
        photo_of(person), waiting_invitations(person),
    )  # fmt: skip
    said = tuple(messages.get_messages(request))
    frame = _draw_frame(around, said) if said else _frame(around)
    texts = (
        *_dates(chosen, around.language, clock.now().year), str(getattr(request, "live_cursor", "")),
        *map(str, _counts(seen)),
    )  # fmt: skip
    return HttpResponse(frame.fill(texts, csrf_field(request), drawn(offering.with_beside(seen), coming(seen))))


class _Around(NamedTuple):
    """All that a frame is decided by: language, who looks and their photo, new patients, whether it is today, any
    rows, the places, critical results, invitations to answer."""

    language: str
    person: Person
    new: int
    is_today: bool
    rows: bool
    zones: tuple[tuple[str, str], ...]
    critical: int = 0
    photo: UUID | None = None
    invited: int = 0


@lru_cache(maxsize=500)
def _frame(around: _Around) -> Skeleton:
    """A frame drawn before for the very same person, figure by figure; what changes from look to look are holes."""
    return _draw_frame(around, ())


def _draw_frame(around: _Around, said: tuple[Any, ...]) -> Skeleton:
    names = (*_TEXTS, *_MARKUP)
    context = {
        **holes(names), "request": Glimpse(around.person), "messages": said, "is_today": around.is_today,
        "any_rows": around.rows, "zones": around.zones, "kpis": _labelled(holes(_FIGURES)),
        "nav": {
            "current": "day", "new": around.new, "doctor": around.person.doctor_id, "critical": around.critical,
            "invited": around.invited,
        },
    }  # fmt: skip
    return Skeleton(draw("doctor/day.html", context), names)


@lru_cache(maxsize=500)
def _dates(chosen: date, _language: str, _this_year: int) -> tuple[str, ...]:
    """The day as it is asked for, as clinicians and as people write it, and the days beside it."""
    return (
        str(chosen), formats.clinical_date(chosen), formats.long_date(chosen), str(_beside(chosen, -1)),
        str(_beside(chosen, 1)),
    )  # fmt: skip


def _beside(day: date, ahead: int) -> date:
    try:
        return day + timedelta(days=ahead)
    except OverflowError:
        return day


def _counts(rows: list[Any]) -> list[int]:
    """The figures of a day, in the order of `_FIGURES`; cancelled and declined ones are not part of it."""
    count = Counter([row.status for row in rows if row.status not in GONE])
    return [count.total(), *(count[state] for state in _FIGURES[1:])]


def _labelled(figures: Mapping[str, object]) -> list[dict[str, Any]]:
    labels = (
        _("Appointments"),
        _("Waiting for confirmation"),
        _("Confirmed"),
        _("Checked in"),
        _("Done"),
        _("No-show"),
    )
    return [
        {"label": label, "value": figures[name], "name": name} for name, label in zip(_FIGURES, labels, strict=True)
    ]


@declare("appointment.view")
@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """Only the figures, for when an appointment of the open day changes."""
    chosen = day_of(request.GET.get("day"), clock.now().date())
    rows = selectors.doctor_day(person_of(request), doctor_of(request), chosen, shown=False)
    figures = dict(zip(_FIGURES, _counts(rows), strict=True))
    return show(request, "doctor/_figures.html", kpis=_labelled(figures), day=chosen)


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
    return HttpResponse(drawn(offering.with_beside([one]), coming([one])))


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
    """What the doctor's bar shows: where they are, how many patients are new, how many hospitals wait for an answer."""
    doctor: UUID = doctor_of(request)
    person = person_of(request)
    return {
        "current": current, "new": selectors.new_patient_count(person, doctor), "doctor": doctor,
        "invited": waiting_invitations(person),
    }  # fmt: skip
