"""What privacy requests tell the world: that one moved, and never what it says."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class RequestEvent(Event, frozen=True, rename="camel"):
    """Common to all of a privacy request's events."""

    request_id: UUID
    patient_id: UUID
    facility_id: UUID
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a PrivacyRequest; importing it here would be a circle
        return cls(
            request_id=row.pk,
            patient_id=row.patient_id,
            facility_id=row.facility_id,
            status=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"privacy:{self.request_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.deciders(self.patient_id), rooms.facility_right(self.facility_id, "privacy.answer"))


@event("privacy.requested", "A patient made a request about their record.")
class PrivacyRequested(RequestEvent, frozen=True, rename="camel"):
    pass


@event("privacy.taken", "A privacy officer works on it.")
class PrivacyTaken(RequestEvent, frozen=True, rename="camel"):
    pass


@event("privacy.answered", "It was answered.")
class PrivacyAnswered(RequestEvent, frozen=True, rename="camel"):
    pass


@event("privacy.refused", "It was refused, with the reason in the answer.")
class PrivacyRefused(RequestEvent, frozen=True, rename="camel"):
    pass


@event("privacy.cancelled", "The patient took it back.")
class PrivacyCancelled(RequestEvent, frozen=True, rename="camel"):
    pass


class RestrictionEvent(Event, frozen=True, rename="camel"):
    """Common to both. With whom the record was shared until then is nobody's to hear."""

    restriction_id: UUID
    patient_id: UUID
    facility_id: UUID
    revision: int

    @classmethod
    def of(cls, row: Any, revision: int) -> Self:  # noqa: ANN401 - a Restriction
        return cls(restriction_id=row.pk, patient_id=row.patient_id, facility_id=row.facility_id, revision=revision)

    def stream(self) -> str:
        return f"restriction:{self.restriction_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.patient(self.patient_id), rooms.facility_right(self.facility_id, "privacy.answer"))


@event("record.restricted", "A record is shared with nobody beyond those who treat the patient from now on.")
class RecordRestricted(RestrictionEvent, frozen=True, rename="camel"):
    pass


@event("record.unrestricted", "That restriction is lifted.")
class RecordUnrestricted(RestrictionEvent, frozen=True, rename="camel"):
    pass
