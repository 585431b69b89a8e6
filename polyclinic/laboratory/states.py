"""The state tables of an order, a specimen, a test, and the call for a critical result."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.laboratory import events, rules

OPEN, DONE = "open", "done"
EXPECTED, COLLECTED, RECEIVED, REJECTED, CANCELLED = "expected", "collected", "received", "rejected", "cancelled"
ORDERED, RESULTED, VERIFIED, RELEASED = "ordered", "resulted", "verified", "released"
WAITING, ACKNOWLEDGED, WITHDRAWN = "waiting", "acknowledged", "withdrawn"
# Tests that nobody waits for any more.
SETTLED: Final = (VERIFIED, RELEASED, CANCELLED)


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def subject(row: Any) -> Subject:  # noqa: ANN401 - a LabOrder, Specimen, OrderedTest or CriticalAlert
    """Whom it is about and where it belongs; the doctor is the order's."""
    doctor = row.doctor_id if hasattr(row, "doctor_id") else row.order.doctor_id
    return Subject(row.patient_id, doctor, row.facility_id)


_R = Transition
ORDER: Final = Machine(
    name="lab_order",
    model="laboratory.LabOrder",
    subject=subject,
    tell=_tell,
    transitions=(
        _R(None, "order", OPEN, "lab.order", events.LabOrdered),
        _R(OPEN, "finish", DONE, "lab.finish", events.LabOrderDone),
        _R(DONE, "reopen", OPEN, "lab.amend", events.LabOrderReopened),
    ),
)

SPECIMEN: Final = Machine(
    name="specimen",
    model="laboratory.Specimen",
    subject=subject,
    tell=_tell,
    transitions=(
        # With the order, or in place of one that was rejected.
        _R(None, "expect", EXPECTED, "lab.expect", events.SpecimenExpected),
        _R(EXPECTED, "collect", COLLECTED, "lab.collect", events.SpecimenCollected),
        _R(COLLECTED, "receive", RECEIVED, "lab.work", events.SpecimenReceived),
        _R(COLLECTED, "reject", REJECTED, "lab.work", events.SpecimenRejected),
        _R(RECEIVED, "reject", REJECTED, "lab.work", events.SpecimenRejected),
        _R(EXPECTED, "cancel", CANCELLED, "lab.cancel", events.SpecimenCancelled),
    ),
)

TEST: Final = Machine(
    name="ordered_test",
    model="laboratory.OrderedTest",
    subject=subject,
    tell=_tell,
    transitions=(
        _R(None, "order", ORDERED, "lab.order", events.TestOrdered),
        # With their specimen.
        _R(ORDERED, "collect", COLLECTED, "lab.collect", events.TestMoved),
        _R(COLLECTED, "receive", RECEIVED, "lab.work", events.TestMoved),
        *(_R(state, "reject", REJECTED, "lab.work", events.TestMoved) for state in (COLLECTED, RECEIVED, RESULTED)),
        _R(REJECTED, "repeat", ORDERED, "lab.work", events.TestMoved),
        _R(RECEIVED, "enter", RESULTED, "lab.work", events.TestResulted),
        _R(RESULTED, "enter", RESULTED, "lab.work", events.TestResulted),
        _R(RESULTED, "verify", VERIFIED, "lab.verify", events.TestVerified, rules.other_eyes),
        _R(VERIFIED, "release", RELEASED, "lab.release", events.ResultReleased, rules.may_give),
        # A corrected result is verified and released again; until then the one before is shown.
        _R(VERIFIED, "amend", RESULTED, "lab.amend", events.TestAmended),
        _R(RELEASED, "amend", RESULTED, "lab.amend", events.TestAmended),
        *(
            _R(state, "cancel", CANCELLED, "lab.cancel", events.TestCancelled)
            for state in (ORDERED, COLLECTED, RECEIVED, REJECTED)
        ),
    ),
)

ALERT: Final = Machine(
    name="critical_alert",
    model="laboratory.CriticalAlert",
    subject=subject,
    tell=_tell,
    transitions=(
        _R(None, "raise", WAITING, "lab.verify", events.CriticalResult),
        _R(WAITING, "escalate", WAITING, "lab.escalate", events.CriticalResult),
        _R(WAITING, "acknowledge", ACKNOWLEDGED, "lab.acknowledge", events.CriticalClosed),
        _R(WAITING, "withdraw", WITHDRAWN, "lab.amend", events.CriticalClosed),
    ),
)
