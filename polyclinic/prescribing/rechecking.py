"""What has come up against a prescription since its signature: allergies and medicines, asked again at the counter.

Whoever signed has decided about what they were shown; the reasons they gave are kept with the lines, by the warnings'
keys. What interrupts and has no reason there is new: an allergy that was told since, a medicine another doctor has
prescribed since. Doses, kidneys and pregnancy are the prescriber's: the counter may not read what they rest on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from polyclinic.core.db import lock_keys
from polyclinic.core.errors import Conflict, Invalid
from polyclinic.prescribing import checking, repeats
from polyclinic.prescribing.bodies import Line, Override, Settled
from polyclinic.prescribing.checking import MAX_REASON, Warning_
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.prescribing.patients import at_counter
from polyclinic.prescribing.rows import LineRow
from polyclinic.prescribing.selectors import line_row
from polyclinic.prescribing.writing import Written
from polyclinic.visits.models import Visit


def since(row: Prescription, lines: Iterable[PrescriptionLine]) -> dict[UUID, list[Warning_]]:
    """By line of `lines`, which are the prescription's: what interrupts and has no reason in them, the gravest first.

    For who has asked for the right to hand this prescription over. A few questions to the database, whatever it holds.
    """
    there = [one for line in lines if (one := line_row(line)) is not None]
    if not there:
        return {}
    patient = at_counter(row.patient_id)
    # What it repeats is the same course going on, not a second one beside it.
    course = repeats.chain(row)
    others = tuple(one for one in patient.taken if one.prescription_id not in course)
    decided = {said.key for line in there for said in line.overrides}
    found: dict[UUID, list[Warning_]] = {}
    for warning in checking.against_known(replace(patient, taken=others), [_written(line) for line in there]):
        if warning.interrupts and warning.key not in decided:
            found.setdefault(there[warning.place].id, []).append(_with_reason(warning, others))
    return found


def hold(row: Prescription) -> None:
    """Wait for an allergy or a signature that is being written just now: whoever comes second sees the first.

    Before anything else is locked, and in the order in which a signature locks: none waits for the other in a circle.
    """
    Visit.objects.select_for_update().get(pk=row.visit_id)
    lock_keys([f"allergies:{row.patient_id}", f"prescribe:{row.patient_id}"])


def settled(
    row: Prescription, lines: Iterable[PrescriptionLine], reasons: Mapping[str, str], spoken_with: str
) -> dict[UUID, Settled]:
    """What was agreed for the lines that are handed over, after `hold`; nothing where nothing has come up.

    Each new warning takes what was agreed (`reasons`, by key) and with whom. Raises Conflict (`new_warnings`), Invalid.
    """
    found = since(row, lines)
    if not found:
        return {}
    said = {key: " ".join(text.split()) for key, text in reasons.items()}
    who = " ".join(spoken_with.split())
    for key, text in {**{f"settled-{key}": text for key, text in said.items()}, "spoken": who}.items():
        if len(text) > MAX_REASON:
            raise Invalid(
                _("This text is longer than can be stored."), code="too_long", field=key, maxLength=MAX_REASON
            )  # fmt: skip
    open_ = [one.key for list_ in found.values() for one in list_ if not said.get(one.key)]
    if open_:
        raise Conflict(
            _(
                "Something has come up since the signature. Ask the prescriber and write down what was agreed, or "
                "decline."
            ),
            code="new_warnings",
            field=f"settled-{open_[0]}",
        )
    if not who:
        raise Invalid(_("Write down with whom you have spoken."), code="required", field="spoken")
    return {
        key: Settled(
            who, tuple(Override(one.key, one.tier, f"{one.title}: {one.says}", said[one.key]) for one in list_)
        )
        for key, list_ in found.items()
    }


def _with_reason(one: Warning_, others: tuple[LineRow, ...]) -> Warning_:
    """The warning with what whoever signed the other medicine later wrote about the pair: it helps those who decide."""
    for said in (said for line in others for said in line.overrides):
        if one.kind != "allergy" and said.key == one.key:
            reason = gettext("Reason given with the other prescription: %(reason)s") % {"reason": said.reason}
            return msgspec.structs.replace(one, says=f"{one.says} {reason}")
    return one


def asked(line: LineRow) -> Line:
    """The line as its prescriber asked for it."""
    return Line(
        line.medicine.id, line.dose, line.frequency, line.days, line.unit, line.route, line.as_needed, line.note,
        line.substitution_allowed, line.quantity,
    )  # fmt: skip


def _written(line: LineRow) -> Written:
    return Written(line.medicine, asked(line), line.quantity, "")
