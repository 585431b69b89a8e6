"""What the record tells the world: that something was written in it, about which visit; never what."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class RecordEvent(Event, frozen=True, rename="camel"):
    """Common to all. `entry_id` is what was written, `revision` its version after the change."""

    entry_id: UUID
    visit_id: UUID
    patient_id: UUID
    facility_id: UUID
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a row of this app with its visit; importing it would be a circle
        return cls(
            entry_id=row.pk,
            visit_id=row.visit_id,
            patient_id=row.patient_id,
            facility_id=row.visit.facility_id,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"record:{self.entry_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.facility_right(self.facility_id, "note.view"),)


@event("vitals.recorded", "Vital signs were measured.")
class VitalsRecorded(RecordEvent, frozen=True, rename="camel"):
    pass


@event("vitals.withdrawn", "Vital signs were entered in error and are withdrawn.")
class VitalsWithdrawn(RecordEvent, frozen=True, rename="camel"):
    pass


@event("allergy.noted", "An allergy was written down.")
class AllergyNoted(RecordEvent, frozen=True, rename="camel"):
    pass


@event("allergy.removed", "An allergy turned out not to be one.")
class AllergyRemoved(RecordEvent, frozen=True, rename="camel"):
    pass


@event("allergy.none_known", "The patient was asked about allergies and knows of none.")
class AllergyNoneKnown(RecordEvent, frozen=True, rename="camel"):
    """`entry_id` is the patient's: it is about the list and no entry of it."""

    def stream(self) -> str:
        return f"allergies:{self.patient_id}"


@event("condition.noted", "A diagnosis was written down.")
class ConditionNoted(RecordEvent, frozen=True, rename="camel"):
    pass


@event("condition.withdrawn", "A diagnosis was withdrawn.")
class ConditionWithdrawn(RecordEvent, frozen=True, rename="camel"):
    pass


@event("note.saved", "A part of a visit's note was saved.")
class NoteSaved(RecordEvent, frozen=True, rename="camel"):
    pass


class LinkEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a patient's emergency link: for the patient, and who decides for them."""

    link_id: UUID
    patient_id: UUID
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - an EmergencyLink
        return cls(link_id=row.pk, patient_id=row.patient_id, revision=row.version)

    def stream(self) -> str:
        return f"emergency_link:{self.link_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.deciders(self.patient_id),)


@event("emergency_link.made", "A patient made a link by which their key history can be read for some hours.")
class LinkMade(LinkEvent, frozen=True, rename="camel"):
    pass


@event("emergency_link.opened", "Somebody opened a patient's emergency link.")
class LinkOpened(LinkEvent, frozen=True, rename="camel"):
    pass


@event("emergency_link.revoked", "A patient ended their emergency link.")
class LinkRevoked(LinkEvent, frozen=True, rename="camel"):
    pass
