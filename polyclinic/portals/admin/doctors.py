"""The doctors of a house, live: who sees patients here, when they are next free, and who is invited to."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.access import policy
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.facilities import selectors as directory
from polyclinic.facilities import staff
from polyclinic.portals import meanwhile, working
from polyclinic.portals.admin.person import account_of
from polyclinic.portals.admin.views import nav
from polyclinic.portals.common import done, optional_id, person_of, see, show, version_of
from polyclinic.portals.doctor import forms
from polyclinic.scheduling import asked, inviting, rota
from polyclinic.scheduling.rows import WeeklyRow
from polyclinic.web import stepup
from polyclinic.web.access import declare

# What a house proposes when nobody has typed anything yet.
_USUAL = {"from": "09:00", "until": "17:00", "break_from": "12:00", "break_until": "13:00"}
FOUND = 20


def place_of(request: HttpRequest, permission: str = "rota.view") -> tuple[Any, list[Any]]:
    """The house a page is about, and all from which one may choose. Raises NotFound for another's."""
    places = staff.places(person_of(request), permission)
    wanted = optional_id(request.GET.get("place") or request.POST.get("place"), "place")
    found = next((place for place in places if wanted in (None, place.id)), None)
    if found is None:
        raise NotFound()
    return found, places


@declare("rota.view")
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    return _listing(request)


def _listing(request: HttpRequest, status: int = 200) -> HttpResponse:
    return show(request, "admin/doctors.html", status, nav=nav(request, "doctors"), **_listed(request))


@declare("rota.view")
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """Only the lists, for when a doctor comes, answers, is booked or goes on leave while the page is open."""
    return show(request, "admin/_doctors.html", **_listed(request))


def _listed(request: HttpRequest) -> dict[str, Any]:
    person = person_of(request)
    place, places = place_of(request)
    may = place.id in policy.places(person, "staff.invite")
    sent = asked.doctor_invitations(person, facility_id=place.id) if may else []
    return {
        "place": place, "places": places, "members": rota.members(person, place.id), "states": working.MEMBERS,
        "sent": [(row, working.week(row.weekly)) for row in sent], "answers": working.INVITED, "may_invite": may,
    }  # fmt: skip


@declare("staff.invite")
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Doctors by name, as the public directory knows them, to choose whom to invite."""
    place, places = place_of(request, "staff.invite")
    search = request.GET.get("q", "").strip()[:80]
    found = directory.doctors(person_of(request), search=search, limit=FOUND).rows if search else []
    return show(
        request, "admin/doctor_find.html", nav=nav(request, "doctors"), place=place, places=places, search=search,
        found=[(row, any(part.facility_id == place.id for part in row.places)) for row in found],
    )  # fmt: skip


@declare("staff.invite")
@require_http_methods(["GET", "POST"])
@stepup.needed
def invite(request: HttpRequest, doctor_id: str) -> HttpResponse:
    """The hours that are proposed to one doctor, and the button that sends them."""
    place, _places = place_of(request, "staff.invite")
    doctor = directory.doctor(person_of(request), account_of(doctor_id))
    errors: dict[str, list[str]] = {}
    status = 200
    if request.method == "POST":
        try:
            inviting.invite(
                actor=person_of(request), facility_id=place.id, doctor_id=doctor.id, weekly=_week(request.POST),
                department_id=optional_id(request.POST.get("department"), "department"),
                room_id=optional_id(request.POST.get("room"), "room"),
                slot_minutes=forms.read_minutes(request.POST.get("slot_minutes", ""), "slot_minutes"),
            )  # fmt: skip
        except Problem as refused:
            if refused.status == 404:
                raise
            errors, status = {_FIELDS.get(refused.field or "", "__all__"): [str(refused.sentence)]}, refused.status
        else:
            done(request, _("The invitation is sent. The doctor sees it at once."))
            return see(f"/admin/doctors?place={place.id}")
    given = {**_USUAL, **{name: request.POST.get(name, "")[:8] for name in _USUAL if request.method == "POST"}}
    days = request.POST.getlist("days") if request.method == "POST" else ["0", "1", "2", "3", "4"]
    return show(
        request, "admin/doctor_invite.html", status, nav=nav(request, "doctors"), place=place, doctor=doctor,
        errors=errors, given=given, days=days, weekdays=[(str(at), name) for at, name in enumerate(forms.WEEKDAYS)],
        departments=_choices(rota.departments(person_of(request), place.id)),
        rooms=_choices(rota.rooms(person_of(request), place.id)), sent=request.POST,
    )  # fmt: skip


# Where a refusal of the action stands on the form.
_FIELDS = {
    "weekly": "days", "weekly.0.ends": "until", "weekly.1.ends": "break_until", "slotMinutes": "slot_minutes",
    "slot_minutes": "slot_minutes", "departmentId": "department", "roomId": "room", "from": "from", "until": "until",
    "break_from": "break_from", "break_until": "break_until", "days": "days",
}  # fmt: skip


def _choices(rows: list[Any]) -> list[tuple[str, str]]:
    return [(str(row.id), row.name) for row in rows]


def _week(sent: QueryDict) -> list[WeeklyRow]:
    """The same hours, and the same break if there is one, on each day that was ticked."""
    days = sorted({int(text) for text in sent.getlist("days") if text in "0123456" and len(text) == 1})
    if not days:
        raise Invalid(_("Choose at least one day."), field="days")

    def at(name: str) -> time:
        return forms.read_time(sent.get(name, "")[:8], name)

    pause = bool(sent.get("break_from") or sent.get("break_until"))
    rows = []
    for day in days:
        rows.append(WeeklyRow(day, at("from"), at("until")))
        if pause:
            rows.append(WeeklyRow(day, at("break_from"), at("break_until"), "break"))
    return rows


@declare("staff.invite")
@require_POST
def act(request: HttpRequest, doctor_invitation_id: str, invitation_deed: str) -> HttpResponse:
    """Remind, or take back."""
    run, said = _DEEDS.get(invitation_deed, (None, None))
    if run is None:
        raise NotFound()
    try:
        row = run(actor=person_of(request), invitation_id=account_of(doctor_invitation_id), version=version_of(request))
    except Problem as refused:
        if refused.status == 404:
            raise
        if meanwhile.told(request, refused):
            return _listing(request, meanwhile.CHANGED)
        return see("/admin/doctors")
    done(request, said)
    return see(f"/admin/doctors?place={row.facility_id}")


_DEEDS: dict[str, tuple[Any, Promise]] = {
    "remind": (inviting.remind, _("The doctor is reminded.")),
    "revoke": (inviting.revoke, _("The invitation is taken back.")),
}
