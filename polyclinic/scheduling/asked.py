"""Reading invitations to doctors and requests for leave: a house sees its own, a doctor those that are to them."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.db import CompiledQuery
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.scheduling.inviting import weekly_of
from polyclinic.scheduling.models import DoctorInvitation, LeaveRequest
from polyclinic.scheduling.rows import WeeklyRow
from polyclinic.scheduling.rules import MAX_REMINDERS, REMIND_AFTER
from polyclinic.scheduling.states import ASKED, DOCTOR_INVITATION, LEAVE, SENT

MAX_ROWS: Final = 200
# Asked with every page of a doctor, for the badge.
_waiting = CompiledQuery(
    lambda doctor, now: DoctorInvitation.objects.filter(doctor_id=doctor, state=SENT, expires_at__gt=now).values_list(
        "pk"
    ),
    new_id(),
    clock.now(),
)


class DoctorInvitationRow(msgspec.Struct, frozen=True, rename="camel"):
    """An invitation as both sides see it. `remindable`: the house may remind now; `answerable`: the doctor may answer.

    `weekly` are the hours that are proposed, in `time_zone`. `schedule_id` is there once it was accepted.
    """

    id: UUID
    doctor_id: UUID
    doctor_name: str
    specialty: str
    hospital_id: UUID
    hospital_name: str
    time_zone: str
    department_name: str
    room_name: str
    slot_minutes: int | None
    weekly: tuple[WeeklyRow, ...]
    status: str
    invited_by: str
    created_at: datetime
    told_at: datetime
    reminders: int
    expires_at: datetime
    schedule_id: UUID | None
    remindable: bool
    answerable: bool
    version: int


class LeaveRow(msgspec.Struct, frozen=True, rename="camel"):
    """A request for leave as the doctor and the house that decides see it."""

    id: UUID
    schedule_id: UUID
    doctor_id: UUID
    doctor_name: str
    hospital_id: UUID
    hospital_name: str
    time_zone: str
    kind: str
    note: str
    starts: datetime
    ends: datetime
    status: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    answer: str
    version: int


def doctor_invitations(
    viewer: Viewer, *, state: str = "", facility_id: UUID | None = None
) -> list[DoctorInvitationRow]:
    """Invitations from the viewer's houses and to the viewer as a doctor, newest first; at most two hundred."""
    if state and state not in DOCTOR_INVITATION.states():
        raise Invalid(_("Unknown status."), field="state", possible=DOCTOR_INVITATION.states())
    rows = _invitations().filter(_sight(viewer, "invitation.view"))
    if state:
        rows = rows.filter(state=state)
    if facility_id:
        rows = rows.filter(facility_id=facility_id)
    return [_invitation(viewer, row) for row in rows.order_by("-created_at", "pk")[:MAX_ROWS]]


def invitations_to(viewer: Viewer, doctor_id: UUID) -> list[DoctorInvitationRow]:
    """What this doctor is invited to and was, newest first. Only the doctor is told; else NotFound."""
    policy.require_sight(viewer, "invitation.view", policy.Subject(doctor_id=doctor_id))
    rows = _invitations().filter(doctor_id=doctor_id).order_by("-created_at", "pk")
    return [_invitation(viewer, row) for row in rows[:MAX_ROWS]]


def doctor_invitation(viewer: Viewer, invitation_id: UUID) -> DoctorInvitationRow:
    """One of them. Raises NotFound for any other."""
    rows = _invitations().filter(_sight(viewer, "invitation.view"))
    row = rows.filter(pk=invitation_id).first()
    if row is None:
        raise NotFound()
    return _invitation(viewer, row)


def waiting_invitations(viewer: Viewer) -> int:
    """How many invitations wait for the viewer's own answer, for the badge."""
    if not isinstance(viewer, Person) or viewer.doctor_id is None:
        return 0
    return len(_waiting.rows(viewer.doctor_id, clock.now()))


def leave_requests(viewer: Viewer, *, state: str = "", facility_id: UUID | None = None) -> list[LeaveRow]:
    """Requests of the viewer's own and at the houses where the viewer decides: open ones first, then newest first."""
    if state and state not in LEAVE.states():
        raise Invalid(_("Unknown status."), field="state", possible=LEAVE.states())
    rows = _leaves().filter(_sight(viewer, "leave.view"))
    if state:
        rows = rows.filter(state=state)
    if facility_id:
        rows = rows.filter(facility_id=facility_id)
    found = list(rows.order_by("-asked_at", "pk")[:MAX_ROWS])
    return [_leave(row) for row in sorted(found, key=lambda row: row.state != ASKED)]


def leave_of(viewer: Viewer, doctor_id: UUID) -> list[LeaveRow]:
    """What this doctor asked for, newest first. Only the doctor is told; else NotFound."""
    policy.require_sight(viewer, "leave.view", policy.Subject(doctor_id=doctor_id))
    return [_leave(row) for row in _leaves().filter(doctor_id=doctor_id).order_by("-asked_at", "pk")[:MAX_ROWS]]


def leave_request(viewer: Viewer, request_id: UUID) -> LeaveRow:
    """One of them. Raises NotFound for any other."""
    row = _leaves().filter(_sight(viewer, "leave.view")).filter(pk=request_id).first()
    if row is None:
        raise NotFound()
    return _leave(row)


def _sight(viewer: Viewer, right: str) -> Q:
    """Rows of the places where the viewer has this right, and those of the viewer as a doctor."""
    if isinstance(viewer, SystemActor):
        return Q() if policy.allowed(viewer, right, policy.Subject()) else Q(pk__in=[])
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    seen = Q(facility_id__in=policy.places(viewer, right))
    if viewer.doctor_id and policy.allowed(viewer, right, policy.Subject(doctor_id=viewer.doctor_id)):
        seen |= Q(doctor_id=viewer.doctor_id)
    return seen


def _invitations() -> QuerySet[DoctorInvitation]:
    return DoctorInvitation.objects.select_related("doctor", "facility", "department", "room", "invited_by")


def _leaves() -> QuerySet[LeaveRequest]:
    return LeaveRequest.objects.select_related("doctor", "facility", "decided_by")


def _invitation(viewer: Viewer, row: DoctorInvitation) -> DoctorInvitationRow:
    now = clock.now()
    open_ = row.state == SENT and row.expires_at > now
    own = isinstance(viewer, Person) and viewer.doctor_id == row.doctor_id
    return DoctorInvitationRow(
        row.pk, row.doctor_id, str(row.doctor), row.doctor.specialty, row.facility_id, row.facility.name,
        row.facility.time_zone, row.department.name if row.department else "", row.room.name if row.room else "",
        row.slot_minutes, tuple(weekly_of(row)), row.state, row.invited_by.name, row.created_at, row.told_at,
        row.reminders, row.expires_at, row.schedule_id,
        open_ and not own and row.reminders < MAX_REMINDERS and now - row.told_at >= REMIND_AFTER,
        open_ and own, row.version,
    )  # fmt: skip


def _leave(row: LeaveRequest) -> LeaveRow:
    return LeaveRow(
        row.pk, row.schedule_id, row.doctor_id, str(row.doctor), row.facility_id, row.facility.name,
        row.facility.time_zone, row.kind, row.note, row.starts, row.ends, row.state, row.asked_at,
        row.decided_by.name if row.decided_by else "", row.decided_at, row.answer, row.version,
    )  # fmt: skip
