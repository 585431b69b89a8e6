"""Moving and cancelling one's own appointment. The old time is kept until the new one is certain."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from polyclinic.core import clock
from polyclinic.core.errors import Conflict, Invalid, Problem
from polyclinic.portals.common import day_of, done, person_of, see, show, tell, today_in, version_of
from polyclinic.portals.patient import strip
from polyclinic.portals.patient.confirm import lost
from polyclinic.portals.patient.views import facility_of, own
from polyclinic.reminders import actions as reminders
from polyclinic.scheduling import actions, selectors
from polyclinic.web.access import declare


@declare("appointment.cancel")
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, appointment_id: str) -> HttpResponse:
    row = own(request, appointment_id)
    if request.method == "POST":
        try:
            actions.take(actor=person_of(request), appointment_id=row.id, action="cancel", version=version_of(request))
        except Problem as problem:
            tell(request, problem)
            return see(f"/my/appointments/{row.id}")
        done(request, _("Your appointment is cancelled. The time is free for someone else."))
        return see("/my/appointments")
    return show(request, "patient/cancel.html", row=row, **_notice(request, row))


@declare("appointment.answer")
@require_POST
def coming(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Say that one comes, as by the link of a reminder."""
    row = own(request, appointment_id)
    try:
        reminders.come(actor=person_of(request), appointment_id=row.id)
    except Problem as problem:
        tell(request, problem)
    else:
        done(request, _("Thank you: we expect you."))
    return see(f"/my/appointments/{row.id}")


def _notice(request: HttpRequest, row: Any) -> dict[str, Any]:  # noqa: ANN401 - an AppointmentRow
    """Where it is, and whether there is still time to change it online."""
    place = facility_of(request, row.facility_id)
    hours = getattr(place, "notice_hours", 0)
    return {"place": place, "hours": hours, "late": row.starts - clock.now() < timedelta(hours=hours)}


@declare("appointment.reschedule")
@require_http_methods(["GET", "POST"])
def reschedule(request: HttpRequest, appointment_id: str) -> HttpResponse:
    """Choose another time; look once more (a GET with the time in the address); move it."""
    row = own(request, appointment_id)
    if request.method == "POST":
        return _move(request, row)
    notice = _notice(request, row)
    if request.GET.get("slot"):
        _schedule, starts = strip.read_slot(request.GET["slot"])
        slot = request.GET["slot"]
        return show(request, "patient/reschedule_check.html", row=row, starts=starts, slot=slot, **notice)
    return show(request, "patient/reschedule.html", row=row, **notice, **_other_times(request, row))


def _move(request: HttpRequest, row: Any) -> HttpResponse:  # noqa: ANN401 - an AppointmentRow
    person = person_of(request)
    try:
        schedule, starts = strip.read_slot(request.POST.get("slot", ""))
        moved = actions.reschedule(
            actor=person, appointment_id=row.id, starts=starts, schedule_id=schedule, version=version_of(request)
        )
    except (Conflict, Invalid) as problem:
        if problem.extra.get("slots"):
            return lost(request, problem, "", move=row)
        tell(request, problem)
        return see(f"/my/appointments/{row.id}/reschedule")
    except Problem as problem:
        tell(request, problem)
        return see(f"/my/appointments/{row.id}")
    done(request, _("Your appointment is moved. We will tell you here when it is confirmed."))
    return see(f"/my/appointments/{moved.pk}/booked")


def _other_times(request: HttpRequest, row: Any) -> dict[str, Any]:  # noqa: ANN401 - an AppointmentRow
    """Seven days of the same doctor's free times at the same place."""
    today = today_in(row.time_zone)
    filters: dict[str, Any] = {"schedule_id": row.schedule_id, "service_id": row.service_id}
    given = request.GET.get("from")
    first = selectors.first_free(person_of(request), **filters, limit=1)
    begin = max(today, day_of(given, date.min) if given else strip.choice(first[0]).day if first else today)
    free = selectors.free_slots(person_of(request), **filters, first_day=begin, days=strip.DAYS)
    return {
        "begin": begin,
        "week": strip.week(free, begin, row.time_zone),
        "earlier": max(today, begin - timedelta(days=strip.DAYS)) if begin > today else None,
        "later": begin + timedelta(days=strip.DAYS),
    }
