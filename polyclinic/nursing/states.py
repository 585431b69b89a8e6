"""The state tables of what is written down beside a bed: nothing of it is ever deleted."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.inpatient.states import stay_subject
from polyclinic.nursing import events, rules

RECORDED, WITHDRAWN = "recorded", "withdrawn"
ACTIVE, STOPPED = "active", "stopped"
SIGNED, READ = "signed", "read"
DRAFT: Final = "draft"


def subject(row: Any) -> Subject:  # noqa: ANN401 - a row of this app with its stay
    """What is written during a stay is about its patient and belongs where the stay does."""
    return stay_subject(row.stay)


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def _machine(name: str, model: str, *steps: Transition) -> Machine:
    return Machine(name=name, model=f"nursing.{model}", subject=subject, tell=_tell, transitions=steps)


_R = Transition
OBSERVATION: Final = _machine(
    "observation", "Observation",
    _R(None, "record", RECORDED, "vitals.record", events.Observed, rules.in_bed),
    _R(RECORDED, "withdraw", WITHDRAWN, "vitals.record", events.ObservationWithdrawn),
)  # fmt: skip
MEDICINE_ORDER: Final = _machine(
    "medicine_order", "MedicineOrder",
    _R(None, "order", ACTIVE, "medication.order", events.MedicineOrdered, rules.in_bed),
    _R(ACTIVE, "stop", STOPPED, "medication.order", events.MedicineStopped),
)  # fmt: skip
DOSE: Final = _machine(
    "dose", "Dose",
    _R(None, "record", RECORDED, "medication.give", events.DoseRecorded, rules.in_bed),
    # Also after the patient has left: what is wrong in a record is wrong for whoever treats them next.
    _R(RECORDED, "withdraw", WITHDRAWN, "medication.give", events.DoseWithdrawn),
)  # fmt: skip
HANDOVER: Final = _machine(
    "handover", "Handover",
    _R(None, "sign", SIGNED, "handover.sign", events.HandedOver, rules.in_bed),
    _R(SIGNED, "read", READ, "handover.sign", events.HandoverRead, rules.not_oneself),
)  # fmt: skip
SUMMARY: Final = _machine(
    "discharge_summary", "DischargeSummary",
    _R(None, "write", DRAFT, "summary.write", events.SummarySaved, rules.admitted),
    _R(DRAFT, "write", DRAFT, "summary.write", events.SummarySaved),
    _R(DRAFT, "sign", SIGNED, "summary.write", events.SummarySigned, rules.says_enough),
    _R(SIGNED, "amend", SIGNED, "summary.write", events.SummaryAmended),
)  # fmt: skip
