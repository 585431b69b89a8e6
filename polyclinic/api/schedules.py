"""A doctor's hours over REST: reading, replacing, leave and openings. A change that strands patients is 409 first."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import ExceptionWish, ExtraPatients, WeeklyPlan, described, list_of
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.scheduling import schedules, selectors
from polyclinic.scheduling.rows import ScheduleView, WeeklyRow
from polyclinic.web.access import declare

router = Router(tags=["Schedules"])
_ROW = {200: described(ScheduleView), **PROBLEMS}


@router.get(
    "/doctors/{doctorId}/schedules", response={200: list_of(ScheduleView), **PROBLEMS}, summary="A doctor's schedules"
)
@declare("schedule.view")
def list_schedules(request: HttpRequest, doctorId: str) -> HttpResponse:
    """All of a doctor's schedules that you may see, one per hospital."""
    rows = selectors.schedules_of_doctor(answers.viewer_of(request), answers.key(doctorId))
    return answers.listing(request, rows)


@router.get("/doctors/{doctorId}/schedules/{scheduleId}", response=_ROW, summary="Read one schedule")
@declare("schedule.view")
def read_schedule(request: HttpRequest, doctorId: str, scheduleId: str) -> HttpResponse:
    """The weekly hours, breaks, leave and openings, with the version as ETag."""
    return answers.one(request, _of(request, doctorId, scheduleId))


@router.put("/doctors/{doctorId}/schedules/{scheduleId}", response=_ROW, summary="Replace the weekly hours")
@declare("schedule.edit")
def replace_schedule(request: HttpRequest, doctorId: str, scheduleId: str, body: WeeklyPlan) -> HttpResponse:
    """Replace the weekly hours. Needs the version last seen, as If-Match or in the body.

    Booked patients who would fall outside are listed in a 409 (`appointments`); send their ids as `acknowledged` with a
    `resolution` of `keep` or `cancel` to go ahead.
    """
    view = _of(request, doctorId, scheduleId)
    schedules.set_weekly(
        actor=answers.person_of(request),
        schedule_id=view.id,
        weekly=[WeeklyRow(row.weekday, row.starts, row.ends, row.kind) for row in body.weekly],
        slot_minutes=body.slot_minutes,
        buffer_minutes=body.buffer_minutes,
        version=_version(request, body.version),
        acknowledged=frozenset(body.acknowledged),
        resolution=body.resolution,
    )
    return _fresh(request, doctorId, scheduleId)


@router.put(
    "/doctors/{doctorId}/schedules/{scheduleId}/overbooking", response=_ROW, summary="Set how many extra patients a day"
)
@declare("schedule.edit")
def set_overbooking(request: HttpRequest, doctorId: str, scheduleId: str, body: ExtraPatients) -> HttpResponse:
    """How many patients a day may be booked beside times that are taken. Needs the version last seen."""
    view = _of(request, doctorId, scheduleId)
    schedules.set_overbooking(
        actor=answers.person_of(request), schedule_id=view.id, limit=body.overbook_limit,
        version=_version(request, body.version),
    )  # fmt: skip
    return _fresh(request, doctorId, scheduleId)


@router.post(
    "/doctors/{doctorId}/schedules/{scheduleId}/exceptions",
    response={201: described(ScheduleView), **PROBLEMS},
    summary="Add leave or a one-off opening",
)
@declare("schedule.edit")
def add_exception(request: HttpRequest, doctorId: str, scheduleId: str, body: ExceptionWish) -> HttpResponse:
    """Add leave or an opening. Stranded patients are listed first, as when replacing the hours."""
    view = _of(request, doctorId, scheduleId)

    def effect() -> tuple[int, object]:
        schedules.add_exception(
            actor=answers.person_of(request),
            schedule_id=view.id,
            kind=body.kind,
            starts=body.starts,
            ends=body.ends,
            note=body.note,
            version=_version(request, body.version),
            acknowledged=frozenset(body.acknowledged),
            resolution=body.resolution,
        )
        return 201, _of(request, doctorId, scheduleId)

    return answers.once(request, effect)


@router.delete(
    "/doctors/{doctorId}/schedules/{scheduleId}/exceptions/{exceptionId}",
    response=_ROW,
    summary="Take leave or an opening back",
)
@declare("schedule.edit")
def remove_exception(
    request: HttpRequest,
    doctorId: str,
    scheduleId: str,
    exceptionId: str,
    acknowledged: Annotated[list[UUID], Query(max_length=200)] = [],  # noqa: B006 - read by the framework, never changed
    resolution: Literal["keep", "cancel"] = "keep",
) -> HttpResponse:
    """Take it back; needs If-Match. Without its opening a patient can be stranded too."""
    view = _of(request, doctorId, scheduleId)
    exception_id = answers.key(exceptionId)
    if exception_id not in {row.id for row in view.exceptions}:
        raise NotFound()
    schedules.remove_exception(
        actor=answers.person_of(request),
        exception_id=exception_id,
        version=_version(request, None),
        acknowledged=frozenset(acknowledged),
        resolution=resolution,
    )
    return _fresh(request, doctorId, scheduleId)


def _of(request: HttpRequest, doctor: str, schedule: str) -> ScheduleView:
    """The schedule at this address. Another doctor's under this doctor's address is as missing as any."""
    view = selectors.schedule(answers.viewer_of(request), answers.key(schedule))
    if view.doctor_id != answers.key(doctor):
        raise NotFound()
    return view


def _fresh(request: HttpRequest, doctor: str, schedule: str) -> HttpResponse:
    view = _of(request, doctor, schedule)
    response = answers.reply(view)
    response.headers["ETag"] = f'"{view.version}"'
    return response


def _version(request: HttpRequest, given: int | None) -> int:
    version = answers.expected_version(request, given)
    if version is None:
        raise Invalid(
            _("Say which version you are changing, as If-Match or as version."), code="required", field="version"
        )
    return version
