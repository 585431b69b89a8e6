"""What ambulances tell the world: ids and states; never a place, a telephone number or what is wrong."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.access.rules import Role
from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class FleetEvent(Event, frozen=True, rename="camel"):
    """Common to all events of ambulances: whoever sees the facility's fleet hears of it, and whom a trip is for."""

    facility_id: UUID
    ambulance_id: UUID | None
    patient_id: UUID | None
    status: str
    revision: int

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        patient = (rooms.patient(self.patient_id),) if self.patient_id else ()
        return (rooms.facility_right(self.facility_id, "ambulance.view"), *patient)


class TripEvent(FleetEvent, frozen=True, rename="camel"):
    """Common to all events of a trip. `revision` is the trip's version after the change."""

    trip_id: UUID

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - an AmbulanceTrip; importing it here would be a circle
        return cls(
            facility_id=row.facility_id,
            ambulance_id=row.ambulance_id,
            patient_id=row.patient_id,
            status=row.state,
            revision=row.version,
            trip_id=row.pk,
        )

    def stream(self) -> str:
        return f"ambulance_trip:{self.trip_id}"


@event("ambulance.requested", "Somebody asked for an ambulance.")
class Requested(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.dispatched", "An ambulance was sent, or another one instead.")
class Dispatched(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.acknowledged", "The crew has accepted the trip.")
class Acknowledged(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.en_route", "The ambulance is on its way to the patient.")
class EnRoute(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.on_scene", "The ambulance is at the patient.")
class OnScene(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.transporting", "The ambulance brings the patient: the hospital prepares.")
class Transporting(TripEvent, frozen=True, rename="camel"):
    def audience(self) -> tuple[str, ...]:
        # Whoever receives the patient is told beforehand, whether or not they look after ambulances.
        return (
            *TripEvent.audience(self),
            *(rooms.facility_role(self.facility_id, role) for role in (Role.MAIN_DOCTOR, Role.CHECKER_DOCTOR)),
        )


@event("ambulance.at_hospital", "The ambulance has arrived with the patient.")
class AtHospital(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.cleared", "The trip is over and the ambulance is free.")
class Cleared(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.cancelled", "The trip was cancelled.")
class Cancelled(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.identified", "It is known by now which patient the ambulance was asked for.")
class Identified(TripEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.progress", "The ambulance that a caller without an account waits for has come to another step.")
class Progress(Event, frozen=True, rename="camel"):
    """For whoever holds the link of a call, and for nobody else: no patient, no vehicle, no house."""

    call_id: UUID
    revision: int

    def stream(self) -> str:
        return f"ambulance_call:{self.call_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        return (rooms.caller(self.call_id),)


class VehicleEvent(FleetEvent, frozen=True, rename="camel"):
    """Common to what happens to a vehicle itself. `revision` is its version."""

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - an Ambulance
        return cls(
            facility_id=row.facility_id, ambulance_id=row.pk, patient_id=None, status=row.state, revision=row.version
        )

    def stream(self) -> str:
        return f"ambulance:{self.ambulance_id}"


@event("ambulance.in_service", "An ambulance was added or may be sent again.")
class InService(VehicleEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.out_of_service", "An ambulance cannot be sent for now.")
class OutOfService(VehicleEvent, frozen=True, rename="camel"):
    pass


class ShiftEvent(FleetEvent, frozen=True, rename="camel"):
    """Common to crews coming and going. `revision` is the shift's version."""

    shift_id: UUID

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a CrewShift with its ambulance
        return cls(
            facility_id=row.ambulance.facility_id,
            ambulance_id=row.ambulance_id,
            patient_id=None,
            status=row.state,
            revision=row.version,
            shift_id=row.pk,
        )

    def stream(self) -> str:
        return f"crew_shift:{self.shift_id}"


@event("ambulance.crew_on", "Somebody has begun a shift in an ambulance.")
class CrewOn(ShiftEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.crew_off", "Somebody has ended a shift in an ambulance.")
class CrewOff(ShiftEvent, frozen=True, rename="camel"):
    pass


@event("ambulance.moved", "An ambulance has sent its position; where it is, one asks for.")
class Moved(FleetEvent, frozen=True, rename="camel"):
    def stream(self) -> str:
        return f"ambulance_position:{self.ambulance_id}"
