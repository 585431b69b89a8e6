"""The state tables of what can be withdrawn: nothing clinical is ever deleted."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.records import events
from polyclinic.visits.states import visit_subject

RECORDED, WITHDRAWN = "recorded", "withdrawn"


def subject(row: Any) -> Subject:  # noqa: ANN401 - a row of this app with its visit
    """What is written during a visit is about the visit's patient and belongs where the visit does."""
    return visit_subject(row.visit)


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def _machine(name: str, model: str, right: str, made: type[Event], gone: type[Event]) -> Machine:
    return Machine(
        name=name,
        model=model,
        subject=subject,
        tell=_tell,
        transitions=(
            Transition(None, "record", RECORDED, right, made),
            Transition(RECORDED, "withdraw", WITHDRAWN, right, gone),
        ),
    )


VITALS: Final = _machine("vitals", "records.VitalSet", "vitals.record", events.VitalsRecorded, events.VitalsWithdrawn)
ALLERGY: Final = _machine("allergy", "records.Allergy", "allergy.edit", events.AllergyNoted, events.AllergyRemoved)
CONDITION: Final = _machine(
    "condition", "records.Condition", "condition.edit", events.ConditionNoted, events.ConditionWithdrawn
)
OPEN, REVOKED = "open", "revoked"


def link_subject(row: Any) -> Subject:  # noqa: ANN401 - an EmergencyLink
    """A patient's own decision, about their own record."""
    return Subject(patient_id=row.patient_id)


LINK: Final = Machine(
    name="emergency_link",
    model="records.EmergencyLink",
    subject=link_subject,
    tell=_tell,
    transitions=(
        Transition(None, "make", OPEN, "consent.edit", events.LinkMade),
        # Whoever holds the link is let in by it alone: the step is that of a job which has this one right.
        Transition(OPEN, "open", OPEN, "allergy.view", events.LinkOpened),
        Transition(OPEN, "revoke", REVOKED, "consent.edit", events.LinkRevoked),
    ),
)
