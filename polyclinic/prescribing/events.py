"""What prescriptions tell the world: ids, numbers and states; never which medicine."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class PrescriptionEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a prescription. `revision` is its version after the change."""

    prescription_id: UUID
    visit_id: UUID
    patient_id: UUID
    facility_id: UUID
    doctor_id: UUID | None
    number: int
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Prescription; importing it here would be a circle
        return cls(
            prescription_id=row.pk,
            visit_id=row.visit_id,
            patient_id=row.patient_id,
            facility_id=row.facility_id,
            doctor_id=row.doctor_id,
            number=row.number,
            stage=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"prescription:{self.prescription_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        doctor = (rooms.doctor(self.doctor_id),) if self.doctor_id else ()
        return (
            rooms.patient(self.patient_id),
            *doctor,
            rooms.facility_right(self.facility_id, "prescription.view"),
            rooms.facility_role(self.facility_id, Role.PHARMACIST),
        )


@event("prescription.signed", "A prescription was signed; the pharmacy is next.")
class PrescriptionSigned(PrescriptionEvent, frozen=True, rename="camel"):
    pass


@event("prescription.partly_dispensed", "A part of what was prescribed was dispensed.")
class PrescriptionPartlyDispensed(PrescriptionEvent, frozen=True, rename="camel"):
    pass


@event("prescription.dispensed", "All that was prescribed was dispensed.")
class PrescriptionDispensed(PrescriptionEvent, frozen=True, rename="camel"):
    pass


@event("prescription.declined", "The patient does not want what was prescribed, or the rest of it.")
class PrescriptionDeclined(PrescriptionEvent, frozen=True, rename="camel"):
    pass


@event("prescription.cancelled", "A prescription was cancelled by a doctor.")
class PrescriptionCancelled(PrescriptionEvent, frozen=True, rename="camel"):
    pass


@event("prescription.expired", "A prescription is too old to be dispensed.")
class PrescriptionExpired(PrescriptionEvent, frozen=True, rename="camel"):
    pass


class LineEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a line. `revision` is the line's version after the change."""

    line_id: UUID
    prescription_id: UUID
    facility_id: UUID
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a PrescriptionLine with its prescription
        return cls(
            line_id=row.pk,
            prescription_id=row.prescription_id,
            facility_id=row.prescription.facility_id,
            stage=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"prescription-line:{self.line_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "prescription.view"),)


@event("prescription.line_written", "A prescription has this line.")
class LineWritten(LineEvent, frozen=True, rename="camel"):
    pass


@event("prescription.line_given", "Some or all of a line was dispensed.")
class LineGiven(LineEvent, frozen=True, rename="camel"):
    pass


@event("prescription.line_closed", "The rest of a line will not be dispensed.")
class LineClosed(LineEvent, frozen=True, rename="camel"):
    pass


class RefillEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a request for a repeat. `prescription_id` is the prescription that is to be repeated.

    Named beside the prescription's own events: whoever follows those sees the request come and go.
    """

    refill_id: UUID
    prescription_id: UUID
    patient_id: UUID
    facility_id: UUID
    doctor_id: UUID | None
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a RefillRequest
        return cls(
            refill_id=row.pk,
            prescription_id=row.prescription_id,
            patient_id=row.patient_id,
            facility_id=row.facility_id,
            doctor_id=row.doctor_id,
            stage=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"refill:{self.refill_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        doctor = (rooms.doctor(self.doctor_id),) if self.doctor_id else ()
        return (
            rooms.patient(self.patient_id),
            *doctor,
            rooms.facility_right(self.facility_id, "prescription.view"),
            rooms.facility_role(self.facility_id, Role.MAIN_DOCTOR),
        )


@event("prescription.refill_requested", "A patient asked for a prescription to be given again.")
class RefillRequested(RefillEvent, frozen=True, rename="camel"):
    pass


@event("prescription.refill_approved", "A doctor agreed: a repeat was signed.")
class RefillApproved(RefillEvent, frozen=True, rename="camel"):
    pass


@event("prescription.refill_declined", "A doctor did not agree to a repeat, and said why.")
class RefillDeclined(RefillEvent, frozen=True, rename="camel"):
    pass


@event("prescription.refill_withdrawn", "The patient does not ask for a repeat any more.")
class RefillWithdrawn(RefillEvent, frozen=True, rename="camel"):
    pass
