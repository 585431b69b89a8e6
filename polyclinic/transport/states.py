"""The state tables of a vehicle, of a crew member's shift and of a trip."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.transport import events, rules

IN_SERVICE, OUT_OF_SERVICE = "in_service", "out_of_service"
ON, OFF = "on", "off"
REQUESTED, DISPATCHED, ACKNOWLEDGED, EN_ROUTE = "requested", "dispatched", "acknowledged", "en_route"
ON_SCENE, TRANSPORTING, AT_HOSPITAL = "on_scene", "transporting", "at_hospital"
CLEARED, CANCELLED = "cleared", "cancelled"
# States of a trip that goes on, in their order.
OPEN: Final = (REQUESTED, DISPATCHED, ACKNOWLEDGED, EN_ROUTE, ON_SCENE, TRANSPORTING, AT_HOSPITAL)
# While it is in one of these the vehicle drives to the patient.
TO_PATIENT: Final = (DISPATCHED, ACKNOWLEDGED, EN_ROUTE)
# The one step that is next for the crew in each state, and what it leads to.
NEXT: Final = {
    DISPATCHED: "acknowledge",
    ACKNOWLEDGED: "set_off",
    EN_ROUTE: "arrive",
    ON_SCENE: "load",
    TRANSPORTING: "deliver",
    AT_HOSPITAL: "clear",
}


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def trip_subject(row: Any) -> Subject:  # noqa: ANN401 - an AmbulanceTrip
    """Whom a trip is for and whose vehicle makes it."""
    return Subject(patient_id=row.patient_id, facility_id=row.facility_id)


def vehicle_subject(row: Any) -> Subject:  # noqa: ANN401 - an Ambulance
    """Whose vehicle it is."""
    return Subject(facility_id=row.facility_id)


def shift_subject(row: Any) -> Subject:  # noqa: ANN401 - a CrewShift with its ambulance
    """In whose vehicle somebody works."""
    return Subject(facility_id=row.ambulance.facility_id)


_R = Transition
AMBULANCE: Final = Machine(
    name="ambulance",
    model="transport.Ambulance",
    subject=vehicle_subject,
    tell=_tell,
    transitions=(
        _R(None, "add", IN_SERVICE, "ambulance.manage", events.InService),
        _R(IN_SERVICE, "withdraw", OUT_OF_SERVICE, "ambulance.withdraw", events.OutOfService, rules.not_on_a_trip),
        _R(OUT_OF_SERVICE, "restore", IN_SERVICE, "ambulance.withdraw", events.InService),
    ),
)

SHIFT: Final = Machine(
    name="crew_shift",
    model="transport.CrewShift",
    subject=shift_subject,
    tell=_tell,
    transitions=(
        _R(None, "begin", ON, "ambulance.drive", events.CrewOn),
        _R(ON, "end", OFF, "ambulance.drive", events.CrewOff, rules.somebody_stays),
    ),
)

_BEFORE_ARRIVAL = (DISPATCHED, ACKNOWLEDGED, EN_ROUTE)
TRIP: Final = Machine(
    name="ambulance_trip",
    model="transport.AmbulanceTrip",
    subject=trip_subject,
    tell=_tell,
    transitions=(
        _R(None, "request", REQUESTED, "ambulance.request", events.Requested),
        _R(REQUESTED, "dispatch", DISPATCHED, "ambulance.dispatch", events.Dispatched),
        *(_R(state, "reassign", DISPATCHED, "ambulance.dispatch", events.Dispatched) for state in _BEFORE_ARRIVAL),
        _R(DISPATCHED, "acknowledge", ACKNOWLEDGED, "ambulance.step", events.Acknowledged, rules.in_this_vehicle),
        _R(ACKNOWLEDGED, "set_off", EN_ROUTE, "ambulance.step", events.EnRoute, rules.in_this_vehicle),
        _R(EN_ROUTE, "arrive", ON_SCENE, "ambulance.step", events.OnScene, rules.in_this_vehicle),
        _R(ON_SCENE, "load", TRANSPORTING, "ambulance.step", events.Transporting, rules.in_this_vehicle),
        _R(TRANSPORTING, "deliver", AT_HOSPITAL, "ambulance.step", events.AtHospital, rules.in_this_vehicle),
        _R(AT_HOSPITAL, "clear", CLEARED, "ambulance.step", events.Cleared, rules.in_this_vehicle),
        # Seen and not brought along: helped where they are, or nobody there.
        _R(ON_SCENE, "clear", CLEARED, "ambulance.step", events.Cleared, rules.in_this_vehicle),
        *(
            _R(state, "cancel", CANCELLED, "ambulance.cancel", events.Cancelled)
            for state in (REQUESTED, *_BEFORE_ARRIVAL)
        ),
    ),
)
