"""The way between two hospitals: a doctor who works at both needs time to get from one to the other.

One number for each doctor, which they set themselves. It is no reservation of its own: what is taken at another place
counts as so many minutes longer on both sides. Slot search and booking ask the same question, booking under the lock on
the doctor's time. That the doctor is never at two places at once is the database's rule as before (`Reservation`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Viewer
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.outbox import log
from polyclinic.people.models import Doctor
from polyclinic.scheduling.events import AvailabilityChanged
from polyclinic.scheduling.models import Reservation, Schedule
from polyclinic.scheduling.slots import Span, minute_of, moment_of

MAX_MINUTES: Final = 240
# A reservation is at most a day long.
_DAY: Final = timedelta(days=1)


def minutes_of(viewer: Viewer, doctor_id: UUID) -> int:
    """How many minutes this doctor keeps between two hospitals. Only the doctor is told; else NotFound."""
    policy.require_sight(viewer, "schedule.edit", Subject(doctor_id=doctor_id))
    found = Doctor.objects.filter(pk=doctor_id).values_list("travel_minutes", flat=True).first()
    if found is None:
        raise NotFound()
    return int(found)


@transactional
def set_minutes(*, actor: Actor, doctor_id: UUID, minutes: int) -> None:
    """Keep so many minutes (0 to 240) between appointments at different hospitals, for bookings from now on.

    Appointments that are booked stay as they are. Raises NotFound for another doctor, Invalid naming the field.
    """
    subject = Subject(doctor_id=doctor_id)
    policy.require_sight(actor, "schedule.edit", subject)
    policy.require(actor, "schedule.edit", subject)
    if not 0 <= minutes <= MAX_MINUTES:
        raise Invalid(
            _("Choose between %(low)s and %(high)s minutes.") % {"low": 0, "high": MAX_MINUTES}, code="range",
            field="minutes",
        )  # fmt: skip
    lock_keys([doctor_id])
    doctor = Doctor.objects.filter(pk=doctor_id).first()
    if doctor is None:
        raise NotFound()
    if doctor.travel_minutes == minutes:
        return
    before, doctor.travel_minutes = doctor.travel_minutes, minutes
    Doctor.objects.filter(pk=doctor_id).update(travel_minutes=minutes)
    ledger.record(
        actor=actor, action="doctor.travel", row=doctor, subject=subject, detail={"before": before, "after": minutes}
    )
    for place, zone in Schedule.objects.filter(doctor=doctor).values_list("facility_id", "facility__time_zone"):
        log.append(AvailabilityChanged.at(doctor_id, place, clock.now(), zone))


def in_the_way(
    actor: Actor, doctor_id: UUID, facility_id: UUID, starts: datetime, ends: datetime, minutes: int
) -> bool:
    """Whether the doctor is booked or held at another facility too close to this stretch to get there and back.

    Call it with the doctor's lock held. Holds that have expired, and the actor's own, do not count.
    """
    reach = timedelta(minutes=minutes)
    rows = _taken([doctor_id], starts - reach, ends + reach).exclude(hold__holder=actor.label)
    return any(_place(row) != facility_id for row in rows.values_list(*_COLUMNS))


def elsewhere(doctors: Iterable[UUID], from_minute: int, until: int) -> dict[UUID, list[tuple[UUID, Span]]]:
    """What is taken of these doctors' time in this stretch of minutes: where, and from when until when."""
    found: dict[UUID, list[tuple[UUID, Span]]] = {}
    for row in _taken(doctors, moment_of(from_minute), moment_of(until)).values_list(*_COLUMNS):
        found.setdefault(row[0], []).append((_place(row), (minute_of(row[1]), minute_of(row[2]))))
    return found


_COLUMNS: Final = ("resource_id", "starts", "ends", "appointment__facility_id", "hold__schedule__facility_id")


def _taken(doctors: Iterable[UUID], low: datetime, high: datetime) -> QuerySet[Reservation]:
    return Reservation.objects.filter(
        kind__in=(Reservation.Kind.DOCTOR, Reservation.Kind.SECOND), resource_id__in=list(doctors), starts__lt=high,
        starts__gt=low - _DAY, ends__gt=low,
    ).exclude(hold__expires_at__lte=clock.now())  # fmt: skip


def _place(row: Any) -> UUID:  # noqa: ANN401 - a row of the columns above
    found: UUID = row[3] or row[4]
    return found
