"""Doctors' requests for leave, and the week of a house as a table to look at and to print."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.facilities import staff
from polyclinic.portals import meanwhile, working
from polyclinic.portals.admin.doctors import place_of
from polyclinic.portals.admin.person import account_of
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import day_of, done, optional_id, person_of, see, show, today_in, version_of
from polyclinic.portals.doctor.schedule import acknowledged, repeated, resolution
from polyclinic.scheduling import asked, leaves, rota
from polyclinic.scheduling.problems import PatientsStranded
from polyclinic.web.access import declare


class Affected(msgspec.Struct, rename="camel"):
    """What a manager is shown of an appointment: who and when, and nothing of why."""

    id: UUID
    starts: datetime
    time_zone: str
    patient_name: str
    service_name: str
    status: str


@declare("leave.decide")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    return show(request, "admin/leave.html", nav=nav(request, "doctors"), **_listed(request))


@declare("leave.decide")
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """Only the list, for when somebody asks or withdraws while the page is open."""
    return show(request, "admin/_leave.html", **_listed(request))


def _listed(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    found: list[Any] = []
    for place in staff.places(person, "leave.decide"):
        found += asked.leave_requests(person, facility_id=place.id)
    return {"rows": found, "states": working.LEAVE, "kinds": working.LEAVE_KINDS}


@declare("leave.decide")
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, leave_id: str) -> HttpResponse:
    """One request, with the answer given to it. Patients whom it would strand are shown before it is granted."""
    person, key = person_of(request), account_of(leave_id)
    row = asked.leave_request(person, key)
    if row.hospital_id not in {place.id for place in staff.places(person, "leave.decide")}:
        raise NotFound()
    errors: dict[str, list[str]] = {}
    status = 200
    if request.method == "POST":
        try:
            said = _take(request, row)
        except PatientsStranded as stranded:
            found = msgspec.convert(stranded.extra["appointments"], list[Affected])
            return show(
                request, "admin/leave_stranded.html", 409, rows=found, sent=repeated(request.POST), action=request.path,
                nav=nav(request, "doctors"),
            )  # fmt: skip
        except Problem as refused:
            if refused.status == 404:
                raise
            errors, status = meanwhile.answer(refused)
            row = asked.leave_request(person, key)
        else:
            done(request, said)
            return see("/admin/leave")
    return show(
        request, "admin/leave_decide.html", status, nav=nav(request, "doctors"), row=row, errors=errors,
        states=working.LEAVE, kinds=working.LEAVE_KINDS, answer=request.POST.get("answer", ""),
    )  # fmt: skip


def _take(request: HttpRequest, row: asked.LeaveRow) -> Any:  # noqa: ANN401 - a sentence
    given: dict[str, Any] = {
        "actor": person_of(request), "request_id": row.id, "answer": request.POST.get("answer", ""),
        "version": version_of(request),
    }  # fmt: skip
    match request.POST.get("deed"):
        case "approve":
            leaves.approve(**given, acknowledged=acknowledged(request.POST), resolution=resolution(request.POST))
            return _("The leave is approved and stands in the doctor's hours.")
        case "decline":
            leaves.decline(**given)
            return _("The leave is declined. The doctor sees your answer.")
    raise Invalid(_("Choose to approve or to decline."), field="deed")


@declare("rota.view")
@require_GET
def week(request: HttpRequest) -> HttpResponse:
    """Doctors and days of one week, of all departments or one."""
    return show(request, "admin/rota.html", nav=nav(request, "doctors"), **_week(request))


@declare("rota.view")
@require_GET
def week_rows(request: HttpRequest) -> HttpResponse:
    """Only the table, for when hours, leave or bookings change while it is open."""
    return show(request, "admin/_rota.html", **_week(request))


def _week(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    place, places = place_of(request)
    today = today_in(place.time_zone)
    chosen = _first_day(request, today)
    department = optional_id(request.GET.get("department"), "department")
    table = rota.rota(person, place.id, chosen, department_id=department)
    return {
        "table": table, "place": place, "places": places, "today": today, "department": department,
        "departments": [(str(row.id), row.name) for row in rota.departments(person, place.id)],
        "days": [(day, working.SHORT_DAYS[at]) for at, day in enumerate(_days(table.first_day))],
        "before": table.first_day - timedelta(days=7), "after": table.first_day + timedelta(days=7),
        "number": table.first_day.isocalendar().week,
        "query": f"place={place.id}&department={department or ''}",
    }  # fmt: skip


def _days(first: date) -> list[date]:
    return [first + timedelta(days=number) for number in range(rota.WEEK)]


def _first_day(request: HttpRequest, today: date) -> date:
    """A day (2026-11-23) or a week (2026-W48, as the browser's own picker sends it); nothing is this week."""
    text = request.GET.get("week", "").strip()
    if "W" in text:
        try:
            return date.fromisocalendar(int(text[:4]), int(text.partition("W")[2]), 1)
        except ValueError:
            raise Invalid(_("Write the week as year and number, for example 2026-W48."), field="week") from None
    return day_of(text, today)
