"""What the ward's work tells the world: that something was done for which stay, and never what it says."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class NursingEvent(Event, frozen=True, rename="camel"):
    """Common to all. `entry_id` is what was written, `revision` its version after the change."""

    entry_id: UUID
    stay_id: UUID
    patient_id: UUID
    facility_id: UUID
    ward_id: UUID | None
    revision: int

    @classmethod
    def of(cls, row: Any, revision: int | None = None) -> Self:  # noqa: ANN401 - a row of this app with its stay
        return cls(
            entry_id=row.pk,
            stay_id=row.stay.pk,
            patient_id=row.patient_id,
            facility_id=row.stay.facility_id,
            ward_id=row.stay.bed.ward_id if row.stay.bed_id else None,
            revision=row.version if revision is None else revision,
        )

    def stream(self) -> str:
        return f"nursing:{self.entry_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "note.view"),)


@event("nursing.observed", "Vital signs were measured beside a bed.")
class Observed(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.observation_withdrawn", "Vital signs measured beside a bed were entered in error.")
class ObservationWithdrawn(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.round_noted", "The ward round's note on a stay was saved.")
class RoundNoted(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.medicine_ordered", "A medicine was ordered for a patient in bed.")
class MedicineOrdered(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.medicine_stopped", "A medicine is not given in bed any more.")
class MedicineStopped(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.dose_recorded", "A dose was given, or it is written down why not.")
class DoseRecorded(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.dose_withdrawn", "What was written down of a dose was entered in error.")
class DoseWithdrawn(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.handed_over", "A nurse has signed a handover.")
class HandedOver(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.handover_read", "The next nurse has read a handover.")
class HandoverRead(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.summary_saved", "A discharge summary was begun or changed.")
class SummarySaved(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.summary_signed", "A discharge summary was signed.")
class SummarySigned(NursingEvent, frozen=True, rename="camel"):
    pass


@event("nursing.summary_amended", "A signed discharge summary was signed anew with another wording.")
class SummaryAmended(NursingEvent, frozen=True, rename="camel"):
    pass
