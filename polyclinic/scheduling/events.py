"""What scheduling tells the world: ids, times and states, nothing said by or about a patient."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class AppointmentEvent(Event, frozen=True, rename="camel"):
    """Common to all appointment events. `revision` is the appointment's version after the change."""

    appointment_id: UUID
    doctor_id: UUID
    patient_id: UUID
    facility_id: UUID
    starts: datetime
    ends: datetime
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - an Appointment; importing it here would be a circle
        return cls(
            appointment_id=row.pk,
            doctor_id=row.doctor_id,
            patient_id=row.patient_id,
            facility_id=row.facility_id,
            starts=row.starts,
            ends=row.ends,
            status=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"appointment:{self.appointment_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (
            rooms.patient(self.patient_id),
            rooms.doctor(self.doctor_id),
            rooms.facility_role(self.facility_id, Role.RECEPTIONIST),
            rooms.facility_role(self.facility_id, Role.MANAGER),
        )


@event("appointment.booked", "A patient has a new appointment.")
class AppointmentBooked(AppointmentEvent, frozen=True, rename="camel"):
    pass


@event("appointment.confirmed", "The doctor or the front desk confirmed it.")
class AppointmentConfirmed(AppointmentEvent, frozen=True, rename="camel"):
    pass


@event("appointment.declined", "The doctor declined it; the slot is free again.")
class AppointmentDeclined(AppointmentEvent, frozen=True, rename="camel"):
    pass


@event("appointment.cancelled", "It was cancelled; the slot is free again.")
class AppointmentCancelled(AppointmentEvent, frozen=True, rename="camel"):
    pass


@event("appointment.rescheduled", "It moved to another time; the old slot is free again.")
class AppointmentRescheduled(AppointmentEvent, frozen=True, rename="camel"):
    pass


@event("appointment.checked_in", "The patient has arrived.")
class AppointmentCheckedIn(AppointmentEvent, frozen=True, rename="camel"):
    pass


@event("appointment.completed", "The consultation is over.")
class AppointmentCompleted(AppointmentEvent, frozen=True, rename="camel"):
    pass


@event("appointment.no_show", "The patient did not come.")
class AppointmentNoShow(AppointmentEvent, frozen=True, rename="camel"):
    pass


@event("patient.attached", "First booking with this doctor: the patient now stands in the doctor's list.")
class PatientAttached(Event, frozen=True, rename="camel"):
    doctor_id: UUID
    patient_id: UUID
    appointment_id: UUID

    def stream(self) -> str:
        # One link is made once; its stream has this single event.
        return f"{self.doctor_id.hex[-24:]}:{self.patient_id.hex}"

    def stream_seq(self) -> int:
        return 1

    def audience(self) -> tuple[str, ...]:
        return (rooms.doctor(self.doctor_id),)


@event("schedule.changed", "A doctor's hours, leave or openings changed.")
class ScheduleChanged(Event, frozen=True, rename="camel"):
    schedule_id: UUID
    doctor_id: UUID
    facility_id: UUID
    revision: int

    def stream(self) -> str:
        return f"schedule:{self.schedule_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (
            rooms.doctor(self.doctor_id),
            rooms.facility_role(self.facility_id, Role.RECEPTIONIST),
            rooms.facility_role(self.facility_id, Role.MANAGER),
            rooms.availability(self.doctor_id),
            rooms.EVERYONE,
        )


@event("availability.changed", "A doctor's free times on a day changed; says nothing about whom they went to.")
class AvailabilityChanged(Event, frozen=True, rename="camel"):
    """Public, hence without appointment or patient; a stream number would count bookings, so it is always 0."""

    UNORDERED: ClassVar[bool] = True

    doctor_id: UUID
    facility_id: UUID
    day: str

    def stream(self) -> str:
        return f"availability:{self.doctor_id}"

    def stream_seq(self) -> int:
        return 0

    def audience(self) -> tuple[str, ...]:
        return (rooms.availability(self.doctor_id), rooms.EVERYONE)
