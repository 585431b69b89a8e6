"""How a line reads: one sentence, the same on the doctor's screen, on paper, at the pharmacy and for the patient.

Written so that it cannot be misread (after the ISMP's list of error-prone abbreviations and the WHO's "Medication
Safety in Transitions of Care"): whole words, a zero before and none after the decimal point, value and unit together.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup, escape

from polyclinic.medicines.rows import MedicineRow
from polyclinic.medicines.units import counted
from polyclinic.medicines.words import Route
from polyclinic.prescribing.words import FREQUENCIES

# A number and what it counts are never split at the end of a line.
_TIE = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """`str()` gives plain words; in a template it has the generic name in bold."""

    generic: str
    product: str
    directions: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.generic, self.product, "—", self.directions) if part)

    def __html__(self) -> str:
        return str(
            Markup("<b>{}</b> {} — {}").format(escape(self.generic), escape(self.product), escape(self.directions))
        )


def of(line: Any) -> Sentence:  # noqa: ANN401 - a LineRow, or a Line with its medicine (`of_parts`)
    """The sentence of a line that has been signed."""
    return of_parts(line.medicine, line)


def of_parts(medicine: MedicineRow, how: Any) -> Sentence:  # noqa: ANN401 - LineRow, LineBody or Line
    """The sentence for a medicine and how it is taken."""
    name = f" ({medicine.brand.upper()})" if medicine.brand else ""
    product = f"{medicine.strength.replace(' ', _TIE)} {medicine.form_name}{name}".strip()
    return Sentence(medicine.shown, product, directions(medicine, how))


def directions(medicine: MedicineRow, how: Any) -> str:  # noqa: ANN401 - LineRow, LineBody or Line
    """ "1 capsule by mouth three times a day for 7 days, if needed. Take with food." """
    frequency = FREQUENCIES[how.frequency]
    parts = [
        amount(how.dose, how.unit or medicine.dose_unit),
        str(Route(how.route or medicine.route).label),
        str(frequency.label),
    ]
    if how.days is not None and frequency.per_day is not None:
        parts.append(ngettext("for %(days)s day", "for %(days)s days", how.days) % {"days": how.days})
    said = " ".join(parts)
    if how.as_needed:
        said = _("%(directions)s, only when needed") % {"directions": said}
    return f"{said}. {how.note}" if how.note else said


def amount(value: Decimal, unit: str) -> str:
    """ "1 capsule", "2.5 mL", "½" never: "0.5 tablet"."""
    return f"{plain(value)}{_TIE}{counted(unit, value)}"


def plain(value: Decimal) -> str:
    """0.5 and never .5; 5 and never 5.0."""
    return f"{value.normalize():f}"
