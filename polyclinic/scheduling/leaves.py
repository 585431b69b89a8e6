"""Asking for leave and deciding about it. What is approved becomes leave in the doctor's hours.

Approving goes through the same door as every other change of hours (`schedules.add_exception`): booked patients whom it
would leave without their time are listed first, and the manager decides for them.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, db, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.crypto.fields import stored
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Membership
from polyclinic.notify import actions as notices
from polyclinic.scheduling import reserving, schedules
from polyclinic.scheduling.models import LeaveRequest, Schedule, ScheduleException
from polyclinic.scheduling.states import ASKED, LEAVE

KINDS: Final = ("annual", "sick", "study", "family", "other")
MAX_TEXT: Final = 200
# Longer than any leave that is one decision.
LONGEST: Final = timedelta(days=400)


@transactional
def ask(
    *, actor: Actor, schedule_id: UUID, kind: str, starts: datetime, ends: datetime, note: str = ""
) -> LeaveRequest:
    """The doctor asks to be away from the hospital of this schedule, from `starts` until `ends`.

    Raises NotFound for another's schedule, Invalid naming the field, Conflict when this very time is asked for already.
    """
    row = Schedule.objects.select_related("doctor", "facility").filter(pk=schedule_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "leave.ask", Subject(doctor_id=row.doctor_id, facility_id=row.facility_id))
    if kind not in KINDS:
        raise Invalid(_("Choose what kind of leave it is."), field="kind", possible=list(KINDS))
    starts, ends = reserving.moment(starts), reserving.moment(ends, "ends")
    if ends <= starts:
        raise Invalid(_("The end must be after the beginning."), code="order", field="ends")
    if ends - starts > LONGEST:
        raise Invalid(_("Ask for at most 400 days at once."), code="too_long", field="ends")
    lock_keys([row.doctor_id])
    open_ = LeaveRequest.objects.filter(schedule=row, state=ASKED, starts__lt=ends, ends__gt=starts)
    if open_.exists():
        raise Conflict(_("You already ask for leave in this time. Withdraw that first."), code="already_asked")
    made = LeaveRequest(
        schedule=row, doctor=row.doctor, facility_id=row.facility_id, kind=kind, note=_text(note, "note"),
        starts=starts, ends=ends,
    )  # fmt: skip
    ledger.create(LEAVE, "ask", made, actor=actor)
    detail = {"doctor": str(row.doctor), "facility": row.facility.name}
    managers = Membership.objects.filter(facility_id=row.facility_id, role="manager", ended_at__isnull=True)
    for account in managers.values_list("account_id", flat=True):
        notices.tell(account, "leave_asked", detail=detail)
    return made


@transactional
def withdraw(*, actor: Actor, request_id: UUID, version: int | None = None) -> LeaveRequest:
    """The doctor no longer asks. Leave that is granted is taken back in the schedule, where patients are seen."""
    row = _found(actor, request_id)
    policy.require_sight(actor, "leave.ask", _subject(row))
    ledger.apply(LEAVE, "withdraw", row, actor=actor, version=version)
    return row


@transactional
def approve(
    *,
    actor: Actor,
    request_id: UUID,
    answer: str = "",
    version: int | None = None,
    acknowledged: AbstractSet[UUID] = frozenset(),
    resolution: str = "keep",
) -> LeaveRequest:
    """Grant the leave: it stands in the doctor's hours from this commit on.

    Raises PatientsStranded, with the appointments, unless each patient it concerns is acknowledged; `resolution` then
    keeps them booked (marked for attention) or cancels them. Else raises as the steps do.
    """
    row = _found(actor, request_id)
    policy.require_sight(actor, "leave.decide", _subject(row))
    # The doctor's time is locked before the version is read: nobody changes the hours between the two.
    db.lock_keys([row.doctor_id])
    current = Schedule.objects.values_list("version", flat=True).get(pk=row.schedule_id)
    _decide(actor, row, "approve", answer, version)
    made = schedules.add_exception(
        actor=actor, schedule_id=row.schedule_id, kind=ScheduleException.Kind.LEAVE, starts=row.starts, ends=row.ends,
        version=current, acknowledged=acknowledged, resolution=resolution,
    )  # fmt: skip
    LeaveRequest.objects.filter(pk=row.pk).update(leave=made)
    row.leave = made
    return row


@transactional
def decline(*, actor: Actor, request_id: UUID, answer: str = "", version: int | None = None) -> LeaveRequest:
    """Do not grant it; the doctor reads the answer."""
    row = _found(actor, request_id)
    policy.require_sight(actor, "leave.decide", _subject(row))
    _decide(actor, row, "decline", answer, version)
    return row


def _decide(actor: Actor, row: LeaveRequest, step: str, answer: str, version: int | None) -> None:
    row.answer = _text(answer, "answer")
    changes: dict[str, object] = {"answer": stored(row, "answer"), "decided_at": clock.now()}
    if isinstance(actor, Person):
        changes["decided_by_id"] = actor.account_id
    ledger.apply(LEAVE, step, row, actor=actor, version=version, changes=changes)
    notices.tell(row.doctor.account_id, f"leave_{row.state}", detail={"facility": row.facility.name})


def _text(text: str, field: str) -> str:
    if len(text) > MAX_TEXT:
        raise Invalid(_("Please keep it under 200 characters."), code="too_long", field=field)
    return text.strip()


def _found(actor: Actor, request_id: UUID) -> LeaveRequest:
    row = LeaveRequest.objects.select_related("doctor", "facility").filter(pk=request_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    return row


def _subject(row: LeaveRequest) -> Subject:
    return Subject(doctor_id=row.doctor_id, facility_id=row.facility_id)
