"""What the selectors of visits answer with: frozen rows that speak the wire's names."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec


class Place(msgspec.Struct, frozen=True, rename="camel"):
    """A place in a queue as a row of a board shows it. `state` is that of the queue, not of the visit."""

    id: UUID
    line: str
    state: str
    version: int
    enqueued_at: datetime
    # From when the wait counts for the order: later than it began for whom was skipped.
    since: datetime
    called_at: datetime | None
    serving_at: datetime | None
    counter_id: UUID | None
    counter: str
    recalls: int


class VisitRow(msgspec.Struct, frozen=True, rename="camel"):
    """A visit with the names that stand beside it. `patient_name` is "SMITH, John"; `stage` is the visit's state."""

    id: UUID
    stage: str
    version: int
    token: str
    number: int
    day: date
    time_zone: str
    facility_id: UUID
    facility_name: str
    department_id: UUID | None
    department_name: str
    service_id: UUID | None
    service_name: str
    doctor_id: UUID | None
    doctor_name: str
    appointment_id: UUID | None
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    sex: str
    priority: str
    priority_why: str
    complaint: str
    opened_at: datetime
    closed_at: datetime | None
    # When the present stage began, and where the patient waits in it.
    stage_at: datetime
    place: Place | None
    age: int | msgspec.UnsetType = msgspec.UNSET


class StageRow(msgspec.Struct, frozen=True, rename="camel"):
    """How long a visit was in one stage; `left_at` is None while it is."""

    stage: str
    entered_at: datetime
    left_at: datetime | None
