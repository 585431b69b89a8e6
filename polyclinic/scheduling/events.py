"""What scheduling tells the world: ids, times and states, nothing said by or about a patient."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID
from zoneinfo import ZoneInfo

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
            rooms.facility_right(self.facility_id, "appointment.view"),
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
            rooms.facility_right(self.facility_id, "schedule.view"),
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

    @classmethod
    def at(cls, doctor_id: UUID, facility_id: UUID, starts: datetime, zone: str) -> AvailabilityChanged:
        """Of the day on which `starts` lies in the facility's calendar (`zone`)."""
        day = starts.astimezone(ZoneInfo(zone)).date().isoformat()
        return cls(doctor_id=doctor_id, facility_id=facility_id, day=day)


class DoctorInvitationEvent(Event, frozen=True, rename="camel"):
    """Common to the steps of an invitation to a doctor. The doctor hears it in their account's own room."""

    invitation_id: UUID
    facility_id: UUID
    doctor_id: UUID
    account_id: UUID
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a DoctorInvitation with its doctor
        return cls(row.pk, row.facility_id, row.doctor_id, row.doctor.account_id, row.state, row.version)

    def stream(self) -> str:
        return f"doctor_invitation:{self.invitation_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.account(self.account_id), rooms.facility_right(self.facility_id, "staff.list"))


@event("doctor_invitation.sent", "A hospital asked a doctor to see patients there, or reminded them.")
class DoctorInvitationSent(DoctorInvitationEvent, frozen=True, rename="camel"):
    pass


@event("doctor_invitation.accepted", "The doctor agreed: they have hours at this hospital and can be booked.")
class DoctorInvitationAccepted(DoctorInvitationEvent, frozen=True, rename="camel"):
    pass


@event("doctor_invitation.rejected", "The doctor declined.")
class DoctorInvitationRejected(DoctorInvitationEvent, frozen=True, rename="camel"):
    pass


@event("doctor_invitation.revoked", "The hospital took the invitation back.")
class DoctorInvitationRevoked(DoctorInvitationEvent, frozen=True, rename="camel"):
    pass


@event("doctor_invitation.expired", "The doctor did not answer in time.")
class DoctorInvitationExpired(DoctorInvitationEvent, frozen=True, rename="camel"):
    pass


class LeaveEvent(Event, frozen=True, rename="camel"):
    """Common to the steps of a request for leave. Neither the kind of leave nor a word of the note is in it."""

    request_id: UUID
    schedule_id: UUID
    facility_id: UUID
    doctor_id: UUID
    account_id: UUID
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a LeaveRequest with its doctor
        return cls(
            row.pk, row.schedule_id, row.facility_id, row.doctor_id, row.doctor.account_id, row.state, row.version
        )

    def stream(self) -> str:
        return f"leave:{self.request_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.account(self.account_id), rooms.facility_right(self.facility_id, "leave.view"))


@event("leave.asked", "A doctor asks to be away.")
class LeaveAsked(LeaveEvent, frozen=True, rename="camel"):
    pass


@event("leave.approved", "The leave is granted and stands in the doctor's hours.")
class LeaveApproved(LeaveEvent, frozen=True, rename="camel"):
    pass


@event("leave.declined", "The leave is not granted.")
class LeaveDeclined(LeaveEvent, frozen=True, rename="camel"):
    pass


@event("leave.withdrawn", "The doctor no longer asks for it.")
class LeaveWithdrawn(LeaveEvent, frozen=True, rename="camel"):
    pass
