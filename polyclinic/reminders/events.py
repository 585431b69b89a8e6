"""What is told of a patient's answer: the appointment's own facts, to whom its other events go."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from polyclinic.core.outbox.events import event
from polyclinic.scheduling.events import AppointmentEvent
from polyclinic.scheduling.models import Appointment


@event("appointment.answered", "The patient said that they will come at this time.")
class AppointmentAnswered(AppointmentEvent, frozen=True, rename="camel"):
    """`revision` is the appointment's, which an answer does not change."""

    agreed_id: UUID
    answered_at: datetime

    def stream(self) -> str:
        # An agreed time is answered once; its stream has this single event.
        return f"answer:{self.agreed_id}"

    def stream_seq(self) -> int:
        return 1


def answered(row: Appointment, agreed_id: UUID, at: datetime) -> AppointmentAnswered:
    """The event for this appointment."""
    return AppointmentAnswered(
        appointment_id=row.pk, doctor_id=row.doctor_id, patient_id=row.patient_id, facility_id=row.facility_id,
        starts=row.starts, ends=row.ends, status=row.state, revision=row.version, agreed_id=agreed_id, answered_at=at,
    )  # fmt: skip
