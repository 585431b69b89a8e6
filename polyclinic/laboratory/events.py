"""What the laboratory tells the world: ids, states and priorities; never which test, nor what it says."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class LabEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to an order, a specimen and a test. `revision` is the row's version after the change."""

    id: UUID
    order_id: UUID
    visit_id: UUID
    patient_id: UUID
    facility_id: UUID
    doctor_id: UUID | None
    ordered_by: UUID | None
    priority: str
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a LabOrder, Specimen or OrderedTest
        order = getattr(row, "order", row)
        return cls(
            id=row.pk,
            order_id=order.pk,
            visit_id=order.visit_id,
            patient_id=order.patient_id,
            facility_id=order.facility_id,
            doctor_id=order.doctor_id,
            ordered_by=order.ordered_by_id,
            priority=order.priority,
            stage=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"lab:{self.id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        doctor = (rooms.doctor(self.doctor_id),) if self.doctor_id else ()
        asked = (rooms.account(self.ordered_by),) if self.ordered_by else ()
        return (
            rooms.facility_right(self.facility_id, "lab.view"),
            rooms.facility_role(self.facility_id, Role.LAB_TECHNICIAN),
            *doctor,
            *asked,
        )


@event("lab.ordered", "Tests were asked for.")
class LabOrdered(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.order_done", "Every test of an order is verified or will not be made.")
class LabOrderDone(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.order_reopened", "A result of a finished order is being corrected.")
class LabOrderReopened(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.specimen_expected", "A specimen is to be taken.")
class SpecimenExpected(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.specimen_collected", "A specimen was taken.")
class SpecimenCollected(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.specimen_received", "A specimen reached the laboratory.")
class SpecimenReceived(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.specimen_rejected", "A specimen cannot be used; a new one is asked for.")
class SpecimenRejected(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.specimen_cancelled", "A specimen is not needed any more.")
class SpecimenCancelled(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.test_ordered", "A test was asked for.")
class TestOrdered(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.test_moved", "A test's specimen was collected, received or rejected.")
class TestMoved(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.resulted", "A result was entered and waits to be verified.")
class TestResulted(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.verified", "A result was verified: those who treat see it.")
class TestVerified(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.amended", "A result is being corrected; the one before stays readable.")
class TestAmended(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.cancelled", "A test will not be made.")
class TestCancelled(LabEvent, frozen=True, rename="camel"):
    pass


@event("lab.result_released", "A result was released: the patient sees it.")
class ResultReleased(LabEvent, frozen=True, rename="camel"):
    def audience(self) -> tuple[str, ...]:
        return (*super().audience(), rooms.patient(self.patient_id))


class AlertEvent(Event, frozen=True, rename="camel"):
    """Common to the calls for a critical result. `called` are the accounts called so far."""

    alert_id: UUID
    order_id: UUID
    facility_id: UUID
    level: int
    stage: str
    called: tuple[UUID, ...]
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a CriticalAlert
        return cls(
            alert_id=row.pk,
            order_id=row.ordered_test.order_id,
            facility_id=row.facility_id,
            level=row.level,
            stage=row.state,
            called=tuple(row.called),
            revision=row.version,
        )

    def stream(self) -> str:
        return f"critical:{self.alert_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        named = tuple(rooms.account(one) for one in self.called)
        return (*named, rooms.facility_role(self.facility_id, Role.LAB_TECHNICIAN))


@event("lab.critical_result", "A critical result: those named are to look at once and say so.")
class CriticalResult(AlertEvent, frozen=True, rename="camel"):
    pass


@event("lab.critical_closed", "Somebody has taken note of a critical result, or it was corrected.")
class CriticalClosed(AlertEvent, frozen=True, rename="camel"):
    pass
