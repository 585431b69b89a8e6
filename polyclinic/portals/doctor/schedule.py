"""The schedule editor. Before hours are taken away it shows whom that would leave without their time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import parse_id
from polyclinic.portals.common import doctor_of, done, person_of, see, show, version_of
from polyclinic.portals.doctor import forms
from polyclinic.portals.doctor.day import nav
from polyclinic.scheduling import schedules, selectors
from polyclinic.scheduling.problems import PatientsStranded
from polyclinic.scheduling.rows import AppointmentRow, ScheduleView
from polyclinic.web.access import declare

# Sent with an answer to "whom does this affect?", and therefore not repeated in the next question.
_ANSWERS = frozenset({"csrfmiddlewaretoken", "acknowledged", "resolution"})


@declare("schedule.edit")
@require_GET
def choose(request: HttpRequest) -> HttpResponse:
    """The doctor's schedules, one for each facility; with a single one, straight to it."""
    found = selectors.schedules_of_doctor(person_of(request), doctor_of(request))
    if len(found) == 1:
        return see(f"/doctor/schedule/{found[0].id}")
    return show(request, "doctor/schedules.html", schedules=found, nav=nav(request, "schedule"))


def own_schedule(request: HttpRequest, text: str) -> ScheduleView:
    """The schedule of this id when it is this doctor's own."""
    found = parse_id(text)
    if found is None:
        raise NotFound()
    schedule: ScheduleView = selectors.schedule(person_of(request), found)
    if schedule.doctor_id != doctor_of(request):
        raise NotFound()
    return schedule


@declare("schedule.edit")
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, schedule_id: str) -> HttpResponse:
    schedule = own_schedule(request, schedule_id)
    if request.method == "GET":
        return _page(request, schedule)

    def save() -> None:
        schedules.set_weekly(
            actor=person_of(request),
            schedule_id=schedule.id,
            weekly=forms.read_week(request.POST),
            slot_minutes=forms.read_minutes(request.POST.get("slot_minutes", ""), "slot_minutes"),
            buffer_minutes=forms.read_minutes(request.POST.get("buffer_minutes", ""), "buffer_minutes"),
            version=_version(request),
            acknowledged=acknowledged(request.POST),
            resolution=resolution(request.POST),
        )

    return _try(request, schedule, save, _("Your hours are saved."))


@declare("schedule.edit")
@require_POST
def set_extra(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """How many extra patients a day."""
    schedule = own_schedule(request, schedule_id)

    def save() -> None:
        limit = forms.read_minutes(request.POST.get("overbookLimit", ""), "overbookLimit")
        schedules.set_overbooking(
            actor=person_of(request), schedule_id=schedule.id, limit=limit or 0, version=_version(request)
        )

    return _try(request, schedule, save, _("It is saved."))


@declare("schedule.edit")
@require_POST
def add_exception(request: HttpRequest, schedule_id: str) -> HttpResponse:
    schedule = own_schedule(request, schedule_id)

    def save() -> None:
        starts, ends = forms.read_stretch(request.POST, schedule.time_zone)
        schedules.add_exception(
            actor=person_of(request),
            schedule_id=schedule.id,
            kind=request.POST.get("kind", ""),
            starts=starts,
            ends=ends,
            note=request.POST.get("note", "").strip(),
            version=_version(request),
            acknowledged=acknowledged(request.POST),
            resolution=resolution(request.POST),
        )

    return _try(request, schedule, save, _("It is saved."))


@declare("schedule.edit")
@require_POST
def remove_exception(request: HttpRequest, schedule_id: str, exception_id: str) -> HttpResponse:
    schedule = own_schedule(request, schedule_id)
    found = parse_id(exception_id)
    if found is None or found not in {row.id for row in schedule.exceptions}:
        raise NotFound()

    def save() -> None:
        schedules.remove_exception(
            actor=person_of(request),
            exception_id=found,
            version=_version(request),
            acknowledged=acknowledged(request.POST),
            resolution=resolution(request.POST),
        )

    return _try(request, schedule, save, _("It is removed."))


@declare("schedule.edit")
@require_GET
def state(request: HttpRequest, schedule_id: str) -> HttpResponse:
    """Whether the schedule is newer than the open page, for when it changes in another tab."""
    schedule = own_schedule(request, schedule_id)
    seen = request.GET.get("seen", "")
    return show(request, "doctor/_schedule_state.html", schedule=schedule, seen=int(seen) if seen.isdecimal() else 0)


def _try(request: HttpRequest, schedule: ScheduleView, save: Callable[[], None], sentence: Promise) -> HttpResponse:
    """Save, or ask about the patients affected, or show what is wrong with everything still typed in."""
    try:
        save()
    except PatientsStranded as stranded:
        rows = msgspec.convert(stranded.extra["appointments"], list[AppointmentRow])
        return show(
            request, "doctor/stranded.html", 409, schedule=schedule, rows=rows,
            sent=repeated(request.POST), action=request.path, nav=nav(request, "schedule"),
        )  # fmt: skip
    except Problem as problem:
        if problem.status == 404:
            raise
        return _page(request, schedule, problem, request.POST)
    done(request, sentence)
    return see(f"/doctor/schedule/{schedule.id}")


def _page(
    request: HttpRequest, schedule: ScheduleView, problem: Problem | None = None, sent: QueryDict | None = None
) -> HttpResponse:
    errors: dict[str, list[str]] = {}
    if problem is not None:
        errors = {problem.field or "__all__": [str(problem.sentence)]}
    weekly = sent if sent is not None and "slot_minutes" in sent else None
    return show(
        request, "doctor/schedule.html", problem.status if problem else 200, schedule=schedule, errors=errors,
        days=forms.week_rows(schedule, weekly), sent=sent, nav=nav(request, "schedule"),
        others=selectors.schedules_of_doctor(person_of(request), schedule.doctor_id),
    )  # fmt: skip


def _version(request: HttpRequest) -> int:
    """The version the page was made from; a form without one did not come from our page."""
    found = version_of(request)
    if found is None:
        raise Invalid(_("This page is out of date. Reload and try again."), field="version")
    return found


def acknowledged(sent: QueryDict) -> set[UUID]:
    """The appointments the doctor has seen in the list of those affected."""
    return {found for text in sent.getlist("acknowledged") if (found := parse_id(text)) is not None}


def resolution(sent: QueryDict) -> str:
    """What is to become of them: "keep" unless "cancel" was chosen."""
    return "cancel" if sent.get("resolution") == "cancel" else "keep"


def repeated(sent: QueryDict) -> list[tuple[str, Any]]:
    """Everything that was sent, to be sent again with the answer."""
    return [(name, value) for name, values in sent.lists() if name not in _ANSWERS for value in values]
