"""One extra patient beside a taken time: allowed to few, at most as often a day as the schedule says, with a reason.

The doctor's time is one resource and stays so. The extra patient reserves a resource of its own, named after the
doctor's: the rule that no two reservations of a resource overlap then keeps it at one beside each time. When the other
appointment is called off, the extra one moves up and holds the doctor's time itself, or the doctor would look free,
at another hospital too.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, db
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.people import joined
from polyclinic.scheduling import frames, reserving
from polyclinic.scheduling.models import Appointment, Overbooking, Reservation, Schedule
from polyclinic.scheduling.problems import SlotTaken, wished
from polyclinic.scheduling.reserving import Place
from polyclinic.scheduling.rows import Slot
from polyclinic.scheduling.slots import minute_of, moment_of
from polyclinic.scheduling.states import HOLDING

MAX_REASON: Final = 200
MAX_LIMIT: Final = 20
_DAY: Final = timedelta(days=1)


def beside(doctor_id: UUID) -> UUID:
    """The resource that the extra patient of a doctor's time reserves."""
    return uuid5(doctor_id, "extra")


def checked(reason: str) -> str:
    """The reason as it is kept. Raises Invalid without one: who is made to wait may ask."""
    text = reason.strip()
    if len(text) < 3:
        raise Invalid(
            _("Say why this patient must be seen at a time that is taken."), code="required", field="overbook"
        )
    if len(text) > MAX_REASON:
        raise Invalid(_("Please keep the reason under 200 characters."), code="too_long", field="overbook")
    return text


def needed(actor: Actor, wanted: Place, patient_id: UUID) -> bool:
    """Whether the time is taken so that only an extra place is left; False when it is free and simply booked.

    Takes the locks of everything either way could reserve. Raises Forbidden, SlotTaken when the time is taken by a
    hold, by several appointments or in part, and Conflict when the day has as many extra patients as it may.
    """
    frame = wanted.frame
    policy.require(actor, "appointment.overbook", wanted.subject(patient_id))
    db.lock_keys([*wanted.lockable(patient_id), beside(frame.doctor_id)])
    taken: list[Any] = list(_of_doctor(frame.doctor_id, wanted.starts, wanted.ends).values_list(
        "appointment_id", "appointment__facility_id", "starts", "ends", "hold__holder", "hold__expires_at", "kind",
    ))  # fmt: skip
    real = [row for row in taken if row[0] is not None or (row[5] > clock.now() and row[4] != actor.label)]
    if not real:
        return False
    if wanted.needs is not None:
        raise Invalid(
            _("This service takes more than the doctor, so it cannot be given beside another patient."),
            code="needs_more", field="serviceId",
        )  # fmt: skip
    appointment, place, starts, ends = real[0][:4]
    if (
        len(real) > 1
        or appointment is None
        or place != frame.facility_id
        # Helping a colleague, the doctor has no patient of their own beside whom another could be.
        or real[0][6] != Reservation.Kind.DOCTOR
        or starts > wanted.starts
        or ends < wanted.ends
    ):
        raise wished(SlotTaken(), wanted.wish)
    limit = Schedule.objects.filter(pk=frame.schedule_id).values_list("overbook_limit", flat=True)[0]
    if extra_on(frame.schedule_id, frame.time_zone, wanted.starts) >= limit:
        raise Conflict(
            _("This doctor takes %(limit)s extra patients a day, and that is reached.") % {"limit": limit},
            code="overbooked_enough", field="overbook", limit=limit,
        )  # fmt: skip
    return True


def reserve(actor: Actor, wanted: Place, patient_id: UUID, appointment_id: UUID) -> None:
    """Take the extra place and the patient's time. The room is the doctor's: it is shared. After `needed`."""
    resources = [
        (beside(wanted.frame.doctor_id), Reservation.Kind.EXTRA.value, wanted.starts, wanted.ends),
        (patient_id, Reservation.Kind.PATIENT.value, wanted.starts, wanted.ends),
    ]
    reserving.take(actor, wanted, resources, appointment_id=appointment_id)


def note(made: Appointment, reason: str) -> None:
    """Keep why, beside the appointment."""
    Overbooking.objects.create(appointment=made, patient_id=made.patient_id, reason=reason)


def extra_on(schedule_id: UUID, zone: str, moment: datetime) -> int:
    """How many extra patients stand on the day of `moment` in this schedule."""
    first, last = _day(moment.astimezone(ZoneInfo(zone)).date(), zone)
    return Overbooking.objects.filter(
        appointment__schedule_id=schedule_id, appointment__state__in=HOLDING, appointment__starts__gte=first,
        appointment__starts__lt=last,
    ).count()  # fmt: skip


def taken_times(viewer: Viewer, schedule_id: UUID, day: date) -> list[Slot]:
    """Times of this day that are taken and could still take an extra patient; none once the day's limit is reached.

    Raises NotFound for a schedule that is not there, or in which the viewer may not overbook.
    """
    frame = frames.required(schedule_id)
    policy.require_sight(
        viewer, "appointment.overbook", Subject(doctor_id=frame.doctor_id, facility_id=frame.facility_id)
    )
    limit = Schedule.objects.filter(pk=schedule_id).values_list("overbook_limit", flat=True)[0]
    first, last = _day(day, frame.time_zone)
    if extra_on(schedule_id, frame.time_zone, first) >= limit:
        return []
    held = _of_doctor(frame.doctor_id, first, last).filter(
        appointment__facility_id=frame.facility_id, kind=Reservation.Kind.DOCTOR
    )
    spans = [(minute_of(starts), minute_of(ends)) for starts, ends in held.values_list("starts", "ends")]
    gone = Reservation.objects.filter(
        resource_id=beside(frame.doctor_id), starts__lt=last, starts__gt=first - _DAY, ends__gt=first
    ).values_list("starts", "ends")
    extra = [(minute_of(starts), minute_of(ends)) for starts, ends in gone]
    length, now = frame.plan.slot, minute_of(clock.now())
    found = []
    for minute in frame.plan.starts(day, length):
        around = [span for span in spans if span[0] < minute + length and minute < span[1]]
        covered = len(around) == 1 and around[0][0] <= minute and minute + length <= around[0][1]
        if minute > now and covered and not any(low < minute + length and minute < high for low, high in extra):
            starts, ends = moment_of(minute), moment_of(minute + length)
            found.append(Slot(schedule_id, frame.doctor_id, frame.facility_id, starts, ends, frame.time_zone))
    return found


def move_up(gone: Appointment) -> None:
    """Give an extra patient of the time that `gone` has just left the doctor's time itself. Under the doctor's lock.

    Whoever would clash with another appointment of the doctor there stays beside it.
    """
    waiting = Reservation.objects.filter(
        resource_id=beside(gone.doctor_id), starts__lt=gone.ends, starts__gt=gone.starts - _DAY, ends__gt=gone.starts
    ).select_related("appointment")
    for row in waiting:
        one = row.appointment
        frame = frames.frame(one.schedule_id) if one is not None else None
        if one is None or frame is None:
            continue
        until = one.ends + timedelta(minutes=frame.plan.buffer)
        if _of_doctor(one.doctor_id, one.starts, until).exists():
            continue
        Reservation.objects.filter(pk=row.pk).update(
            resource_id=one.doctor_id, kind=Reservation.Kind.DOCTOR, ends=until
        )
        if one.room_id:
            _share_no_more(one, one.room_id)


def _share_no_more(one: Appointment, room_id: UUID) -> None:
    """The room is this appointment's own now, unless another doctor was quicker: whose lock on it we do not have."""
    try:
        with transaction.atomic():
            Reservation.objects.create(
                resource_id=room_id, kind=Reservation.Kind.ROOM, starts=one.starts, ends=one.ends, appointment=one
            )
    except IntegrityError as failure:
        if "reservation_overlap" not in str(failure):
            raise


def _of_doctor(doctor_id: UUID, starts: datetime, ends: datetime) -> QuerySet[Reservation]:
    """What takes the doctor's time in this stretch. A reservation is at most a day long."""
    return Reservation.objects.filter(
        resource_id=doctor_id, starts__lt=ends, starts__gt=starts - _DAY, ends__gt=starts
    ).order_by("starts")


def _day(day: date, zone: str) -> tuple[datetime, datetime]:
    there = ZoneInfo(zone)
    first, last = (datetime.combine(one, time(0), there) for one in (day, day + _DAY))
    return first.astimezone(UTC), last.astimezone(UTC)


def reasons(viewer: Viewer, patient_id: UUID) -> dict[UUID, str]:
    """Why each appointment of a patient was booked beside another, for the copy of their record. Raises NotFound."""
    policy.require_sight(viewer, "privacy.request", Subject(patient_id=patient_id))
    return {row.pk: row.reason for row in Overbooking.objects.filter(patient_id__in=joined.same(patient_id))}
