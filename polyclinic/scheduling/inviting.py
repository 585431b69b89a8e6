"""Asking a doctor who works elsewhere to see patients here too, and the doctor's answer.

Accepting makes the schedule with the hours that were proposed, in the same transaction: from that commit on the doctor
is in the house's list and patients can book them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import changes as rights
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.facilities.events import StaffChanged
from polyclinic.facilities.models import Department, Facility, Room
from polyclinic.notify import actions as notices
from polyclinic.people import revisions
from polyclinic.people.models import Doctor
from polyclinic.scheduling.events import ScheduleChanged
from polyclinic.scheduling.models import DoctorInvitation, Schedule, WeeklyHours
from polyclinic.scheduling.rows import WeeklyRow
from polyclinic.scheduling.schedules import check_minutes, check_weekly
from polyclinic.scheduling.states import DOCTOR_INVITATION, SENT

OPEN_FOR: Final = timedelta(days=14)
# The answer somebody gives, in the words clients use for it, and the step it is.
ANSWERS: Final = {
    "accept": "accept", "accepted": "accept", "reject": "reject", "rejected": "reject", "decline": "reject",
    "declined": "reject",
}  # fmt: skip


@transactional
def invite(
    *,
    actor: Actor,
    facility_id: UUID,
    doctor_id: UUID,
    weekly: Sequence[WeeklyRow],
    department_id: UUID | None = None,
    room_id: UUID | None = None,
    slot_minutes: int | None = None,
) -> DoctorInvitation:
    """Invite a doctor to a facility with proposed weekly hours; they are told at once, and have fourteen days.

    Raises NotFound (facility or doctor), Invalid naming the field, Conflict (already_here, already_invited).
    """
    policy.require_sight(actor, "staff.invite", Subject(facility_id=facility_id))
    if not isinstance(actor, Person):
        raise Unauthenticated()
    facility = Facility.objects.filter(pk=facility_id).first()
    doctor = Doctor.objects.select_related("account").filter(pk=doctor_id, account__is_active=True).first()
    if facility is None or doctor is None:
        raise NotFound(field="facilityId" if facility is None else "doctorId")
    _check(facility_id, weekly, department_id, room_id, slot_minutes)
    # One after the other, so that the second sentence is ours; the constraint decides all the same.
    lock_keys([f"doctor-invitation:{facility_id}:{doctor_id}"])
    if Schedule.objects.filter(facility=facility, doctor=doctor).exists():
        raise Conflict(_("This doctor already sees patients here."), code="already_here", field="doctorId")
    if DoctorInvitation.objects.filter(facility=facility, doctor=doctor, state=SENT).exists():
        raise Conflict(
            _("This doctor is already invited. You can remind them."), code="already_invited", field="doctorId"
        )
    now = clock.now()
    made = DoctorInvitation(
        facility=facility, doctor=doctor, department_id=department_id, room_id=room_id, slot_minutes=slot_minutes,
        weekly=[[row.weekday, f"{row.starts:%H:%M}", f"{row.ends:%H:%M}", row.kind] for row in weekly],
        invited_by_id=actor.account_id, created_at=now, told_at=now, expires_at=now + OPEN_FOR,
    )  # fmt: skip
    ledger.create(DOCTOR_INVITATION, "invite", made, actor=actor)
    _tell_doctor(made, "doctor_invited")
    return made


@transactional
def remind(*, actor: Actor, invitation_id: UUID, version: int | None = None) -> DoctorInvitation:
    """Tell the doctor once more. Raises Conflict within a day of the last time (reminded_lately) or after three."""
    row = _sent_by(actor, invitation_id)
    changes: dict[str, object] = {"reminders": row.reminders + 1, "told_at": clock.now()}
    ledger.apply(DOCTOR_INVITATION, "remind", row, actor=actor, version=version, changes=changes)
    _tell_doctor(row, "doctor_reminded")
    return row


@transactional
def revoke(*, actor: Actor, invitation_id: UUID, version: int | None = None) -> DoctorInvitation:
    """Take an unanswered invitation back."""
    row = _sent_by(actor, invitation_id)
    ledger.apply(DOCTOR_INVITATION, "revoke", row, actor=actor, version=version)
    return row


@transactional
def respond(*, actor: Actor, invitation_id: UUID, answer: str, version: int | None = None) -> DoctorInvitation:
    """The doctor accepts or rejects (`ANSWERS`). Accepting makes the schedule that was proposed.

    Raises NotFound for another's invitation, Invalid for any other answer, Conflict (invitation_over, already_here),
    IllegalTransition when it is answered or taken back.
    """
    step = ANSWERS.get(answer)
    if step is None:
        raise Invalid(_("Choose to accept or to reject."), field="response", possible=["accept", "reject"])
    row = _found(actor, invitation_id)
    policy.require_sight(actor, "invitation.answer", Subject(doctor_id=row.doctor_id, facility_id=row.facility_id))
    if step == "reject":
        ledger.apply(DOCTOR_INVITATION, step, row, actor=actor, version=version)
    else:
        _accept(actor, row, version)
    notices.tell(
        row.invited_by_id, f"doctor_{row.state}", detail={"doctor": str(row.doctor), "facility": row.facility.name}
    )
    return row


def _accept(actor: Actor, row: DoctorInvitation, version: int | None) -> None:
    lock_keys([row.doctor_id, f"doctor-invitation:{row.facility_id}:{row.doctor_id}"])
    if Schedule.objects.filter(facility_id=row.facility_id, doctor_id=row.doctor_id).exists():
        raise Conflict(_("You already see patients there."), code="already_here")
    subject = Subject(doctor_id=row.doctor_id, facility_id=row.facility_id)
    made = Schedule(
        doctor_id=row.doctor_id, facility_id=row.facility_id, department_id=row.department_id, room_id=row.room_id,
        slot_minutes=row.slot_minutes,
    )  # fmt: skip
    # The step first: whoever may not take it, or comes too late, has made nothing.
    ledger.apply(DOCTOR_INVITATION, "accept", row, actor=actor, version=version)
    made.save(force_insert=True)
    DoctorInvitation.objects.filter(pk=row.pk).update(schedule=made)
    row.schedule = made
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule=made, weekday=part.weekday, starts=part.starts, ends=part.ends, kind=part.kind)
        for part in weekly_of(row)
    )
    opened = ScheduleChanged(
        schedule_id=made.pk, doctor_id=made.doctor_id, facility_id=made.facility_id, revision=made.version
    )
    ledger.record(
        actor=actor, action="schedule.open", row=made, subject=subject, revision=made.version,
        detail={"invitation": str(row.pk)}, event=opened,
    )  # fmt: skip
    # They work here now: what is shared with the house is shared with them, and their open pages hear of the house.
    account = row.doctor.account_id
    revisions.step(account)
    log.append(StaffChanged(facility_id=row.facility_id, account_id=account))
    rights.tell(account)


@transactional
def expire(*, actor: Actor) -> int:
    """Let unanswered invitations lapse when their time is over. Returns how many."""
    policy.require(actor, "staff.invite", Subject())
    over = DoctorInvitation.objects.filter(state=SENT, expires_at__lte=clock.now()).select_related("doctor")
    rows = list(over[:500])
    for row in rows:
        ledger.apply(DOCTOR_INVITATION, "expire", row, actor=actor)
    return len(rows)


def weekly_of(row: DoctorInvitation) -> list[WeeklyRow]:
    """The hours an invitation proposes."""
    kept: list[Any] = row.weekly
    return [
        WeeklyRow(weekday, time.fromisoformat(starts), time.fromisoformat(ends), kind)
        for weekday, starts, ends, kind in kept
    ]


def _check(
    facility_id: UUID,
    weekly: Sequence[WeeklyRow],
    department_id: UUID | None,
    room_id: UUID | None,
    slot_minutes: int | None,
) -> None:
    check_weekly(weekly)
    if not any(row.kind == WeeklyHours.Kind.HOURS for row in weekly):
        raise Invalid(_("Propose at least one day with hours; the doctor can change them later."), field="weekly")
    check_minutes(slot_minutes, "slotMinutes", 5, 480)
    if department_id and not Department.objects.filter(pk=department_id, facility_id=facility_id).exists():
        raise Invalid(_("There is no such department at this hospital."), field="departmentId")
    if room_id and not Room.objects.filter(pk=room_id, facility_id=facility_id).exists():
        raise Invalid(_("There is no such room at this hospital."), field="roomId")


def _found(actor: Actor, invitation_id: UUID) -> DoctorInvitation:
    rows = DoctorInvitation.objects.select_related("facility", "doctor")
    row = rows.filter(pk=invitation_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    return row


def _sent_by(actor: Actor, invitation_id: UUID) -> DoctorInvitation:
    row = _found(actor, invitation_id)
    policy.require_sight(actor, "staff.invite", Subject(facility_id=row.facility_id))
    return row


def _tell_doctor(row: DoctorInvitation, kind: str) -> None:
    notices.tell(row.doctor.account_id, kind, detail={"facility": row.facility.name})
