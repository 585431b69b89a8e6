"""What prescriptions give to their readers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from polyclinic.medicines.rows import MedicineRow
from polyclinic.prescribing.bodies import Diagnosis, Line, Override


class LineRow(msgspec.Struct, frozen=True, rename="camel"):
    """One medicine of a prescription. `quantity`, `dispensed` and `left` count the medicine's dispensing units.

    `sentence` is the whole of it in plain words; `prescribing.sentences.of` gives it with the name in bold.
    """

    id: UUID
    prescription_id: UUID
    place: int
    medicine: MedicineRow
    dose: Decimal
    unit: str
    route: str
    frequency: str
    days: int | None
    as_needed: bool
    note: str
    substitution_allowed: bool
    overrides: tuple[Override, ...]
    quantity: Decimal
    dispensed: Decimal
    left: Decimal
    until: date | None
    state: str
    version: int
    sentence: str


class PrescriptionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A prescription with its lines, whose names are those of its patient, place and prescriber."""

    id: UUID
    number: int
    label: str
    visit_id: UUID
    token: str
    visit_state: str
    facility_id: UUID
    facility_name: str
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    sex: str
    doctor_id: UUID | None
    prescriber: str
    signed_at: datetime
    valid_until: date
    state: str
    version: int
    lines: tuple[LineRow, ...]
    # How often it may be given again, until when, how often it was; and what it is itself a repeat of.
    repeats: int = 0
    repeat_until: date | None = None
    repeats_used: int = 0
    repeat_of: UUID | None = None
    repeat_of_label: str = ""


class RefillRow(msgspec.Struct, frozen=True, rename="camel"):
    """A request for a repeat. `note` is the patient's word, `answer` why it was declined, `made_id` the repeat."""

    id: UUID
    prescription_id: UUID
    label: str
    visit_id: UUID
    facility_id: UUID
    facility_name: str
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    sex: str
    prescriber: str
    note: str
    asked_at: datetime
    answer: str
    answered_at: datetime | None
    answered_by: str
    made_id: UUID | None
    state: str
    version: int


class RepeatRow(msgspec.Struct, frozen=True, rename="camel"):
    """How it stands with the repeats of one prescription. `newest` is the last request; `why_not` says why none can be
    made now, empty when one can or one is open."""

    prescription_id: UUID
    left: int
    until: date | None
    newest: RefillRow | None
    can_ask: bool
    why_not: str


class DraftRow(msgspec.Struct, frozen=True):
    """When another doctor last changed what they prepare for the same visit."""

    name: str
    saved_at: datetime


class PreparedRow(msgspec.Struct, frozen=True):
    """What one doctor has prepared for a visit, its version (0: nothing yet), and who else prepares something."""

    version: int
    diagnoses: tuple[Diagnosis, ...]
    lines: tuple[Line, ...]
    others: tuple[DraftRow, ...]
