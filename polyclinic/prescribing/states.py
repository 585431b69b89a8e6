"""The state tables of a prescription, of its lines, and of a patient's request for a repeat."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.prescribing import events

SIGNED, PARTLY_DISPENSED, DISPENSED = "signed", "partly_dispensed", "dispensed"
DECLINED, CANCELLED, EXPIRED = "declined", "cancelled", "expired"
# The pharmacy has something to do.
WAITING: Final = (SIGNED, PARTLY_DISPENSED)
OPEN, DONE = "open", "done"
ASKED, APPROVED, WITHDRAWN = "asked", "approved", "withdrawn"


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def subject(row: Any) -> Subject:  # noqa: ANN401 - a Prescription
    """Whom it is about and where it belongs; the doctor is the visit's when it was signed."""
    return Subject(row.patient_id, row.doctor_id, row.facility_id)


def line_subject(row: Any) -> Subject:  # noqa: ANN401 - a PrescriptionLine with its prescription
    """A line is where its prescription is."""
    return subject(row.prescription)


_R = Transition
PRESCRIPTION: Final = Machine(
    name="prescription",
    model="prescribing.Prescription",
    subject=subject,
    tell=_tell,
    transitions=(
        _R(None, "sign", SIGNED, "prescription.sign", events.PrescriptionSigned),
        *(
            row
            for state in WAITING
            for row in (
                _R(state, "dispense_part", PARTLY_DISPENSED, "prescription.dispense",
                   events.PrescriptionPartlyDispensed),
                _R(state, "dispense", DISPENSED, "prescription.dispense", events.PrescriptionDispensed),
                # What was dispensed before stays so; the rest is not wanted, or is stopped.
                _R(state, "decline", DECLINED, "prescription.dispense", events.PrescriptionDeclined),
                _R(state, "cancel", CANCELLED, "prescription.cancel", events.PrescriptionCancelled),
                _R(state, "expire", EXPIRED, "prescription.expire", events.PrescriptionExpired),
            )
        ),
    ),
)  # fmt: skip

LINE: Final = Machine(
    name="prescription_line",
    model="prescribing.PrescriptionLine",
    subject=line_subject,
    tell=_tell,
    transitions=(
        _R(None, "write", OPEN, "prescription.sign", events.LineWritten),
        _R(OPEN, "give_part", OPEN, "prescription.dispense", events.LineGiven),
        _R(OPEN, "give", DONE, "prescription.dispense", events.LineGiven),
        # With its prescription: declined, cancelled or expired.
        _R(OPEN, "decline", CANCELLED, "prescription.dispense", events.LineClosed),
        _R(OPEN, "cancel", CANCELLED, "prescription.cancel", events.LineClosed),
        _R(OPEN, "expire", CANCELLED, "prescription.expire", events.LineClosed),
    ),
)

REFILL: Final = Machine(
    name="refill",
    model="prescribing.RefillRequest",
    subject=subject,
    tell=_tell,
    transitions=(
        _R(None, "ask", ASKED, "refill.request", events.RefillRequested),
        _R(ASKED, "withdraw", WITHDRAWN, "refill.request", events.RefillWithdrawn),
        # To agree is to sign a prescription.
        _R(ASKED, "approve", APPROVED, "prescription.sign", events.RefillApproved),
        _R(ASKED, "decline", DECLINED, "prescription.sign", events.RefillDeclined),
    ),
)
