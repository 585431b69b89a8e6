"""What the selectors of wards answer with: frozen rows that speak the wire's names."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec


class WardRow(msgspec.Struct, frozen=True, rename="camel"):
    """A ward and how many beds it has."""

    id: UUID
    facility_id: UUID
    name: str
    kind: str
    sex: str
    beds: int


class StayRow(msgspec.Struct, frozen=True, rename="camel"):
    """A stay with the names that stand beside it. `patient_name` is "SMITH, John"; `stage` is the stay's state."""

    id: UUID
    facility_id: UUID
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    sex: str
    doctor_id: UUID | None
    doctor_name: str
    visit_id: UUID | None
    bed_id: UUID | None
    bed_name: str
    ward_id: UUID | None
    ward_name: str
    # The ward that was asked for.
    wished_ward_id: UUID | None
    wished_ward_name: str
    stage: str
    version: int
    priority: str
    isolation: bool
    oxygen: bool
    intensive: bool
    reason: str
    requested_at: datetime
    admitted_at: datetime | None
    expected_on: date | None
    ordered_at: datetime | None
    ended_at: datetime | None
    age: int | msgspec.UnsetType = msgspec.UNSET


class BedRow(msgspec.Struct, frozen=True, rename="camel"):
    """A bed. Whoever may not see whose it is gets `stay` null, and still when it will probably be free."""

    id: UUID
    facility_id: UUID
    time_zone: str
    ward_id: UUID
    ward_name: str
    name: str
    room: str
    isolation: bool
    oxygen: bool
    intensive: bool
    children: bool
    sex: str
    state: str
    version: int
    since: datetime
    cleaning_since: datetime | None
    why: str
    # The day on which whoever lies in it will probably leave, and whether they may leave now.
    expected_on: date | None
    leaving: bool
    stay: StayRow | None


class ReasonRow(msgspec.Struct, frozen=True, rename="camel"):
    """One reason for or against a bed: `kind` is `fits`, `waste` or `against`."""

    kind: str
    code: str
    words: str


class SuggestionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A bed that somebody could get: `ready` now, or when it has been cleaned. The best comes first."""

    bed: BedRow
    fits: bool
    ready: bool
    reasons: tuple[ReasonRow, ...]


class CountRow(msgspec.Struct, frozen=True, rename="camel"):
    """Beds of one ward, or of the facility (`ward_id` null), by state. `occupancy`: percent of those not blocked."""

    ward_id: UUID | None
    ward_name: str
    total: int
    available: int
    reserved: int
    occupied: int
    cleaning: int
    blocked: int
    occupancy: int


class DayRow(msgspec.Struct, frozen=True, rename="camel"):
    """One day to come: who will probably leave on it, and beds free in its evening, less those who wait now."""

    day: date
    leaving: int
    free: int


class Census(msgspec.Struct, frozen=True, rename="camel"):
    """A facility's beds in figures. `waiting` have no bed yet; `undated` lie in bed without a day of leaving."""

    facility_id: UUID
    total: CountRow
    wards: tuple[CountRow, ...]
    waiting: int
    undated: int
    # Median minutes from a patient's leaving to the clean bed, of the last seven days; null without any.
    turnaround: int | None
    days: tuple[DayRow, ...]
