"""What the selectors of ambulances answer with: frozen rows that speak the wire's names."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec


class StationRow(msgspec.Struct, frozen=True, rename="camel"):
    """A facility that has ambulances, and where they stand."""

    facility_id: UUID
    name: str
    time_zone: str
    latitude: float
    longitude: float
    version: int


class CrewRow(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody who is on shift in a vehicle."""

    account_id: UUID
    name: str
    seat: str
    since: datetime


class VehicleRow(msgspec.Struct, frozen=True, rename="camel"):
    """A vehicle. `status` is free, busy, no_crew or out_of_service; `fresh` says whether the position is of now."""

    id: UUID
    facility_id: UUID
    time_zone: str
    call_sign: str
    kind: str
    status: str
    version: int
    crew: tuple[CrewRow, ...]
    trip_id: UUID | None
    trip_status: str
    latitude: float | None
    longitude: float | None
    position_at: datetime | None
    fresh: bool


class Availability(msgspec.Struct, frozen=True, rename="camel"):
    """A fleet in numbers."""

    facility_id: UUID
    total: int
    free: int
    busy: int
    no_crew: int
    out_of_service: int
    # Of those that are free.
    free_advanced: int
    waiting: int


class StepRow(msgspec.Struct, frozen=True, rename="camel"):
    """When a trip came to a state, and with which vehicle."""

    status: str
    at: datetime
    call_sign: str


class TripRow(msgspec.Struct, frozen=True, rename="camel"):
    """A trip. `eta_from` and `eta_until` are a range, to the patient or, with the patient inside, to the hospital."""

    id: UUID
    status: str
    version: int
    facility_id: UUID
    facility_name: str
    time_zone: str
    source: str
    need: str
    patient_id: UUID | None
    patient_name: str
    mrn: str
    born: date | None
    sex: str
    who: str
    phone: str
    address: str
    latitude: float | None
    longitude: float | None
    problem: str
    outcome: str
    ambulance_id: UUID | None
    call_sign: str
    kind: str
    requested_at: datetime
    closed_at: datetime | None
    status_at: datetime
    eta_from: datetime | None
    eta_until: datetime | None
    km_to_patient: float | None
    km_to_hospital: float | None
    estimate: str
    steps: tuple[StepRow, ...]
    age: int | msgspec.UnsetType = msgspec.UNSET


class Suggestion(msgspec.Struct, frozen=True, rename="camel"):
    """A free vehicle for a trip, and what speaks for and against it (`words.REASONS`). A person chooses."""

    ambulance_id: UUID
    call_sign: str
    kind: str
    km: float | None
    minutes_least: int | None
    minutes_most: int | None
    position_at: datetime | None
    reasons: tuple[str, ...]


class OwnShift(msgspec.Struct, frozen=True, rename="camel"):
    """Where somebody is on shift: the seat, the vehicle and the trip that it has."""

    seat: str
    since: datetime
    version: int
    vehicle: VehicleRow
    trip: TripRow | None
