"""The state tables of a bed and of a stay."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.inpatient import events, rules

AVAILABLE, RESERVED, OCCUPIED, CLEANING = "available", "reserved", "occupied", "cleaning"
BLOCKED, RETIRED = "blocked", "retired"
REQUESTED, ADMITTED, ORDERED, DEPARTED, CANCELLED = (
    "requested", "admitted", "discharge_ordered", "departed", "cancelled",
)  # fmt: skip
# States of a stay that keeps a bed from everybody else, and of one whose patient lies in it.
HOLDING: Final = (RESERVED, ADMITTED, ORDERED)
IN_BED: Final = (ADMITTED, ORDERED)
# A stay that is not over.
OPEN: Final = (REQUESTED, *HOLDING)


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def bed_subject(row: Any) -> Subject:  # noqa: ANN401 - a Bed
    """A bed belongs to its facility; whoever lies in it is the stay's affair."""
    return Subject(facility_id=row.facility_id)


def stay_subject(row: Any) -> Subject:  # noqa: ANN401 - a BedStay
    """Whom a stay is about, who answers for them, and where."""
    return Subject(patient_id=row.patient_id, doctor_id=row.doctor_id, facility_id=row.facility_id)


_R = Transition
BED: Final = Machine(
    name="bed",
    model="inpatient.Bed",
    subject=bed_subject,
    tell=_tell,
    transitions=(
        _R(None, "add", AVAILABLE, "bed.arrange", events.BedAdded),
        # Together with the step of a stay, by whoever takes that one.
        _R(AVAILABLE, "reserve", RESERVED, "stay.reserve", events.BedReserved),
        _R(RESERVED, "release", AVAILABLE, "stay.reserve", events.BedReleased),
        _R(RESERVED, "occupy", OCCUPIED, "stay.admit", events.BedOccupied),
        _R(AVAILABLE, "occupy", OCCUPIED, "stay.admit", events.BedOccupied),
        _R(OCCUPIED, "vacate", CLEANING, "stay.depart", events.BedVacated),
        # Nobody lies in a bed that was not cleaned: there is no way from occupied to available but this.
        _R(CLEANING, "start_cleaning", CLEANING, "bed.clean", events.BedCleaningStarted, rules.not_begun),
        _R(CLEANING, "finish_cleaning", AVAILABLE, "bed.clean", events.BedCleaned),
        _R(AVAILABLE, "block", BLOCKED, "bed.block", events.BedBlocked),
        _R(CLEANING, "block", BLOCKED, "bed.block", events.BedBlocked),
        _R(BLOCKED, "unblock", AVAILABLE, "bed.block", events.BedUnblocked),
        _R(BLOCKED, "unblock_unclean", CLEANING, "bed.block", events.BedUnblocked),
        *(_R(state, "retire", RETIRED, "bed.arrange", events.BedRetired) for state in (AVAILABLE, BLOCKED)),
    ),
)

STAY: Final = Machine(
    name="bed_stay",
    model="inpatient.BedStay",
    subject=stay_subject,
    tell=_tell,
    transitions=(
        _R(None, "request", REQUESTED, "stay.request", events.StayRequested),
        _R(REQUESTED, "reserve", RESERVED, "stay.reserve", events.StayReserved),
        _R(RESERVED, "release", REQUESTED, "stay.reserve", events.StayReleased),
        _R(RESERVED, "admit", ADMITTED, "stay.admit", events.StayAdmitted),
        # In an emergency nobody reserves first.
        _R(REQUESTED, "admit", ADMITTED, "stay.admit", events.StayAdmitted),
        *(_R(state, "transfer", state, "stay.transfer", events.StayTransferred) for state in IN_BED),
        _R(ADMITTED, "order_discharge", ORDERED, "stay.discharge", events.StayDischargeOrdered),
        _R(ORDERED, "withdraw_discharge", ADMITTED, "stay.discharge", events.StayDischargeWithdrawn),
        # The order lets a patient go; gone they are when somebody says so.
        _R(ORDERED, "depart", DEPARTED, "stay.depart", events.StayDeparted),
        # Against advice, to another hospital at once, or dead: without an order, with the reason.
        _R(ADMITTED, "leave", DEPARTED, "stay.depart", events.StayDeparted),
        *(_R(state, "cancel", CANCELLED, "stay.cancel", events.StayCancelled) for state in (REQUESTED, RESERVED)),
    ),
)
