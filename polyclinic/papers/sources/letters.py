"""Sick notes and referrals."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.utils.translation import gettext as _

from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Conflict
from polyclinic.papers import selectors
from polyclinic.papers.rows import LetterRow, ReferralRow, SickNoteRow
from polyclinic.papers.sheet import Banner, Block, Cell, Pairs, Run, Sheet, Sign, Source, Text, facts_of
from polyclinic.papers.words import PaperKind, Unfit, Urgency, born, day, moment


def sick_note(viewer: Viewer, note_id: UUID, _variant: str = "") -> Source:
    """A sick note that holds. Raises NotFound, Conflict for one that was withdrawn."""
    row = selectors.sick_note(viewer, note_id)
    return _source(PaperKind.SICK_NOTE, row, facts_of(row.body, row.author, row.status), lambda: _sick_note(row))


def referral(viewer: Viewer, referral_id: UUID, _variant: str = "") -> Source:
    """A referral that holds. Raises NotFound, Conflict for one that was withdrawn."""
    row = selectors.referral(viewer, referral_id)
    return _source(PaperKind.REFERRAL, row, facts_of(row.body, row.author, row.status), lambda: _referral(row))


def _source(kind: str, row: LetterRow, facts: bytes, draw: Callable[[], Sheet]) -> Source:
    if row.status == "revoked":
        raise Conflict(_("This was withdrawn and is not printed any more."), code="revoked")
    return Source(
        kind=kind, subject_id=row.id, variant="", patient_id=row.patient_id, facility_id=row.facility_id,
        doctor_id=row.doctor_id, time_zone=row.time_zone, facts=facts, draw=draw, at=row.issued_at,
    )  # fmt: skip


def _sick_note(row: SickNoteRow) -> Sheet:
    body = row.body
    days = (body.last - body.first).days + 1
    pairs: list[tuple[str, Cell]] = [
        (_("From"), (Run(day(body.first), strong=True),)),
        (_("To, included"), (Run(day(body.last), strong=True), Run(_("(%(days)s days)") % {"days": days}, small=True))),
        (_("Kind"), _("Following an earlier note") if body.again else _("First note")),
        (_("Examined"), day(row.issued_at, row.time_zone)),
    ]
    blocks: list[Block] = [Banner(str(Unfit(body.unfit).label)), Pairs(tuple(pairs))]
    if body.adjustments:
        blocks.append(Text(tuple(body.adjustments.splitlines()), _("Adjustments at work")))
    if body.remark:
        blocks.append(Text(tuple(body.remark.splitlines()), _("Remark")))
    blocks.append(_sign(row))
    # No record number: whoever is given a sick note need not be able to ask for the record.
    who = (_("Name"), row.patient_name), (_("Born"), day(row.born))
    return Sheet(_("Sick note"), "", who, tuple(blocks))


def _referral(row: ReferralRow) -> Sheet:
    body = row.body
    blocks: list[Block] = []
    if body.urgency != Urgency.ROUTINE:
        blocks.append(Banner(str(Urgency(body.urgency).label)))
    to: list[tuple[str, Cell]] = [(_("To"), (Run(body.to, strong=True),))]
    if body.address:
        to.append((_("Address"), body.address))
    if body.allergies is None:
        allergies = _("not asked")
    else:
        allergies = ", ".join(body.allergies) or _("none known")
    to.append((_("Allergies"), (Run(allergies, strong=bool(body.allergies)),)))
    blocks.append(Pairs(tuple(to)))
    for title, text in (
        (_("Question"), body.question),
        (_("Diagnoses"), "\n".join(body.diagnoses)),
        (_("History and findings"), body.findings),
        (_("Medicines at present"), body.medicines),
    ):
        if text:
            blocks.append(Text(tuple(text.splitlines()), title))
    blocks.append(_sign(row))
    who = (
        (_("Patient"), row.patient_name), (_("Born"), born(row.born)), (_("Sex"), row.sex),
        (_("Record number"), row.mrn),
    )  # fmt: skip
    return Sheet(_("Referral"), "", who, tuple(blocks))


def _sign(row: LetterRow) -> Sign:
    return Sign(row.author, row.facility_name, moment(row.issued_at, row.time_zone))
