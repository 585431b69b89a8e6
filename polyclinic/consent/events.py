"""What sharing tells the world: ids and moments, never why and never what is in a record."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.access.rules import RULES, Relation
from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event

# Roles that see by consent, and so have to hear when it ends.
_BY_CONSENT = sorted({rule.role for rule in RULES if rule.relation == Relation.CONSENTED})


class ConsentEvent(Event, frozen=True, rename="camel"):
    """Common to both. One of `facility_id` and `account_id` names with whom it is shared."""

    consent_id: UUID
    patient_id: UUID
    facility_id: UUID | None
    account_id: UUID | None
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Consent; importing it here would be a circle
        return cls(
            consent_id=row.pk,
            patient_id=row.patient_id,
            facility_id=row.facility_id,
            account_id=row.account_id,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"consent:{self.consent_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        told = [rooms.deciders(self.patient_id)]
        if self.account_id is not None:
            told.append(rooms.account(self.account_id))
        if self.facility_id is not None:
            told += [rooms.facility_role(self.facility_id, role) for role in _BY_CONSENT]
        return tuple(told)


@event("consent.granted", "A patient shares their record with a facility or a doctor.")
class ConsentGranted(ConsentEvent, frozen=True, rename="camel"):
    pass


@event("consent.withdrawn", "A patient no longer shares; it holds from this moment on.")
class ConsentWithdrawn(ConsentEvent, frozen=True, rename="camel"):
    pass


class DelegationEvent(Event, frozen=True, rename="camel"):
    """Common to all. `carer_id` is the account of who acts for the patient, once that is known."""

    delegation_id: UUID
    patient_id: UUID
    carer_id: UUID | None
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Delegation
        return cls(
            delegation_id=row.pk,
            patient_id=row.patient_id,
            carer_id=row.carer_id,
            status=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"delegation:{self.delegation_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        carer = () if self.carer_id is None else (rooms.account(self.carer_id),)
        return (rooms.deciders(self.patient_id), *carer)


@event("delegation.proposed", "A patient asks somebody to act for them.")
class DelegationProposed(DelegationEvent, frozen=True, rename="camel"):
    pass


@event("delegation.started", "Somebody acts for a patient from now on.")
class DelegationStarted(DelegationEvent, frozen=True, rename="camel"):
    pass


@event("delegation.renewed", "It goes on until another day.")
class DelegationRenewed(DelegationEvent, frozen=True, rename="camel"):
    pass


@event("delegation.ended", "Nobody acts for the patient by this delegation any more.")
class DelegationEnded(DelegationEvent, frozen=True, rename="camel"):
    pass


class GlassEvent(Event, frozen=True, rename="camel"):
    """Common to all of break-glass. `account_id` is who opened the record."""

    access_id: UUID
    patient_id: UUID
    account_id: UUID
    facility_id: UUID
    status: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - an EmergencyAccess
        return cls(
            access_id=row.pk,
            patient_id=row.patient_id,
            account_id=row.account_id,
            facility_id=row.facility_id,
            status=row.state,
            revision=row.version,
        )

    def stream(self) -> str:
        return f"glass:{self.access_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (
            rooms.patient(self.patient_id),
            rooms.account(self.account_id),
            rooms.facility_right(self.facility_id, "breakglass.review"),
        )


@event("record.break_glass", "A record was opened in an emergency, past the ordinary rights.")
class RecordBreakGlass(GlassEvent, frozen=True, rename="camel"):
    pass


@event("record.closed", "The emergency opening is over: closed by who opened it, or its time ran out.")
class RecordClosed(GlassEvent, frozen=True, rename="camel"):
    pass


@event("breakglass.reviewed", "A privacy officer has judged the opening.")
class BreakGlassReviewed(GlassEvent, frozen=True, rename="camel"):
    pass
