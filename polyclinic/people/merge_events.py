"""What merging tells the world: that two records are read as one, or as two again."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class MergeEvent(Event, frozen=True, rename="camel"):
    """Common to both. `patient_id` is the record that stays, `gone_id` the other one."""

    merge_id: UUID
    patient_id: UUID
    gone_id: UUID
    facility_id: UUID
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Merge; importing it here would be a circle
        return cls(
            merge_id=row.pk, patient_id=row.patient_id, gone_id=row.gone_id, facility_id=row.facility_id,
            revision=row.version,
        )  # fmt: skip

    def stream(self) -> str:
        return f"merge:{self.merge_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (
            rooms.deciders(self.patient_id),
            rooms.deciders(self.gone_id),
            rooms.facility_right(self.facility_id, "visit.view"),
            rooms.facility_role(self.facility_id, Role.RECEPTIONIST),
        )


@event("patient.merged", "Two records of one person are read as one.")
class PatientMerged(MergeEvent, frozen=True, rename="camel"):
    pass


@event("patient.separated", "A merge was undone: the records are two again.")
class PatientSeparated(MergeEvent, frozen=True, rename="camel"):
    pass
