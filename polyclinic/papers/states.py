"""The state tables of a paper and of the letters."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event
from polyclinic.papers import events, rules

VALID, SUPERSEDED, REVOKED = "valid", "superseded", "revoked"
ISSUED: Final = "issued"


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def paper_subject(row: Any) -> Subject:  # noqa: ANN401 - a Paper
    """Whose paper it is and where it is from. `treated_by` is the doctor of the thing, known while it is printed."""
    return Subject(row.patient_id, getattr(row, "treated_by", None), row.facility_id)


def letter_subject(row: Any) -> Subject:  # noqa: ANN401 - a SickNote or Referral
    return Subject(row.patient_id, row.doctor_id, row.facility_id)


_R = Transition
PAPER: Final = Machine(
    name="paper",
    model="papers.Paper",
    subject=paper_subject,
    tell=_tell,
    transitions=(
        _R(None, "print", VALID, "paper.print", events.PaperPrinted),
        _R(VALID, "print", VALID, "paper.print", events.PaperPrinted),
        # What it says has changed: the next print is another paper.
        _R(VALID, "supersede", SUPERSEDED, "paper.print", events.PaperSuperseded),
        # With the letter that it is a print of.
        _R(VALID, "revoke", REVOKED, "letter.revoke", events.PaperRevoked),
        _R(SUPERSEDED, "revoke", REVOKED, "letter.revoke", events.PaperRevoked),
    ),
)


def _letter(name: str, model: str, issued: type[Event], revoked: type[Event]) -> Machine:
    return Machine(
        name=name,
        model=model,
        subject=letter_subject,
        tell=_tell,
        transitions=(
            _R(None, "issue", ISSUED, "letter.issue", issued, rules.somebody_was_seen),
            _R(ISSUED, "revoke", REVOKED, "letter.revoke", revoked),
        ),
    )


SICK_NOTE: Final = _letter("sick_note", "papers.SickNote", events.SickNoteIssued, events.SickNoteRevoked)
REFERRAL: Final = _letter("referral", "papers.Referral", events.ReferralIssued, events.ReferralRevoked)
