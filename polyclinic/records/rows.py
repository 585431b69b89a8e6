"""What readers answer with. Values as text, as they are written: "37.2"."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class ScoreRow(msgspec.Struct, frozen=True, rename="camel"):
    """A NEWS2. `total` and `risk` are None while signs are `missing`, or `not_for` says why there is none."""

    total: int | None
    risk: str | None
    points: dict[str, int]
    missing: tuple[str, ...]
    scale: int
    edition: str
    not_for: str = ""


class VitalsRow(msgspec.Struct, frozen=True, rename="camel"):
    """Vital signs measured together. `status` is recorded or withdrawn."""

    id: UUID
    visit_id: UUID
    patient_id: UUID
    status: str
    version: int
    taken_at: datetime
    author: str
    values: dict[str, str]
    oxygen: bool | None
    consciousness: str | None
    pregnant: bool
    confirmed: tuple[str, ...]
    score: ScoreRow


class AllergyRow(msgspec.Struct, frozen=True, rename="camel"):
    id: UUID
    patient_id: UUID
    substance: str
    reaction: str
    severity: str
    version: int
    noted_at: datetime
    author: str


class AllergiesRow(msgspec.Struct, frozen=True, rename="camel"):
    """`status`: not_asked, none_known or present. The three are different things."""

    patient_id: UUID
    status: str
    version: int
    asked_at: datetime | None
    allergies: tuple[AllergyRow, ...]

    @property
    def banner(self) -> list[str] | None:
        """As the patient banner takes them: None not asked, [] none known, or the substances."""
        return None if self.status == "not_asked" else [one.substance for one in self.allergies]


class ConditionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A diagnosis. `code` is of ICD-10; empty when it is not coded yet. `edition` is of the list it was chosen from."""

    id: UUID
    visit_id: UUID
    patient_id: UUID
    code: str
    text: str
    certainty: str
    version: int
    noted_at: datetime
    author: str
    edition: str = ""


class NoteRow(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a visit's note; `fields` holds what was filled in."""

    id: UUID
    visit_id: UUID
    patient_id: UUID
    kind: str
    fields: dict[str, str]
    version: int
    saved_at: datetime
    author: str


class DraftRow(msgspec.Struct, frozen=True, rename="camel"):
    """One's own unsaved text. `stale`: the note has been saved since the draft was begun from it."""

    kind: str
    fields: dict[str, str]
    base: int
    version: int
    saved_at: datetime
    stale: bool
