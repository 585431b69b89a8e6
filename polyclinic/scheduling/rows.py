"""What selectors answer with: frozen rows that speak the wire's names. No model ever leaves this app."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid

MAX_LIMIT = 200
R = TypeVar("R")


class Slot(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A time that can be booked now. `starts` and `ends` are UTC; show them in `time_zone`.

    Holds nothing that could hold it, so the collector need not walk tens of thousands of them.
    """

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
    # In place of a date of birth that the viewer is not shown (`core.access.fields`).
    age: int | msgspec.UnsetType = msgspec.UNSET
    # Booked into a time that was taken already.
    extra: bool = False


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
    age: int | msgspec.UnsetType = msgspec.UNSET


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
    overbook_limit: int
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


def span(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From midnight to midnight of a zone's calendar, in UTC."""
    return (
        datetime.combine(day, time(0), zone).astimezone(UTC),
        datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC),
    )


def full_name(family: str, given: str) -> str:
    """How a patient is named in clinical views: the family name first, in capitals."""
    return f"{family.upper()}, {given}"


def require_page(page: int, limit: int) -> None:
    """Refuse a page below 1 and more rows at once than anybody reads. Raises Invalid naming the field."""
    if page < 1:
        raise Invalid(_("Pages count from 1."), field="page")
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(_("Ask for 1 to 200 rows."), field="limit")
