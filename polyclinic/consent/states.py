"""The state tables of sharing, delegation and break-glass."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.consent import events, rules
from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event

PROPOSED, ACTIVE, ENDED, WITHDRAWN = "proposed", "active", "ended", "withdrawn"
OPEN, CLOSED, JUSTIFIED, UNJUSTIFIED = "open", "closed", "justified", "unjustified"

_R = Transition


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def _subject(row: Any) -> Subject:  # noqa: ANN401 - a row of this app
    return Subject(patient_id=row.patient_id, facility_id=row.facility_id)


CONSENT: Final = Machine(
    name="consent",
    model="consent.Consent",
    # With whom it is shared gives nobody a right over the consent itself.
    subject=lambda row: Subject(patient_id=row.patient_id),
    tell=_tell,
    transitions=(
        _R(None, "grant", ACTIVE, "consent.edit", events.ConsentGranted),
        _R(ACTIVE, "withdraw", WITHDRAWN, "consent.edit", events.ConsentWithdrawn),
    ),
)

DELEGATION: Final = Machine(
    name="delegation",
    model="consent.Delegation",
    subject=_subject,
    tell=_tell,
    transitions=(
        _R(None, "propose", PROPOSED, "delegation.edit", events.DelegationProposed),
        _R(None, "appoint", ACTIVE, "delegation.appoint", events.DelegationStarted),
        _R(PROPOSED, "accept", ACTIVE, "delegation.accept", events.DelegationStarted, rules.taken_up),
        _R(ACTIVE, "renew", ACTIVE, "delegation.edit", events.DelegationRenewed),
        _R(PROPOSED, "end", ENDED, "delegation.end", events.DelegationEnded, rules.a_party),
        _R(ACTIVE, "end", ENDED, "delegation.end", events.DelegationEnded, rules.a_party),
    ),
)

EMERGENCY: Final = Machine(
    name="emergency_access",
    model="consent.EmergencyAccess",
    subject=_subject,
    tell=_tell,
    transitions=(
        _R(None, "open", OPEN, "record.break_glass", events.RecordBreakGlass, rules.in_person),
        _R(OPEN, "close", CLOSED, "record.break_glass", events.RecordClosed, rules.by_opener),
        _R(CLOSED, "justify", JUSTIFIED, "breakglass.review", events.BreakGlassReviewed, rules.not_own),
        _R(CLOSED, "reject", UNJUSTIFIED, "breakglass.review", events.BreakGlassReviewed, rules.not_own),
    ),
)
