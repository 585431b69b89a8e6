"""Prescriptions."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from polyclinic.core.actors import Viewer
from polyclinic.papers.sheet import Banner, Block, Item, Items, Pairs, Run, Sheet, Sign, Source, facts_of
from polyclinic.papers.words import PaperKind, born, day, moment
from polyclinic.prescribing import selectors, sentences
from polyclinic.prescribing.rows import LineRow, PrescriptionRow


def prescription(viewer: Viewer, prescription_id: UUID, _variant: str = "") -> Source:
    """A prescription with what was given of it. Raises NotFound."""
    row = selectors.prescription(viewer, prescription_id)
    # What was given out is a fact of the paper: one that was used up must not look fresh at another pharmacy.
    return Source(
        kind=PaperKind.PRESCRIPTION, subject_id=row.id, variant="", patient_id=row.patient_id,
        facility_id=row.facility_id, doctor_id=row.doctor_id, time_zone=row.time_zone,
        facts=facts_of(row.label, row.state, row.valid_until, row.prescriber, [line_facts(one) for one in row.lines]),
        draw=lambda: _sheet(row), at=row.signed_at,
    )  # fmt: skip


def line_facts(one: LineRow) -> tuple[object, ...]:
    """What a line says in no language: the words of its sentence change with the reader's."""
    return (
        one.medicine.code, one.dose, one.unit, one.route, one.frequency, one.days, one.as_needed, one.note,
        one.substitution_allowed, one.quantity, one.dispensed, one.state,
    )  # fmt: skip


def items(lines: tuple[LineRow, ...]) -> tuple[Item, ...]:
    """Medicines as a numbered list: what it is, how it is taken, how much is given out."""
    return tuple(_item(one) for one in lines if one.state != "cancelled")


def _item(one: LineRow) -> Item:
    sentence = sentences.of(one)
    unit = one.medicine.unit
    much = _("Give out: %(amount)s") % {"amount": sentences.amount(one.quantity, unit)}
    if one.dispensed:
        much += " · " + _("given out already: %(amount)s") % {"amount": sentences.amount(one.dispensed, unit)}
    same = [] if one.substitution_allowed else [_("Do not replace by another product.")]
    return Item((Run(sentence.generic, strong=True), Run(sentence.product)), (sentence.directions, much, *same))


def _sheet(row: PrescriptionRow) -> Sheet:
    blocks: list[Block] = []
    if row.state in ("cancelled", "expired", "declined"):
        words = {"cancelled": _("Cancelled"), "expired": _("No longer valid"), "declined": _("Not wanted")}
        blocks.append(Banner(words[row.state], _("Nothing may be given out on this prescription.")))
    elif row.state == "dispensed":
        blocks.append(Banner(_("Given out"), _("Everything on this prescription has been given out.")))
    blocks += [
        Pairs((
            (_("Signed"), moment(row.signed_at, row.time_zone)), (_("Valid until"), day(row.valid_until)),
            *_repeats(row),
        )),
        Items(_("Medicines"), items(row.lines)),
        Sign(row.prescriber, _("Prescriber"), moment(row.signed_at, row.time_zone)),
    ]  # fmt: skip
    who = (
        (_("Patient"), row.patient_name), (_("Born"), born(row.born)), (_("Sex"), row.sex),
        (_("Record number"), row.mrn),
    )  # fmt: skip
    return Sheet(_("Prescription"), row.label, who, tuple(blocks))


def _repeats(row: PrescriptionRow) -> tuple[tuple[str, str], ...]:
    """What this paper is a repeat of, or how often it may be repeated: each time on a signature and a paper of its own,
    so that nobody gives twice on this one."""
    if row.repeat_of:
        return ((_("Repeat of"), row.repeat_of_label),)
    if not row.repeats or row.repeat_until is None:
        return ()
    said = _("up to %(num)s times until %(day)s, each on a new prescription of ours")
    return ((_("May be repeated"), said % {"num": row.repeats, "day": day(row.repeat_until)}),)
