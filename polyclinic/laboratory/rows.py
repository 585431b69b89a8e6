"""What readers of the laboratory get: orders with their specimens and tests, worklist lines, alerts."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from polyclinic.laboratory.reports import Report


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of a result. The newest is first; those before it are the corrected ones."""

    number: int
    report: Report
    entered_at: datetime
    entered_by: str
    verified_at: datetime | None
    verified_by: str
    released_at: datetime | None


class TestRow(msgspec.Struct, frozen=True, rename="camel"):
    """One ordered test. `entries` are those the viewer may see."""

    id: UUID
    test: str
    name: str
    loinc: str
    state: str
    version: int
    specimen_id: UUID
    number: int
    needs_second: bool
    calculated: bool
    sensitive: bool
    unit: str
    decimals: int
    answers: tuple[str, ...]
    entries: tuple[Entry, ...]

    @property
    def now(self) -> Entry | None:
        """The newest entry."""
        return self.entries[0] if self.entries else None


class SpecimenRow(msgspec.Struct, frozen=True, rename="camel"):
    """One container."""

    id: UUID
    barcode: str
    kind: str
    kind_name: str
    state: str
    version: int
    why: str
    collected_at: datetime | None
    received_at: datetime | None
    tests: tuple[str, ...]


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """One order with everything in it."""

    id: UUID
    visit_id: UUID
    token: str
    facility_id: UUID
    facility_name: str
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    sex: str
    doctor_id: UUID | None
    doctor_name: str
    ordered_by: str
    priority: str
    note: str
    pregnancy: str
    state: str
    version: int
    ordered_at: datetime
    specimens: tuple[SpecimenRow, ...]
    tests: tuple[TestRow, ...]


class LineRow(msgspec.Struct, frozen=True, rename="camel"):
    """One order as a line of a worklist. `stages` counts its tests by state."""

    id: UUID
    token: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    priority: str
    ordered_at: datetime
    time_zone: str
    facility_id: UUID
    stages: dict[str, int]
    kinds: tuple[str, ...]
    names: tuple[str, ...]


class AlertRow(msgspec.Struct, frozen=True, rename="camel"):
    """A critical result and who was called. `report` is the result's."""

    id: UUID
    order_id: UUID
    facility_id: UUID
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    token: str
    test: str
    name: str
    report: Report | None
    state: str
    version: int
    level: int
    raised_at: datetime
    next_at: datetime | None
    called: tuple[str, ...]
    mine: bool
    closed_at: datetime | None
    closed_by: str
    comment: str
