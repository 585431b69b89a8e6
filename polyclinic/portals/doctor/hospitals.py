"""The doctor's hospitals: who invites them, the time they need from one to the other, and leave."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals import meanwhile, working
from polyclinic.portals.common import doctor_of, done, person_of, see, show, version_of
from polyclinic.portals.doctor import forms
from polyclinic.portals.doctor.day import nav
from polyclinic.portals.doctor.schedule import own_schedule
from polyclinic.scheduling import asked, inviting, leaves, selectors, travel
from polyclinic.web.access import declare


@declare("invitation.view")
@require_GET
def invitations(request: HttpRequest) -> HttpResponse:
    return _invitations(request)


def _invitations(request: HttpRequest, status: int = 200, errors: dict[str, list[str]] | None = None) -> HttpResponse:
    person, doctor = person_of(request), doctor_of(request)
    return show(
        request, "doctor/invitations.html", status, nav=nav(request, "hospitals"), errors=errors or {},
        schedules=selectors.schedules_of_doctor(person, doctor), **_listed(request),
        minutes=request.POST.get("minutes", "")[:8] if errors else travel.minutes_of(person, doctor),
    )  # fmt: skip


def _listed(request: HttpRequest) -> dict[str, Any]:
    rows = asked.invitations_to(person_of(request), doctor_of(request))
    return {"rows": [(row, working.week(row.weekly)) for row in rows], "states": working.INVITED}


@declare("invitation.view")
@require_GET
def invitation_rows(request: HttpRequest) -> HttpResponse:
    """Only the list, for when a hospital invites or takes back while the page is open."""
    return show(request, "doctor/_invitations.html", **_listed(request))


@declare("invitation.view")
@require_GET
def invited_count(request: HttpRequest) -> HttpResponse:
    """Only the badge in the bar."""
    return show(request, "doctor/_invited.html", nav=nav(request, ""))


@declare("invitation.answer")
@require_POST
def answer(request: HttpRequest, doctor_invitation_id: str, answer: str) -> HttpResponse:
    """Accept or reject."""
    found = parse_id(doctor_invitation_id)
    if found is None or answer not in ("accept", "reject"):
        raise NotFound()
    doctor_of(request)
    try:
        row = inviting.respond(
            actor=person_of(request), invitation_id=found, answer=answer, version=version_of(request)
        )
    except Problem as refused:
        if refused.status == 404:
            raise
        if meanwhile.told(request, refused):
            return _invitations(request, meanwhile.CHANGED)
        return see("/doctor/invitations")
    if row.schedule_id is None:
        done(request, _("You declined. The hospital sees it at once."))
        return see("/doctor/invitations")
    done(request, _("Welcome. These are your hours there: patients can book them now, and you can change them."))
    return see(f"/doctor/schedule/{row.schedule_id}")


@declare("schedule.edit")
@require_POST
def set_travel(request: HttpRequest) -> HttpResponse:
    """How long the doctor needs from one hospital to another."""
    try:
        minutes = forms.read_minutes(request.POST.get("minutes", ""), "minutes") or 0
        travel.set_minutes(actor=person_of(request), doctor_id=doctor_of(request), minutes=minutes)
    except Invalid as refused:
        return _invitations(request, refused.status, {"minutes": [str(refused.sentence)]})
    done(request, _("It is saved. New bookings keep this time free between hospitals."))
    return see("/doctor/invitations")


@declare("leave.ask")
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """What the doctor asked for, and the form to ask."""
    errors: dict[str, list[str]] = {}
    status = 200
    if request.method == "POST":
        try:
            _ask(request)
        except Problem as refused:
            if refused.status == 404:
                raise
            errors, status = (
                {_FIELDS.get(refused.field or "", refused.field or "__all__"): [str(refused.sentence)]},
                (refused.status),
            )
        else:
            done(request, _("Your request is sent. You see the answer here."))
            return see("/doctor/leave")
    return show(
        request, "doctor/leave.html", status, nav=nav(request, "leave"), errors=errors, sent=request.POST,
        schedules=selectors.schedules_of_doctor(person_of(request), doctor_of(request)), **_asked(request),
    )  # fmt: skip


# Where a refusal of the action stands on the form.
_FIELDS = {"starts": "from_day", "ends": "until_day"}


def _ask(request: HttpRequest) -> None:
    chosen = own_schedule(request, request.POST.get("schedule", ""))
    starts, ends = forms.read_stretch(request.POST, chosen.time_zone)
    leaves.ask(
        actor=person_of(request), schedule_id=chosen.id, kind=request.POST.get("kind", ""), starts=starts, ends=ends,
        note=request.POST.get("note", ""),
    )  # fmt: skip


def _asked(request: HttpRequest) -> dict[str, Any]:
    return {
        "rows": asked.leave_of(person_of(request), doctor_of(request)), "states": working.LEAVE,
        "kinds": working.LEAVE_KINDS,
    }  # fmt: skip


@declare("leave.ask")
@require_GET
def leave_rows(request: HttpRequest) -> HttpResponse:
    """Only the list, for when the hospital answers while the page is open."""
    return show(request, "doctor/_leave.html", **_asked(request))


@declare("leave.ask")
@require_POST
def withdraw(request: HttpRequest, leave_id: str) -> HttpResponse:
    """No longer ask."""
    found = parse_id(leave_id)
    if found is None:
        raise NotFound()
    doctor_of(request)
    try:
        leaves.withdraw(actor=person_of(request), request_id=found, version=version_of(request))
    except Problem as refused:
        if refused.status == 404:
            raise
        meanwhile.told(request, refused)
    else:
        done(request, _("The request is withdrawn."))
    return see("/doctor/leave")
