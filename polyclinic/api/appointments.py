"""Appointments, holds and a doctor's patients over REST. Each operation is one action or one selector."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import (
    Booking,
    Day,
    HoldRow,
    HoldWish,
    Limit,
    Moment,
    NewStatus,
    PageNumber,
    Patch,
    Words,
    described,
    list_of,
)
from polyclinic.core.actors import Person
from polyclinic.core.errors import Invalid
from polyclinic.scheduling import actions, selectors
from polyclinic.scheduling.problems import alternatives
from polyclinic.scheduling.rows import AppointmentRow, PatientRow
from polyclinic.scheduling.states import STEP_TO
from polyclinic.web import ratelimit
from polyclinic.web.access import declare

router = Router(tags=["Appointments"])
_ROW = {200: described(AppointmentRow), **PROBLEMS}
_MADE = {201: described(AppointmentRow), **PROBLEMS}


@router.get("/appointments", response={200: list_of(AppointmentRow), **PROBLEMS}, summary="List appointments")
@declare("any caller")
def list_appointments(
    request: HttpRequest,
    doctorId: UUID | None = None,
    patientId: UUID | None = None,
    hospitalId: UUID | None = None,
    status: Words | None = None,
    from_: Annotated[Moment | None, Query(alias="from")] = None,
    until: Moment | None = None,
    sort: Words = "starts",
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """The appointments you may see, by time. Narrow by doctor, patient, hospital, status and time."""
    found = selectors.appointments(
        answers.viewer_of(request),
        doctor_id=doctorId,
        patient_id=patientId,
        facility_id=hospitalId,
        status=status,
        from_=from_,
        until=until,
        sort=sort,
        page=page,
        limit=limit,
    )
    return answers.listing(request, found.rows, total=found.total, page=found.page, pages=found.pages, fields=fields)


@router.post("/appointments", response=_MADE, summary="Book")
@declare("any caller")
def book(request: HttpRequest, body: Booking) -> HttpResponse:
    """Book a slot. When it has just been taken the answer is 409 with the next three free slots.

    Who may overbook says in `overbook` why: a taken time then takes one extra patient, up to the day's limit.
    """
    actor = answers.person_of(request)
    ratelimit.check("booking", account=actor.label)
    patient_id = body.patient_id or actor.patient_id
    if patient_id is None:
        raise Invalid(_("Say for which patient."), code="required", field="patientId")

    def effect() -> tuple[int, object]:
        made = actions.book(
            actor=actor,
            patient_id=patient_id,
            schedule_id=body.schedule_id,
            starts=body.starts,
            service_id=body.service_id,
            hold_id=body.hold_id,
            reason=body.reason,
            overbook=body.overbook,
        )
        return 201, selectors.appointment(actor, made.pk)

    return answers.once(request, effect, kind="appointment")


@router.post("/appointments/book", response=_MADE, summary="Book (a second name)")
@declare("any caller")
def book_by_second_name(request: HttpRequest, body: Booking) -> HttpResponse:
    """The same as POST /appointments, under the name some clients know."""
    return book(request, body)


@router.get("/appointments/{appointmentId}", response=_ROW, summary="Read one appointment")
@declare("any caller")
def read_appointment(request: HttpRequest, appointmentId: str, fields: Words | None = None) -> HttpResponse:
    """One appointment with its ETag; 304 when If-None-Match names the present version."""
    row = selectors.appointment(answers.viewer_of(request), answers.key(appointmentId))
    return answers.one(request, row, fields)


@router.api_operation(
    ["PUT", "PATCH"], "/appointments/{appointmentId}", response=_ROW, summary="Move it or change its status"
)
@declare("any caller")
def change_appointment(request: HttpRequest, appointmentId: str, body: Patch) -> HttpResponse:
    """Give `starts` (and `scheduleId`) to move it, or `status` to take it a step; If-Match refuses a stale edit."""
    if (body.starts is None) == (body.status is None):
        raise Invalid(_("Give either a new time or a new status."), code="required", field="starts")
    if body.status is not None:
        return _step(request, appointmentId, body.status, body.version, body.reason)
    actor = answers.person_of(request)
    assert body.starts is not None
    with alternatives():
        moved = actions.reschedule(
            actor=actor,
            appointment_id=answers.key(appointmentId),
            starts=body.starts,
            schedule_id=body.schedule_id,
            version=answers.expected_version(request, body.version),
        )
    return _fresh(request, actor, moved.pk)


@router.delete("/appointments/{appointmentId}", response=_ROW, summary="Cancel an appointment")
@declare("any caller")
def cancel_appointment(request: HttpRequest, appointmentId: str) -> HttpResponse:
    """Cancel it; the row stays, cancelled, and the slot is free again."""
    return _step(request, appointmentId, "cancelled", None, "")


@router.put("/appointments/{appointmentId}/status", response=_ROW, summary="Change an appointment's status")
@declare("any caller")
def change_status(request: HttpRequest, appointmentId: str, body: NewStatus) -> HttpResponse:
    """Confirm, decline, cancel, check in, complete or mark as not come."""
    return _step(request, appointmentId, body.status, body.version, body.reason)


def _step(request: HttpRequest, key: str, status: str, version: int | None, reason: str) -> HttpResponse:
    actor = answers.person_of(request)
    row = actions.take(
        actor=actor,
        appointment_id=answers.key(key),
        action=STEP_TO[status],
        version=answers.expected_version(request, version),
        reason=reason,
    )
    return _fresh(request, actor, row.pk)


def _fresh(request: HttpRequest, actor: Person, appointment_id: UUID) -> HttpResponse:
    """The row as it is after the change, whatever version the caller had."""
    row = selectors.appointment(actor, appointment_id)
    response = answers.reply(row)
    response.headers["ETag"] = f'"{row.version}"'
    return response


@router.post("/holds", response={201: described(HoldRow), **PROBLEMS}, summary="Keep a slot")
@declare("appointment.hold")
def hold(request: HttpRequest, body: HoldWish) -> HttpResponse:
    """Keep a slot for five minutes while you confirm. A new hold replaces the one before."""
    actor = answers.person_of(request)

    def effect() -> tuple[int, object]:
        kept = actions.hold(actor=actor, schedule_id=body.schedule_id, starts=body.starts, service_id=body.service_id)
        return 201, HoldRow(kept.pk, kept.schedule_id, kept.doctor_id, kept.starts, kept.ends, kept.expires_at)

    return answers.once(request, effect)


@router.delete("/holds/{holdId}", response={204: None, **PROBLEMS}, summary="Give a kept slot back")
@declare("appointment.hold")
def release(request: HttpRequest, holdId: str) -> HttpResponse:
    """Free the slot for others at once."""
    actions.release_hold(actor=answers.person_of(request), hold_id=answers.key(holdId))
    return HttpResponse(status=204)


@router.get(
    "/doctors/{doctorId}/appointments", response={200: list_of(AppointmentRow), **PROBLEMS}, summary="A doctor's day"
)
@declare("any caller")
def doctors_day(request: HttpRequest, doctorId: str, date: Day, fields: Words | None = None) -> HttpResponse:
    """A doctor's appointments on a day of the facility's calendar, in order."""
    rows = selectors.doctor_day(answers.viewer_of(request), answers.key(doctorId), date)
    return answers.listing(request, rows, fields=fields)


@router.get(
    "/doctor/{doctorId}/patients", response={200: list_of(PatientRow), **PROBLEMS}, summary="A doctor's patients"
)
@declare("patient.list")
def doctors_patients(
    request: HttpRequest,
    doctorId: str,
    search: Words = "",
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """The patients in a doctor's list, new ones first."""
    found = selectors.doctor_patients(
        answers.viewer_of(request), answers.key(doctorId), search=search, page=page, limit=limit
    )
    return answers.listing(request, found.rows, total=found.total, page=found.page, pages=found.pages, fields=fields)
