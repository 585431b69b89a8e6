"""What papers tell the world: which kind for which thing, never what stands on it."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from polyclinic.core.outbox import rooms
from polyclinic.core.outbox.events import Event, event


class PaperEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a paper. `revision` is the row's version after the change."""

    paper_id: UUID
    paper_kind: str
    subject_id: UUID
    patient_id: UUID
    facility_id: UUID
    printed: int
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a Paper
        return cls(
            paper_id=row.pk, paper_kind=row.kind, subject_id=row.subject_id, patient_id=row.patient_id,
            facility_id=row.facility_id, printed=row.printed, stage=row.state, revision=row.version,
        )  # fmt: skip

    def stream(self) -> str:
        return f"paper:{self.paper_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        # That a letter exists says that somebody is ill: only its readers and who decides for the patient hear of it.
        return (rooms.facility_right(self.facility_id, "letter.view"), rooms.deciders(self.patient_id))


@event("paper.printed", "A paper was printed, for the first time or again.")
class PaperPrinted(PaperEvent, frozen=True, rename="camel"):
    pass


@event("paper.superseded", "A paper does not say any more what the records say.")
class PaperSuperseded(PaperEvent, frozen=True, rename="camel"):
    pass


@event("paper.revoked", "A paper was withdrawn with the letter that it is a print of.")
class PaperRevoked(PaperEvent, frozen=True, rename="camel"):
    pass


class LetterEvent(Event, frozen=True, rename="camel"):
    """Common to what happens to a sick note and a referral."""

    letter_id: UUID
    visit_id: UUID
    patient_id: UUID
    facility_id: UUID
    doctor_id: UUID | None
    stage: str
    revision: int

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a SickNote or Referral
        return cls(
            letter_id=row.pk, visit_id=row.visit_id, patient_id=row.patient_id, facility_id=row.facility_id,
            doctor_id=row.doctor_id, stage=row.state, revision=row.version,
        )  # fmt: skip

    def stream(self) -> str:
        return f"letter:{self.letter_id}"

    def stream_seq(self) -> int:
        return self.revision

    def audience(self) -> tuple[str, ...]:
        doctor = (rooms.doctor(self.doctor_id),) if self.doctor_id else ()
        return (
            rooms.facility_right(self.facility_id, "letter.view"), rooms.deciders(self.patient_id), *doctor,
        )  # fmt: skip


@event("sick_note.issued", "A sick note was signed.")
class SickNoteIssued(LetterEvent, frozen=True, rename="camel"):
    pass


@event("sick_note.revoked", "A sick note was withdrawn.")
class SickNoteRevoked(LetterEvent, frozen=True, rename="camel"):
    pass


@event("referral.issued", "A referral was signed.")
class ReferralIssued(LetterEvent, frozen=True, rename="camel"):
    pass


@event("referral.revoked", "A referral was withdrawn.")
class ReferralRevoked(LetterEvent, frozen=True, rename="camel"):
    pass
