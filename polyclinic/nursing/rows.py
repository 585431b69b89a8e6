"""What the selectors of the ward's work answer with: frozen rows that speak the wire's names."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from polyclinic.inpatient.rows import StayRow
from polyclinic.medicines.rows import MedicineRow
from polyclinic.records.rows import ScoreRow


class ObservationRow(msgspec.Struct, frozen=True, rename="camel"):
    """Vital signs measured together beside a bed, or earlier in the visit that led to it (`here` false)."""

    id: UUID
    stay_id: UUID
    patient_id: UUID
    taken_at: datetime
    author: str
    status: str
    version: int
    values: dict[str, str]
    oxygen: bool | None
    consciousness: str | None
    score: ScoreRow
    here: bool


class NoteRow(msgspec.Struct, frozen=True, rename="camel"):
    """The round's note as it was saved; `version` 0: there is none yet."""

    text: str
    version: int
    saved_at: datetime | None
    author: str


class RoundRow(msgspec.Struct, frozen=True, rename="camel"):
    """One patient of a ward round. `day` counts from 1, the day of admission.

    `allergies` are null when nobody has asked. `observation`: overdue, due, later. `total` is null without a score.
    """

    stay: StayRow
    allergies: tuple[str, ...] | None
    day: int
    total: int | None
    risk: str | None
    not_for: str
    taken_at: datetime | None
    # Totals before, oldest first, the latest among them.
    trend: tuple[tuple[datetime, int], ...]
    observation: str
    due_at: datetime
    continuous: bool
    late_doses: int
    summary: str


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """A medicine that is given in bed. `directions` are the whole of it in words."""

    id: UUID
    stay_id: UUID
    patient_id: UUID
    medicine: MedicineRow
    directions: str
    dose: Decimal
    unit: str
    route: str
    frequency: str
    times: tuple[str, ...]
    as_needed: bool
    most: int
    note: str
    overridden: tuple[str, ...]
    starts_at: datetime
    stops_at: datetime | None
    stopped_because: str
    replaces: UUID | None
    author: str
    state: str
    version: int


class DoseRow(msgspec.Struct, frozen=True, rename="camel"):
    """One dose: planned for `due_at`, or one that was needed. `status`: given, held, refused, missed, late, due, later.

    `late` is an hour past its time with nothing written down. With `withdrawn_at` it was written down wrongly, and
    its place on the plan stands in the list once more.
    """

    id: UUID | None
    order_id: UUID
    due_at: datetime | None
    number: int
    status: str
    reason: str
    recorded_at: datetime | None
    author: str
    version: int = 0
    withdrawn_at: datetime | None = None
    withdrawn_because: str = ""
    withdrawn_by: str = ""


class LineRow(msgspec.Struct, frozen=True, rename="camel"):
    """One line of the day's sheet: a medicine with its planned doses and those that were needed.

    `next_number` is what the next dose that is needed counts as; null when the medicine is not given (any more).
    """

    stay_id: UUID
    patient_id: UUID
    order: OrderRow
    doses: tuple[DoseRow, ...]
    next_number: int | None


class HandoverRow(msgspec.Struct, frozen=True, rename="camel"):
    """A handover as it was signed. `mine`: the reader signed it."""

    id: UUID
    stay_id: UUID
    patient_id: UUID
    situation: str
    background: str
    assessment: str
    recommendation: str
    signed_at: datetime
    author: str
    read_at: datetime | None
    reader: str
    status: str
    version: int
    mine: bool


class SignedRow(msgspec.Struct, frozen=True, rename="camel"):
    """A summary as it was signed before it was amended."""

    number: int
    parts: dict[str, str]
    author: str
    signed_at: datetime
    why: str


class SummaryRow(msgspec.Struct, frozen=True, rename="camel"):
    """A discharge summary. `version` 0: not begun, and the parts are what the records say by now.

    `amended`: how often it was signed anew, the last time because of `why`; `earlier`: what it said before, newest
    first.
    """

    stay_id: UUID
    patient_id: UUID
    parts: dict[str, str]
    status: str
    version: int
    author: str
    saved_at: datetime | None
    signed_at: datetime | None
    amended: int = 0
    why: str = ""
    earlier: tuple[SignedRow, ...] = ()
