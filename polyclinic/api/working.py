"""Doctors of a hospital over REST: inviting them and their answer, leave, the list with who is free next, the week."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from polyclinic.api import answers
from polyclinic.api.api import PROBLEMS
from polyclinic.api.schemas import (
    Body,
    Day,
    Hours,
    Limit,
    Minutes,
    Moment,
    PageNumber,
    Text,
    Version,
    Words,
    described,
    list_of,
)
from polyclinic.core import clock
from polyclinic.core.errors import NotFound
from polyclinic.scheduling import asked, inviting, leaves, rota, travel
from polyclinic.scheduling.asked import DoctorInvitationRow, LeaveRow
from polyclinic.scheduling.rota import MemberRow, Rota
from polyclinic.scheduling.rows import WeeklyRow
from polyclinic.web import stepup
from polyclinic.web.access import declare

router = Router(tags=["Doctors of a hospital"])
_INVITATION = {200: described(DoctorInvitationRow), **PROBLEMS}
_LEAVE = {200: described(LeaveRow), **PROBLEMS}


class DoctorWish(Body):
    """A doctor to be invited, with the weekly hours that are proposed."""

    hospital_id: UUID
    doctor_id: UUID
    weekly: Annotated[list[Hours], Field(max_length=100)]
    department_id: UUID | None = None
    room_id: UUID | None = None
    slot_minutes: Minutes | None = None


class InvitationAnswer(Body):
    """The doctor's answer, in either of the words clients use for it."""

    response: Literal["accept", "reject", "accepted", "rejected", "decline", "declined"]
    version: Version | None = None


class Seen(Body):
    """The version last seen, if any."""

    version: Version | None = None


class LeaveWish(Body):
    """Leave to be asked for at the hospital of a schedule."""

    schedule_id: UUID
    kind: Literal["annual", "sick", "study", "family", "other"]
    starts: Moment
    ends: Moment
    note: Annotated[Text, Field(max_length=200)] = ""


class Decision(Body):
    """An answer to the doctor; for approving, what becomes of the patients who are booked in that time."""

    answer: Annotated[Text, Field(max_length=200)] = ""
    version: Version | None = None
    acknowledged: Annotated[list[UUID], Field(max_length=1000)] = []
    resolution: Literal["keep", "cancel"] = "keep"


class TravelWish(Body):
    """Minutes between two hospitals."""

    minutes: Annotated[int, Field(strict=True, ge=0, le=travel.MAX_MINUTES)]


class TravelRow(msgspec.Struct, frozen=True, rename="camel"):
    """How many minutes a doctor keeps free between appointments at two hospitals."""

    doctor_id: UUID
    minutes: int


@router.get(
    "/doctor-invitations",
    response={200: list_of(DoctorInvitationRow), **PROBLEMS},
    summary="List invitations to doctors",
)
@declare("invitation.view")
def list_invitations(
    request: HttpRequest,
    state: Literal["sent", "accepted", "rejected", "revoked", "expired"] | None = None,
    hospitalId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """Those of the caller's hospitals, and those to the caller as a doctor; the two hundred newest."""
    rows = asked.doctor_invitations(answers.viewer_of(request), state=state or "", facility_id=hospitalId)
    return answers.cut(request, rows, page, limit, fields)


@router.post(
    "/doctor-invitations",
    response={201: described(DoctorInvitationRow), **PROBLEMS},
    summary="Invite a doctor",
)
@declare("staff.invite")
def invite(request: HttpRequest, body: DoctorWish) -> HttpResponse:
    """Ask a doctor who works elsewhere to see patients here too, and propose hours."""
    stepup.require(request)
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        made = inviting.invite(
            actor=person, facility_id=body.hospital_id, doctor_id=body.doctor_id,
            weekly=[WeeklyRow(row.weekday, row.starts, row.ends, row.kind) for row in body.weekly],
            department_id=body.department_id, room_id=body.room_id, slot_minutes=body.slot_minutes,
        )  # fmt: skip
        return 201, asked.doctor_invitation(person, made.pk)

    return answers.once(request, effect)


@router.get("/doctor-invitations/{doctorInvitationId}", response=_INVITATION, summary="Read an invitation")
@declare("invitation.view")
def read_invitation(request: HttpRequest, doctorInvitationId: str, fields: Words | None = None) -> HttpResponse:
    """One of them, with its version as ETag."""
    row = asked.doctor_invitation(answers.viewer_of(request), answers.key(doctorInvitationId))
    return answers.one(request, row, fields)


@router.post(
    "/doctor-invitations/{doctorInvitationId}/respond", response=_INVITATION, summary="Accept or reject an invitation"
)
@declare("invitation.answer")
def respond(request: HttpRequest, doctorInvitationId: str, body: InvitationAnswer) -> HttpResponse:
    """Accepting makes the schedule that was proposed (`scheduleId`); patients can book it at once."""
    person, key = answers.person_of(request), answers.key(doctorInvitationId)

    def effect() -> tuple[int, object]:
        inviting.respond(
            actor=person, invitation_id=key, answer=body.response,
            version=answers.expected_version(request, body.version),
        )  # fmt: skip
        return 200, asked.doctor_invitation(person, key)

    return answers.once(request, effect)


@router.post("/doctor-invitations/{doctorInvitationId}/remind", response=_INVITATION, summary="Remind a doctor")
@declare("staff.invite")
def remind(request: HttpRequest, doctorInvitationId: str, body: Seen) -> HttpResponse:
    """Tell the doctor once more: at most once a day and three times in all."""
    person, key = answers.person_of(request), answers.key(doctorInvitationId)

    def effect() -> tuple[int, object]:
        inviting.remind(actor=person, invitation_id=key, version=answers.expected_version(request, body.version))
        return 200, asked.doctor_invitation(person, key)

    return answers.once(request, effect)


@router.delete(
    "/doctor-invitations/{doctorInvitationId}", response={204: None, **PROBLEMS}, summary="Take an invitation back"
)
@declare("staff.invite")
def revoke(request: HttpRequest, doctorInvitationId: str) -> HttpResponse:
    """Possible until it is answered."""
    inviting.revoke(
        actor=answers.person_of(request), invitation_id=answers.key(doctorInvitationId),
        version=answers.expected_version(request),
    )  # fmt: skip
    return HttpResponse(status=204)


@router.get(
    "/hospitals/{hospitalId}/members", response={200: list_of(MemberRow), **PROBLEMS}, summary="A hospital's doctors"
)
@declare("rota.view")
def list_members(
    request: HttpRequest, hospitalId: str, page: PageNumber = 1, limit: Limit = 50, fields: Words | None = None
) -> HttpResponse:
    """Who sees patients here, whether they do now, and the next time that can be booked."""
    rows = rota.members(answers.viewer_of(request), answers.key(hospitalId))
    return answers.cut(request, rows, page, limit, fields)


@router.get("/hospitals/{hospitalId}/rota", response={200: described(Rota), **PROBLEMS}, summary="A hospital's week")
@declare("rota.view")
def read_rota(
    request: HttpRequest, hospitalId: str, day: Day | None = None, departmentId: UUID | None = None
) -> HttpResponse:
    """Hours, leave and bookings of each doctor, Monday to Sunday of the week in which `day` lies (this week)."""
    chosen: date = day or clock.now().date()
    found = rota.rota(answers.viewer_of(request), answers.key(hospitalId), chosen, department_id=departmentId)
    return answers.reply(found)


@router.get("/leave-requests", response={200: list_of(LeaveRow), **PROBLEMS}, summary="List requests for leave")
@declare("leave.view")
def list_leave(
    request: HttpRequest,
    state: Literal["asked", "approved", "declined", "withdrawn"] | None = None,
    hospitalId: UUID | None = None,
    page: PageNumber = 1,
    limit: Limit = 50,
    fields: Words | None = None,
) -> HttpResponse:
    """The caller's own, and those the caller decides about; open ones first."""
    rows = asked.leave_requests(answers.viewer_of(request), state=state or "", facility_id=hospitalId)
    return answers.cut(request, rows, page, limit, fields)


@router.post("/leave-requests", response={201: described(LeaveRow), **PROBLEMS}, summary="Ask for leave")
@declare("leave.ask")
def ask_leave(request: HttpRequest, body: LeaveWish) -> HttpResponse:
    """Ask to be away from one hospital; its manager answers."""
    person = answers.person_of(request)

    def effect() -> tuple[int, object]:
        made = leaves.ask(
            actor=person, schedule_id=body.schedule_id, kind=body.kind, starts=body.starts, ends=body.ends,
            note=body.note,
        )  # fmt: skip
        return 201, asked.leave_request(person, made.pk)

    return answers.once(request, effect)


@router.get("/leave-requests/{leaveRequestId}", response=_LEAVE, summary="Read a request for leave")
@declare("leave.view")
def read_leave(request: HttpRequest, leaveRequestId: str, fields: Words | None = None) -> HttpResponse:
    """One of them, with its version as ETag."""
    return answers.one(request, asked.leave_request(answers.viewer_of(request), answers.key(leaveRequestId)), fields)


@router.post("/leave-requests/{leaveRequestId}/withdraw", response=_LEAVE, summary="Withdraw a request for leave")
@declare("leave.ask")
def withdraw_leave(request: HttpRequest, leaveRequestId: str, body: Seen) -> HttpResponse:
    """Possible until it is answered."""
    person, key = answers.person_of(request), answers.key(leaveRequestId)

    def effect() -> tuple[int, object]:
        leaves.withdraw(actor=person, request_id=key, version=answers.expected_version(request, body.version))
        return 200, asked.leave_request(person, key)

    return answers.once(request, effect)


@router.post("/leave-requests/{leaveRequestId}/{decision}", response=_LEAVE, summary="Approve or decline leave")
@declare("leave.decide")
def decide_leave(request: HttpRequest, leaveRequestId: str, decision: str, body: Decision) -> HttpResponse:
    """Approved leave stands in the doctor's hours at once.

    Booked patients whom it would touch are listed in a 409 (`appointments`); send their ids as `acknowledged` with a
    `resolution` of `keep` or `cancel` to go ahead.
    """
    person, key = answers.person_of(request), answers.key(leaveRequestId)
    if decision not in ("approve", "decline"):
        raise NotFound()
    version = answers.expected_version(request, body.version)

    def effect() -> tuple[int, object]:
        if decision == "decline":
            leaves.decline(actor=person, request_id=key, answer=body.answer, version=version)
        else:
            leaves.approve(
                actor=person, request_id=key, answer=body.answer, version=version,
                acknowledged=frozenset(body.acknowledged), resolution=body.resolution,
            )  # fmt: skip
        return 200, asked.leave_request(person, key)

    return answers.once(request, effect)


@router.get("/doctors/{doctorId}/travel", response={200: described(TravelRow), **PROBLEMS}, summary="Time between two")
@declare("schedule.edit")
def read_travel(request: HttpRequest, doctorId: str) -> HttpResponse:
    """Minutes the doctor keeps free between appointments at two hospitals; for the doctor alone."""
    key = answers.key(doctorId)
    return answers.reply(TravelRow(key, travel.minutes_of(answers.viewer_of(request), key)))


@router.put("/doctors/{doctorId}/travel", response={200: described(TravelRow), **PROBLEMS}, summary="Set that time")
@declare("schedule.edit")
def set_travel(request: HttpRequest, doctorId: str, body: TravelWish) -> HttpResponse:
    """For bookings from now on; what is booked stays."""
    key = answers.key(doctorId)
    travel.set_minutes(actor=answers.person_of(request), doctor_id=key, minutes=body.minutes)
    return answers.reply(TravelRow(key, body.minutes))
