"""Appointments that come again: planned by wall clock, looked at one by one, booked all together or not at all.

A series is a rule and what became of it. Each date is an appointment of its own with its own states; what differs from
the rule (moved, left out) is an exception of that one date and leaves the others alone.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.audit import reads
from polyclinic.core.db import transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Problem
from polyclinic.scheduling import actions, availability, frames, known, problems, reserving
from polyclinic.scheduling.models import AppointmentSeries, SeriesOccurrence
from polyclinic.scheduling.rows import Slot
from polyclinic.scheduling.slots import minute_of, moment_of, wall_minute
from polyclinic.scheduling.states import EXPECTED

LEAST: Final = 2
MOST: Final = 52
LONGEST: Final = {"day": 60, "week": 26, "month": 12}


class Planned(msgspec.Struct, frozen=True, rename="camel"):
    """One date of a series that is not booked yet: when the rule wants it, whether it is free, and what is near it."""

    number: int
    starts: datetime
    free: bool
    # Why not, as a code: slot_taken, not_a_slot, beyond_horizon, slot_in_past, too_soon.
    why: str
    near: list[Slot]


class Occurrence(msgspec.Struct, frozen=True, rename="camel"):
    """One date of a series: `status` is its appointment's, or `left_out`."""

    number: int
    planned_starts: datetime
    appointment_id: UUID | None
    starts: datetime | None
    status: str
    moved: bool


class SeriesRow(msgspec.Struct, frozen=True, rename="camel"):
    """A series with all its dates."""

    id: UUID
    patient_id: UUID
    doctor_id: UUID
    facility_id: UUID
    time_zone: str
    every: int
    unit: str
    occurrences: list[Occurrence]


def dates(first: datetime, zone: str, every: int, unit: str, count: int) -> list[datetime]:
    """When a series falls: the same wall-clock time in `zone` each time, whatever the clocks did between.

    A month that has no such day has the appointment on its last one, and the next month on the day itself again.
    Raises Invalid naming `every`, `unit` or `count`.
    """
    if unit not in LONGEST:
        raise Invalid(_("Choose days, weeks or months."), field="unit")
    if not 1 <= every <= LONGEST[unit]:
        raise Invalid(_("Choose between %(low)s and %(high)s.") % {"low": 1, "high": LONGEST[unit]}, field="every")
    if not LEAST <= count <= MOST:
        raise Invalid(_("Choose between %(low)s and %(high)s.") % {"low": LEAST, "high": MOST}, field="count")
    there = ZoneInfo(zone)
    local = reserving.moment(first).astimezone(there)
    days = [_later(local.date(), every * number, unit) for number in range(count)]
    # The first is the moment that was chosen: in the hour that is shown twice it may be the second one.
    return [reserving.moment(first), *(moment_of(wall_minute(day, local.time(), there)) for day in days[1:])]


def _later(day: date, steps: int, unit: str) -> date:
    if unit != "month":
        return day + timedelta(days=steps * (7 if unit == "week" else 1))
    year, month = divmod(day.year * 12 + day.month - 1 + steps, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def plan(
    actor: Actor,
    *,
    schedule_id: UUID,
    starts: datetime,
    every: int,
    unit: str,
    count: int,
    service_id: UUID | None = None,
) -> list[Planned]:
    """Each date of the series as it stands now, the taken ones with the nearest free times. Changes nothing.

    Raises NotFound for an unknown schedule, Invalid naming the field.
    """
    frame = frames.required(schedule_id)
    wanted = dates(starts, frame.time_zone, every, unit, count)
    # One search over the whole stretch: a series of a year must not ask fifty times.
    last = min(wanted[-1], clock.now() + timedelta(days=frame.horizon_days))
    free = _free_between(actor, schedule_id, service_id, wanted[0], last, frame.time_zone)
    return [_planned(actor, frame, number, moment, service_id, free) for number, moment in enumerate(wanted, 1)]


def _free_between(
    actor: Actor, schedule_id: UUID, service_id: UUID | None, first: datetime, last: datetime, zone: str
) -> dict[datetime, Slot]:
    there = ZoneInfo(zone)
    day, until = first.astimezone(there).date() - timedelta(days=1), last.astimezone(there).date()
    found: dict[datetime, Slot] = {}
    while day <= until:
        days = min((until - day).days + 2, availability.MAX_DAYS)
        slots = availability.free_slots(actor, schedule_id=schedule_id, service_id=service_id, first_day=day, days=days)
        found |= {slot.starts: slot for slot in slots}
        day += timedelta(days=days)
    return found


def _planned(
    actor: Actor, frame: frames.Frame, number: int, moment: datetime, service_id: UUID | None,
    free: Mapping[datetime, Slot],
) -> Planned:  # fmt: skip
    if moment in free:
        return Planned(number, moment, True, "", [])
    why = "slot_taken"
    try:
        reserving.place(actor, frame, moment, service_id)
    except Problem as problem:
        why = problem.code
    near = sorted(free.values(), key=lambda slot: abs(minute_of(slot.starts) - minute_of(moment)))
    return Planned(number, moment, False, why, near[: problems.OFFERED])


@problems.offering
@transactional
def book(
    *,
    actor: Actor,
    patient_id: UUID,
    schedule_id: UUID,
    starts: datetime,
    every: int,
    unit: str,
    count: int,
    service_id: UUID | None = None,
    exceptions: Mapping[int, datetime | None] | None = None,
    reason: str = "",
) -> AppointmentSeries:
    """Book every date of a series in one transaction. `exceptions`: number of a date -> its other time, or None to
    leave it out. Not a single one is booked when one of them cannot be.

    Raises what `actions.book` raises, with `occurrence` naming the date; Invalid for an exception of no date, or when
    fewer than two dates are left.
    """
    frame = frames.required(schedule_id)
    known.require_bookable(actor, patient_id, frame)
    wanted = dates(starts, frame.time_zone, every, unit, count)
    apart = dict(exceptions or {})
    if any(not 1 <= number <= count for number in apart):
        raise Invalid(_("This date is not one of the series."), field="exceptions")
    if count - sum(moment is None for moment in apart.values()) < LEAST:
        raise Invalid(_("A series has at least two dates. Book a single appointment instead."), field="exceptions")
    made = AppointmentSeries(
        patient_id=patient_id, doctor_id=frame.doctor_id, facility_id=frame.facility_id, schedule_id=schedule_id,
        service_id=service_id, every=every, unit=unit, planned=count, made_by=actor.label,
    )  # fmt: skip
    made.save(force_insert=True)
    rows = []
    for number, moment in enumerate(wanted, 1):
        at = apart.get(number, moment)
        booked = None
        if at is not None:
            booked = _one(actor, number, patient_id, schedule_id, at, service_id, reason)
        rows.append(SeriesOccurrence(series=made, number=number, planned_starts=moment, appointment=booked))
    SeriesOccurrence.objects.bulk_create(rows)
    ledger.record(
        actor=actor, action="appointment.series", row=made, subject=_subject(made),
        detail={"every": every, "unit": unit, "dates": count},
    )  # fmt: skip
    return made


def _one(
    actor: Actor, number: int, patient_id: UUID, schedule_id: UUID, starts: datetime, service_id: UUID | None,
    reason: str,
) -> Any:  # noqa: ANN401 - an Appointment, which no other module is to import from here  # fmt: skip
    try:
        return actions.book(
            actor=actor, patient_id=patient_id, schedule_id=schedule_id, starts=starts, service_id=service_id,
            reason=reason,
        )  # fmt: skip
    except Problem as problem:
        problem.extra["occurrence"] = number
        raise


@transactional
def cancel(*, actor: Actor, series_id: UUID, first: int = 1, reason: str = "") -> int:
    """Cancel every date that is still to come, from number `first` on. Returns how many.

    Raises NotFound, or what cancelling one of them raises (`occurrence` names it); none is cancelled then.
    """
    row = _series(actor, series_id)
    left = [
        one
        for one in row.occurrences.select_related("appointment__facility").order_by("number")
        if one.number >= first and one.appointment is not None and one.appointment.state in EXPECTED
    ]
    if not left:
        raise Conflict(_("No date of this series is still to come."), code="series_over")
    for one in left:
        assert one.appointment is not None
        try:
            actions.step(actor, one.appointment, "cancel", reason=reason)
        except Problem as problem:
            problem.extra["occurrence"] = one.number
            raise
    ledger.record(
        actor=actor, action="appointment.series_cancelled", row=row, subject=_subject(row),
        detail={"from": first, "dates": len(left)},
    )  # fmt: skip
    return len(left)


def get(viewer: Viewer, series_id: UUID) -> SeriesRow:
    """A series with what became of each date. Raises NotFound (foreign and missing alike)."""
    row = _series(viewer, series_id)
    reads.opened(viewer, "appointment", row.pk, patient_id=row.patient_id, facility_id=row.facility_id)
    found = row.occurrences.select_related("appointment").order_by("number")
    return SeriesRow(
        row.pk, row.patient_id, row.doctor_id, row.facility_id, row.facility.time_zone, row.every, row.unit,
        [_occurrence(one) for one in found],
    )  # fmt: skip


def of_appointment(viewer: Viewer, appointment_id: UUID) -> SeriesRow | None:
    """The series an appointment is a date of, if any. Raises NotFound when it is not the viewer's to see."""
    found = SeriesOccurrence.objects.filter(appointment_id=appointment_id).values_list("series_id", flat=True).first()
    return get(viewer, found) if found else None


def _occurrence(one: SeriesOccurrence) -> Occurrence:
    booked = one.appointment
    if booked is None:
        return Occurrence(one.number, one.planned_starts, None, None, "left_out", False)
    starts = booked.starts.astimezone(UTC)
    return Occurrence(one.number, one.planned_starts, booked.pk, starts, booked.state, starts != one.planned_starts)


def _series(viewer: Viewer, series_id: UUID) -> AppointmentSeries:
    row = AppointmentSeries.objects.select_related("facility").filter(pk=series_id).first()
    if row is None:
        raise NotFound()
    policy.require_sight(viewer, "appointment.view", _subject(row))
    return row


def _subject(row: AppointmentSeries) -> Subject:
    return Subject(patient_id=row.patient_id, doctor_id=row.doctor_id, facility_id=row.facility_id)
