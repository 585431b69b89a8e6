"""A series: every date looked at before it is booked, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.core.errors import Invalid, Problem
from polyclinic.portals.booking.desks import Desk, desk_of, id_of
from polyclinic.portals.booking.single import UNITS, schedule_of, service_of
from polyclinic.portals.common import done, moment_of, person_of, see, show, tell
from polyclinic.portals.forms import errors_of
from polyclinic.scheduling import series
from polyclinic.scheduling.rows import ScheduleView
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

LEFT_OUT: Final = "out"


@declare("appointment.book")
@require_http_methods(["GET", "POST"])
def plan(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Each date as it stands now; for what is taken, the nearest times or leaving it out. A POST books them all."""
    desk = desk_of(request, patient_id)
    schedule = schedule_of(request, desk)
    if schedule is None:
        raise Invalid(_("Choose one of the doctors offered."), field="schedule")
    rule = _rule(request.POST if request.method == "POST" else request.GET)
    rule["service_id"] = service_of(request, schedule)
    refused: Problem | None = None
    if request.method == "POST":
        try:
            return _book(request, desk, schedule, rule)
        except Problem as problem:
            if problem.status in (403, 404):
                raise
            refused = problem
    planned = series.plan(person_of(request), schedule_id=schedule.id, **rule)
    return show(
        request, "booking/series.html", refused.status if refused else 200, desk=desk, schedule=schedule, rule=rule,
        planned=planned, units=dict(UNITS), errors=errors_of(refused) if refused else {}, sent=request.POST,
        left_out=LEFT_OUT, **desk.context,
    )  # fmt: skip


def _rule(sent: QueryDict) -> dict[str, Any]:
    return {
        "starts": moment_of(sent.get("starts", "")[:40]),
        "every": _number(sent, "every"),
        "unit": sent.get("unit", ""),
        "count": _number(sent, "count"),
    }


def _number(sent: QueryDict, name: str) -> int:
    text = sent.get(name, "")
    if not text.isdecimal() or len(text) > 3:
        raise Invalid(_("Write a whole number."), field=name)
    return int(text)


def _book(request: HttpRequest, desk: Desk, schedule: ScheduleView, rule: dict[str, Any]) -> HttpResponse:
    person = person_of(request)
    ratelimit.check("booking", account=person.label)
    apart: dict[int, datetime | None] = {}
    for number in range(1, min(rule["count"], series.MOST) + 1):
        chosen = request.POST.get(f"date-{number}", "")[:40]
        if chosen:
            apart[number] = None if chosen == LEFT_OUT else moment_of(chosen, f"date-{number}")
    made = series.book(
        actor=person, patient_id=desk.patient_id, schedule_id=schedule.id, exceptions=apart,
        reason=request.POST.get("reason", "").strip(), **rule,
    )  # fmt: skip
    done(request, _("The series is booked."))
    return see(f"/series/{made.pk}")


@declare("appointment.view")
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, series_id: str) -> HttpResponse:
    """A series with what became of each date; a POST cancels from one date on."""
    person, key = person_of(request), id_of(series_id)
    if request.method == "POST":
        try:
            gone = series.cancel(actor=person, series_id=key, first=_number(request.POST, "first"))
        except Problem as problem:
            if problem.status in (403, 404):
                raise
            tell(request, problem)
        else:
            done(request, _("Cancelled: %(count)s.") % {"count": gone})
        return see(f"/series/{key}")
    return show(request, "booking/one.html", series=series.get(person, key), units=dict(UNITS))
