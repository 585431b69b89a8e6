"""One time for a patient; from here on to a series, or beside a time that is taken."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.errors import Invalid, Problem
from polyclinic.portals.booking.desks import Desk, desk_of
from polyclinic.portals.common import day_of, done, optional_id, person_of, see, show, today_in
from polyclinic.portals.forms import errors_of
from polyclinic.portals.patient import strip
from polyclinic.portals.ui import formats
from polyclinic.scheduling import actions, availability, offering, overbooking
from polyclinic.scheduling.rows import ScheduleView, Slot
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

UNITS = [("day", _("days")), ("week", _("weeks")), ("month", _("months"))]


@declare("appointment.book")
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest, patient_id: str) -> HttpResponse:
    """Seven days of one doctor's free times, and the booking of one of them."""
    desk = desk_of(request, patient_id)
    schedule = schedule_of(request, desk)
    refused: Problem | None = None
    if request.method == "POST" and schedule is not None:
        try:
            return _book(request, desk, schedule)
        except Problem as problem:
            if problem.status in (403, 404):
                raise
            refused = problem
    return show(
        request, "booking/choose.html", refused.status if refused else 200, desk=desk, schedule=schedule,
        errors=errors_of(refused) if refused else {}, sent=request.POST, units=UNITS,
        **(_week(request, schedule, refused) if schedule else {}), **desk.context,
    )  # fmt: skip


def schedule_of(request: HttpRequest, desk: Desk) -> ScheduleView | None:
    """The schedule asked for, else the first; None where nobody sees patients."""
    wanted = optional_id(request.POST.get("schedule") or request.GET.get("schedule"), "schedule")
    found = [row for row in desk.schedules if wanted in (None, row.id)]
    if wanted and not found:
        raise Invalid(_("Choose one of the doctors offered."), field="schedule")
    return found[0] if found else None


def service_of(request: HttpRequest, schedule: ScheduleView) -> UUID | None:
    """The service asked for; None for an appointment without one. Another doctor may not give it: then none either."""
    wanted = optional_id(request.POST.get("service") or request.GET.get("service"), "service")
    return wanted if wanted in dict(offering.given_in(person_of(request), schedule.id)) else None


def _week(request: HttpRequest, schedule: ScheduleView, refused: Problem | None) -> dict[str, Any]:
    person, today = person_of(request), today_in(schedule.time_zone)
    first = max(day_of(request.POST.get("from") or request.GET.get("from"), today), today)
    service = service_of(request, schedule)
    slots = availability.free_slots(
        person, schedule_id=schedule.id, service_id=service, first_day=first, days=strip.DAYS
    )
    there = Subject(doctor_id=schedule.doctor_id, facility_id=schedule.facility_id)
    taken = []
    if schedule.overbook_limit and policy.allowed(person, "appointment.overbook", there):
        taken = [strip.choice(slot) for slot in overbooking.taken_times(person, schedule.id, first)]
    return {
        "first": first, "today": today, "days": strip.week(slots, first, schedule.time_zone), "taken": taken,
        "service": service, "services": offering.given_in(person, schedule.id), "next": _next(refused),
    }  # fmt: skip


def _next(refused: Problem | None) -> str:
    """The next free times that come with a refusal, also those of later weeks, in words."""
    offered = [msgspec.convert(one, Slot) for one in refused.extra.get("slots", [])] if refused else []
    return ", ".join(
        f"{formats.clinical_date(one.starts, one.time_zone)} {formats.clock(one.starts, one.time_zone)}"
        for one in offered
    )


def _book(request: HttpRequest, desk: Desk, schedule: ScheduleView) -> HttpResponse:
    person, sent = person_of(request), request.POST
    extra = sent.get("deed") == "extra"
    picked, starts = strip.read_slot(sent.get("taken" if extra else "slot", "")[:80])
    if picked != schedule.id:
        raise Invalid(_("Please choose one of the times offered."), field="slot")
    if sent.get("deed") == "series":
        return see(f"{desk.address}/series?{_rule(request, schedule, starts.isoformat())}")
    ratelimit.check("booking", account=person.label)
    made = actions.book(
        actor=person, patient_id=desk.patient_id, schedule_id=schedule.id, starts=starts,
        service_id=None if extra else service_of(request, schedule),
        reason=sent.get("reason", "").strip(), overbook=(sent.get("overbook", "").strip() or " ") if extra else "",
    )  # fmt: skip
    moment = (
        f"{formats.clinical_date(made.starts, schedule.time_zone)}, {formats.clock(made.starts, schedule.time_zone)}"
    )
    done(request, _("Booked: %(moment)s.") % {"moment": moment})
    return see(desk.back)


def _rule(request: HttpRequest, schedule: ScheduleView, starts: str) -> str:
    sent = request.POST
    rule = {
        "schedule": str(schedule.id),
        "service": str(service_of(request, schedule) or ""),
        "starts": starts,
        "every": sent.get("every", "")[:4],
        "unit": sent.get("unit", "")[:8],
        "count": sent.get("count", "")[:4],
        "place": request.GET.get("place", ""),
    }
    return urlencode({name: value for name, value in rule.items() if value})
