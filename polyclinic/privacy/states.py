"""The state table of a privacy request."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person
from polyclinic.core.errors import Forbidden
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.privacy import events

RECEIVED, IN_PROGRESS, ANSWERED, REFUSED, CANCELLED = "received", "in_progress", "answered", "refused", "cancelled"
PENDING: Final = (RECEIVED, IN_PROGRESS)


def subject_of(row: Any) -> Subject:  # noqa: ANN401 - a PrivacyRequest
    """Whom a request is about and who answers it."""
    return Subject(patient_id=row.patient_id, facility_id=row.facility_id)


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a PrivacyRequest
    return cast("type[events.RequestEvent]", kind).of(row)


def of_another(row: Any, actor: Actor) -> None:  # noqa: ANN401 - a PrivacyRequest
    """Nobody answers their own request, or their child's."""
    if isinstance(actor, Person) and row.patient_id in {actor.patient_id, *actor.represents}:
        raise Forbidden()


_R = Transition
REQUEST: Final = Machine(
    name="privacy_request",
    model="privacy.PrivacyRequest",
    subject=subject_of,
    tell=_tell,
    transitions=(
        _R(None, "request", RECEIVED, "privacy.request", events.PrivacyRequested),
        _R(RECEIVED, "take", IN_PROGRESS, "privacy.answer", events.PrivacyTaken, of_another),
        _R(RECEIVED, "answer", ANSWERED, "privacy.answer", events.PrivacyAnswered, of_another),
        _R(IN_PROGRESS, "answer", ANSWERED, "privacy.answer", events.PrivacyAnswered, of_another),
        _R(RECEIVED, "refuse", REFUSED, "privacy.answer", events.PrivacyRefused, of_another),
        _R(IN_PROGRESS, "refuse", REFUSED, "privacy.answer", events.PrivacyRefused, of_another),
        _R(RECEIVED, "cancel", CANCELLED, "privacy.request", events.PrivacyCancelled),
        _R(IN_PROGRESS, "cancel", CANCELLED, "privacy.request", events.PrivacyCancelled),
    ),
)
