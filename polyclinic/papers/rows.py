"""What papers give to their readers."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from polyclinic.papers.bodies import ReferralBody, SickNoteBody


class LetterRow(msgspec.Struct, frozen=True, rename="camel"):
    """What sick notes and referrals have in common. `kind` is as in addresses: sick-note, referral."""

    id: UUID
    kind: str
    visit_id: UUID
    facility_id: UUID
    facility_name: str
    time_zone: str
    patient_id: UUID
    patient_name: str
    mrn: str
    born: date
    sex: str
    doctor_id: UUID | None
    author: str
    status: str
    version: int
    issued_at: datetime
    revoked_at: datetime | None


class SickNoteRow(LetterRow, frozen=True, rename="camel"):
    """A sick note."""

    body: SickNoteBody


class ReferralRow(LetterRow, frozen=True, rename="camel"):
    """A referral."""

    body: ReferralBody


class PaperRow(msgspec.Struct, frozen=True, rename="camel"):
    """A paper that was printed: which, how often, and whether it still says what the records say."""

    id: UUID
    kind: str
    subject_id: UUID
    patient_id: UUID
    facility_id: UUID
    facility_name: str
    time_zone: str
    status: str
    printed: int
    issued_at: datetime
    printed_at: datetime


class Printable(msgspec.Struct, frozen=True, rename="camel"):
    """Something of a patient's that can be printed. `note` says what tells it from others of its kind."""

    kind: str
    subject_id: UUID
    facility_name: str
    time_zone: str
    at: datetime
    note: str
    status: str = "valid"


class DraftRow(msgspec.Struct, frozen=True):
    """One's own unsigned letter."""

    fields: dict[str, str]
    version: int
    saved_at: datetime


class Verdict(msgspec.Struct, frozen=True, rename="camel"):
    """What anybody who holds a paper may know: nothing that stands on it but whose initials and of which day.

    `status`: valid, changed (the records say something else by now), superseded (a newer one was printed), revoked.
    """

    kind: str
    facility_name: str
    city: str
    issued_at: datetime
    time_zone: str
    initials: str
    status: str
