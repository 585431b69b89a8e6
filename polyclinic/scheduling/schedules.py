"""Editing a doctor's hours. A change never strands a booked patient silently: whoever makes it decides for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, db, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor, Viewer
from polyclinic.core.db import transactional
from polyclinic.core.errors import Invalid, NotFound, StaleEdit, Unauthenticated
from polyclinic.core.outbox import log
from polyclinic.scheduling import actions, frames, overbooking, reserving, selectors
from polyclinic.scheduling.events import ScheduleChanged
from polyclinic.scheduling.models import Appointment, Schedule, ScheduleException, WeeklyHours
from polyclinic.scheduling.problems import PatientsStranded
from polyclinic.scheduling.rows import AppointmentRow, ExceptionRow, WeeklyRow
from polyclinic.scheduling.slots import Plan, Span, minute_of
from polyclinic.scheduling.states import EXPECTED

OUTSIDE_HOURS = "outside_hours"
RESOLUTIONS = ("keep", "cancel")
MAX_ROWS = 100


def affected_by(
    viewer: Viewer,
    schedule_id: UUID,
    *,
    weekly: Sequence[WeeklyRow] | None = None,
    exception: ExceptionRow | None = None,
) -> list[AppointmentRow]:
    """Whom a change would leave outside the hours: new weekly rows, an added exception, or both. Changes nothing.

    Raises NotFound for a schedule that is not the viewer's to edit, Invalid as the change itself would.
    """
    row = _schedule(viewer, schedule_id)
    if weekly is not None:
        check_weekly(weekly)
    if exception is not None:
        _check_exception(exception.kind, exception.starts, exception.ends, exception.note)
    found = _stranded(_changed(_plan(row), weekly=weekly, added=exception), row)
    return [selectors.appointment(viewer, one.pk) for one in found]


@transactional
def set_weekly(
    *,
    actor: Actor,
    schedule_id: UUID,
    weekly: Sequence[WeeklyRow],
    slot_minutes: int | None,
    buffer_minutes: int | None,
    version: int,
    acknowledged: AbstractSet[UUID] = frozenset(),
    resolution: str = "keep",
) -> Schedule:
    """Replace the weekly hours. None as slot or buffer length leaves it to the facility.

    Raises Invalid naming the row, StaleEdit, Forbidden, or PatientsStranded unless every patient it concerns is
    acknowledged; `resolution` then keeps them booked (marked for attention) or cancels them.
    """
    row = _locked(actor, schedule_id)
    check_weekly(weekly)
    check_minutes(slot_minutes, "slotMinutes", 5, 480)
    check_minutes(buffer_minutes, "bufferMinutes", 0, 120)
    plan = _changed(_plan(row), weekly=weekly)
    detail: dict[str, object] = {
        "before": msgspec.to_builtins(_weekly(row)),
        "after": msgspec.to_builtins(list(weekly)),
        "slotMinutes": slot_minutes,
        "bufferMinutes": buffer_minutes,
    }
    fields: dict[str, object] = {"slot_minutes": slot_minutes, "buffer_minutes": buffer_minutes}
    _change(actor, row, "schedule.set_weekly", version, fields, detail)
    WeeklyHours.objects.filter(schedule_id=row.pk).delete()
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule_id=row.pk, kind=part.kind, weekday=part.weekday, starts=part.starts, ends=part.ends)
        for part in weekly
    )
    _resolve(actor, row, plan, acknowledged, resolution)
    return row


@transactional
def set_overbooking(*, actor: Actor, schedule_id: UUID, limit: int, version: int) -> Schedule:
    """How many patients a day may be booked into times that are taken (0 to 20); who is booked stays booked.

    Raises Invalid naming the field, StaleEdit, Forbidden, NotFound.
    """
    row = _locked(actor, schedule_id)
    if not 0 <= limit <= overbooking.MAX_LIMIT:
        raise Invalid(
            _("Choose between %(low)s and %(high)s.") % {"low": 0, "high": overbooking.MAX_LIMIT}, code="range",
            field="overbookLimit",
        )  # fmt: skip
    detail: dict[str, object] = {"before": row.overbook_limit, "after": limit}
    _change(actor, row, "schedule.set_overbooking", version, {"overbook_limit": limit}, detail)
    return row


@transactional
def add_exception(
    *,
    actor: Actor,
    schedule_id: UUID,
    kind: str,
    starts: datetime,
    ends: datetime,
    note: str = "",
    version: int,
    acknowledged: AbstractSet[UUID] = frozenset(),
    resolution: str = "keep",
) -> ScheduleException:
    """Add leave or a one-off opening. Raises as `set_weekly` does."""
    row = _locked(actor, schedule_id)
    _check_exception(kind, starts, ends, note)
    made = ScheduleException(schedule_id=row.pk, kind=kind, starts=starts, ends=ends, note=note)
    plan = _changed(_plan(row), added=ExceptionRow(made.pk, kind, starts, ends, note))
    detail: dict[str, object] = {"kind": kind, "starts": starts.isoformat(), "ends": ends.isoformat()}
    _change(actor, row, "schedule.add_exception", version, {}, detail)
    made.save(force_insert=True)
    _resolve(actor, row, plan, acknowledged, resolution)
    return made


@transactional
def remove_exception(
    *,
    actor: Actor,
    exception_id: UUID,
    version: int,
    acknowledged: AbstractSet[UUID] = frozenset(),
    resolution: str = "keep",
) -> None:
    """Take leave or an opening back. Without its opening a patient can be stranded too: raises as `set_weekly` does."""
    gone = ScheduleException.objects.filter(pk=exception_id).first()
    if gone is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    row = _locked(actor, gone.schedule_id)
    detail: dict[str, object] = {"kind": gone.kind, "starts": gone.starts.isoformat(), "ends": gone.ends.isoformat()}
    _change(actor, row, "schedule.remove_exception", version, {}, detail)
    gone.delete()
    _resolve(actor, row, _plan(row), acknowledged, resolution)


def would_strand(actor: Actor, schedule_id: UUID, weekly: Sequence[WeeklyRow]) -> int:
    """How many patients these hours would leave outside. Raises NotFound, Forbidden, Invalid as `set_weekly`."""
    row = _schedule(actor, schedule_id)
    check_weekly(weekly)
    return len(_stranded(_changed(_plan(row), weekly=weekly), row))


def check_weekly(weekly: Sequence[WeeklyRow]) -> None:
    """Refuse rows that make no sense, naming the row: `weekly.3.ends`."""
    if len(weekly) > MAX_ROWS:
        raise Invalid(_("That is more rows than a week needs."), field="weekly")
    for number, row in enumerate(weekly):
        if row.kind not in WeeklyHours.Kind.values:
            raise Invalid(_("Choose hours or a break."), field=f"weekly.{number}.kind")
        if not 0 <= row.weekday <= 6:
            raise Invalid(_("Weekdays count from 0, Monday, to 6."), field=f"weekly.{number}.weekday")
        if row.starts.second or row.starts.microsecond or row.starts.tzinfo:
            raise Invalid(_("Give the time in hours and minutes."), field=f"weekly.{number}.starts")
        if row.ends.second or row.ends.microsecond or row.ends.tzinfo:
            raise Invalid(_("Give the time in hours and minutes."), field=f"weekly.{number}.ends")
        if row.ends <= row.starts:
            raise Invalid(_("The end must be after the beginning."), code="order", field=f"weekly.{number}.ends")
        for other in weekly[:number]:
            if (other.kind, other.weekday) == (row.kind, row.weekday) and (
                row.starts < other.ends and other.starts < row.ends
            ):
                raise Invalid(_("Two rows overlap."), code="overlap", field=f"weekly.{number}.starts")


def check_minutes(value: int | None, field: str, low: int, high: int) -> None:
    """Refuse a number of minutes outside `low … high`; None leaves it to the facility."""
    if value is not None and not low <= value <= high:
        raise Invalid(
            _("Choose between %(low)s and %(high)s minutes.") % {"low": low, "high": high}, code="range", field=field
        )


def _check_exception(kind: str, starts: datetime, ends: datetime, note: str) -> None:
    if kind not in ScheduleException.Kind.values:
        raise Invalid(_("Choose leave or an opening."), field="kind")
    if reserving.moment(ends, "ends") <= reserving.moment(starts):
        raise Invalid(_("The end must be after the beginning."), code="order", field="ends")
    if ends <= clock.now():
        raise Invalid(_("This time has passed. Choose a later one."), code="past", field="ends")
    if len(note) > 120:
        raise Invalid(_("Please keep the note under 120 characters."), code="too_long", field="note")


def _schedule(viewer: Viewer, schedule_id: UUID) -> Schedule:
    row = Schedule.objects.select_related("facility").filter(pk=schedule_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "schedule.view", _subject(row))
    policy.require(viewer, "schedule.edit", _subject(row))
    return row


def _locked(actor: Actor, schedule_id: UUID) -> Schedule:
    """The schedule, with the doctor's time locked: a booking that began before is seen, one after sees the change."""
    row = _schedule(actor, schedule_id)
    db.lock_keys([row.doctor_id])
    row.refresh_from_db(fields=["version", "slot_minutes", "buffer_minutes"])
    frames.being_changed(row.pk)
    return row


def _subject(row: Schedule) -> Subject:
    return Subject(doctor_id=row.doctor_id, facility_id=row.facility_id)


def _change(
    actor: Actor, row: Schedule, action: str, version: int, fields: Mapping[str, object], detail: dict[str, object]
) -> None:
    if version != row.version:
        raise StaleEdit(version=row.version)
    ledger.change(
        row, fields, permission="schedule.edit", subject=_subject(row), actor=actor, action=action, detail=detail
    )
    log.append(
        ScheduleChanged(schedule_id=row.pk, doctor_id=row.doctor_id, facility_id=row.facility_id, revision=row.version)
    )


def _weekly(row: Schedule) -> list[WeeklyRow]:
    columns = ("weekday", "starts", "ends", "kind")
    return [WeeklyRow(*cells) for cells in row.weekly.order_by("pk").values_list(*columns)]


def _plan(row: Schedule) -> Plan:
    """The plan as the database has it in this transaction, never a remembered one."""
    return frames.plan_afresh(row.pk)


def _changed(plan: Plan, *, weekly: Iterable[WeeklyRow] | None = None, added: ExceptionRow | None = None) -> Plan:
    leave, openings = plan.leave, plan.openings
    if added is not None:
        span: tuple[Span] = ((minute_of(added.starts), minute_of(added.ends)),)
        leave, openings = (
            (leave + span, openings) if added.kind == ScheduleException.Kind.LEAVE else (leave, openings + span)
        )
    rows = plan.weekly if weekly is None else tuple(weekly)
    return replace(plan, weekly=rows, leave=leave, openings=openings, _days={})


def _stranded(plan: Plan, row: Schedule) -> list[Appointment]:
    """Coming appointments outside the plan for which nobody has decided yet."""
    coming = Appointment.objects.filter(schedule_id=row.pk, state__in=EXPECTED, starts__gt=clock.now())
    coming = coming.exclude(attention=OUTSIDE_HOURS).select_related("facility").order_by("starts", "pk")
    return [one for one in coming if not plan.covers(minute_of(one.starts), minute_of(one.ends))]


def _resolve(actor: Actor, row: Schedule, plan: Plan, acknowledged: AbstractSet[UUID], resolution: str) -> None:
    resolve(actor, _stranded(plan, row), acknowledged, resolution)


def resolve(
    actor: Actor,
    found: Sequence[Appointment],
    acknowledged: AbstractSet[UUID],
    resolution: str,
    *,
    mark: str = OUTSIDE_HOURS,
) -> None:
    """Do with appointments that a change leaves outside the hours what was decided for them: those that are kept bear
    `mark` for the front desk.

    Raises PatientsStranded while one of them is not acknowledged, Invalid for an unknown resolution.
    """
    if resolution not in RESOLUTIONS:
        raise Invalid(_("Choose to keep or to cancel."), field="resolution", possible=list(RESOLUTIONS))
    if any(one.pk not in acknowledged for one in found):
        listed = [selectors.appointment(actor, one.pk) for one in found]
        raise PatientsStranded(appointments=msgspec.to_builtins(listed))
    for one in found:
        if resolution == "cancel":
            actions.step(actor, one, "cancel", reason="schedule_changed")
            continue
        ledger.change(
            one,
            {"attention": mark},
            permission="schedule.edit",
            subject=Subject(one.patient_id, one.doctor_id, one.facility_id),
            actor=actor,
            action=f"appointment.{mark}",
        )
