"""What wards tell the world. Of a bed: its state, never whose it is; of a stay: ids, the step and the priority."""

from __future__ import annotations

from datetime import date
from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class BedEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a bed. `revision` is the bed's version after the change."""

    bed_id: UUID
    ward_id: UUID
    facility_id: UUID
    state: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Bed; importing it here would be a circle
        return cls(
            bed_id=row.pk, ward_id=row.ward_id, facility_id=row.facility_id, state=row.state, revision=row.version
        )

    def stream(self) -> str:
        return f"bed:{self.bed_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "bed.view"),)


@event("bed.added", "A ward has a new bed.")
class BedAdded(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.reserved", "A bed is kept for somebody.")
class BedReserved(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.released", "A reserved bed is free again.")
class BedReleased(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.occupied", "Somebody lies in a bed.")
class BedOccupied(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.vacated", "Nobody lies in a bed any more; it is to be cleaned.")
class BedVacated(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.cleaning_started", "A bed is being cleaned.")
class BedCleaningStarted(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.cleaned", "A bed is clean and free.")
class BedCleaned(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.blocked", "Nobody can be put into a bed for now.")
class BedBlocked(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.unblocked", "A bed is no longer blocked.")
class BedUnblocked(BedEvent, frozen=True, rename="camel"):
    pass


@event("bed.retired", "A bed was taken out of its ward.")
class BedRetired(BedEvent, frozen=True, rename="camel"):
    pass


class StayEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a stay. `revision` is the stay's version after the change."""

    stay_id: UUID
    patient_id: UUID
    facility_id: UUID
    doctor_id: UUID | None
    visit_id: UUID | None
    bed_id: UUID | None
    ward_id: UUID | None
    stage: str
    priority: str
    expected_on: date | None
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a BedStay with its bed
        return cls(
            stay_id=row.pk,
            patient_id=row.patient_id,
            facility_id=row.facility_id,
            doctor_id=row.doctor_id,
            visit_id=row.visit_id,
            bed_id=row.bed_id,
            ward_id=row.bed.ward_id if row.bed_id else None,
            stage=row.state,
            priority=row.priority,
            expected_on=row.expected_on,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"stay:{self.stay_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        doctor = (rooms.doctor(self.doctor_id),) if self.doctor_id else ()
        return (*doctor, rooms.facility_right(self.facility_id, "stay.view"))


@event("stay.requested", "A bed is asked for.")
class StayRequested(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.reserved", "A bed is kept for a patient.")
class StayReserved(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.released", "The bed that was kept was given back; the patient waits for another one.")
class StayReleased(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.admitted", "A patient lies in a bed.")
class StayAdmitted(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.transferred", "A patient lies in another bed.")
class StayTransferred(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.planned", "The day on which a patient will leave was set or changed.")
class StayPlanned(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.discharge_ordered", "A patient may leave; they are still in bed.")
class StayDischargeOrdered(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.discharge_withdrawn", "A patient stays after all.")
class StayDischargeWithdrawn(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.departed", "A patient has left.")
class StayDeparted(StayEvent, frozen=True, rename="camel"):
    pass


@event("stay.cancelled", "No bed is needed any more.")
class StayCancelled(StayEvent, frozen=True, rename="camel"):
    pass
