"""What selectors answer with: frozen rows that speak the wire's names. No model ever leaves this app."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

R = TypeVar("R")


class Slot(msgspec.Struct, frozen=True, rename="camel"):
    """A time that can be booked now. `starts` and `ends` are UTC; show them in `time_zone`."""

    schedule_id: UUID
    doctor_id: UUID
    facility_id: UUID
    starts: datetime
    ends: datetime
    time_zone: str


class AppointmentRow(msgspec.Struct, frozen=True, rename="camel"):
    """An appointment with the names that stand beside it. `patient_name` is "SMITH, John", as staff read it."""

    id: UUID
    status: str
    version: int
    starts: datetime
    ends: datetime
    time_zone: str
    facility_id: UUID
    facility_name: str
    schedule_id: UUID
    doctor_id: UUID
    doctor_name: str
    specialty: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    sex: str
    service_id: UUID | None
    service_name: str
    room_name: str
    reason: str
    attention: str


class PatientRow(msgspec.Struct, frozen=True, rename="camel"):
    """A patient in a doctor's list. `is_new` until the doctor has looked; `since` is the first booking."""

    id: UUID
    name: str
    mrn: str
    born: date
    sex: str
    since: datetime
    is_new: bool
    next_starts: datetime | None
    last_starts: datetime | None


class WeeklyRow(msgspec.Struct, frozen=True, rename="camel"):
    """Recurring `hours` or a `break`, in the facility's wall-clock time. Weekday 0 is Monday."""

    weekday: int
    starts: time
    ends: time
    kind: str = "hours"


class ExceptionRow(msgspec.Struct, frozen=True, rename="camel"):
    """`leave` or a one-off `opening`, as UTC moments."""

    id: UUID
    kind: str
    starts: datetime
    ends: datetime
    note: str


class ScheduleView(msgspec.Struct, frozen=True, rename="camel"):
    """A schedule to read and edit. `own_…` is what it sets itself, the others what applies."""

    id: UUID
    doctor_id: UUID
    doctor_name: str
    facility_id: UUID
    facility_name: str
    time_zone: str
    room_name: str
    bookable: bool
    version: int
    slot_minutes: int
    buffer_minutes: int
    own_slot_minutes: int | None
    own_buffer_minutes: int | None
    weekly: tuple[WeeklyRow, ...]
    exceptions: tuple[ExceptionRow, ...]


class Page(msgspec.Struct, Generic[R], frozen=True, rename="camel"):
    """One page of rows. `total` counts all rows the viewer may see, `pages` is at least 1."""

    rows: list[R]
    total: int
    page: int
    pages: int

    @classmethod
    def of(cls, rows: list[R], total: int, page: int, limit: int) -> Page[R]:
        """A page with its page count worked out."""
        return cls(rows=rows, total=total, page=page, pages=max(1, -(-total // limit)))
