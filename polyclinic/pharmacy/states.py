"""The state tables of a handing over, a transfer between pharmacies, and a stock-take."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.pharmacy import events

GIVEN, RETURNED = "given", "returned"
SENT, RECEIVED, CANCELLED = "sent", "received", "cancelled"
OPEN, POSTED = "open", "posted"


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def dispense_subject(row: Any) -> Subject:  # noqa: ANN401 - a Dispense, or a Prescription
    """Whom it is about and where it belongs; the doctor is the visit's when it was signed."""
    signed = row if hasattr(row, "doctor_id") else row.prescription
    return Subject(row.patient_id, signed.doctor_id, row.facility_id)


_R = Transition
DISPENSE: Final = Machine(
    name="dispense",
    model="pharmacy.Dispense",
    subject=dispense_subject,
    tell=_tell,
    transitions=(
        _R(None, "hand_over", GIVEN, "prescription.dispense", events.HandedOver),
        _R(GIVEN, "take_back", GIVEN, "prescription.dispense", events.TakenBack),
        _R(GIVEN, "take_all_back", RETURNED, "prescription.dispense", events.TakenBack),
    ),
)

TRANSFER: Final = Machine(
    name="stock_transfer",
    model="pharmacy.Transfer",
    # One of two hospitals takes each step, and the right is asked for there.
    subject=lambda row: Subject(facility_id=row.at),
    tell=_tell,
    transitions=(
        _R(None, "send", SENT, "stock.transfer", events.TransferSent),
        _R(SENT, "receive", RECEIVED, "stock.receive", events.TransferArrived),
        _R(SENT, "call_back", CANCELLED, "stock.transfer", events.TransferCalledBack),
    ),
)

STOCK_TAKE: Final = Machine(
    name="stock_take",
    model="pharmacy.StockTake",
    subject=lambda row: Subject(facility_id=row.facility_id),
    tell=_tell,
    transitions=(
        _R(None, "start", OPEN, "stock.count", events.CountStarted),
        _R(OPEN, "count", OPEN, "stock.count", events.Counted),
        _R(OPEN, "post", POSTED, "stock.count", events.CountPosted),
        _R(OPEN, "give_up", CANCELLED, "stock.count", events.CountGivenUp),
    ),
)
