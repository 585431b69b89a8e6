"""A line as asked for, made whole: the medicine's own unit and route, and the quantity with the sum behind it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from polyclinic.core.errors import Invalid
from polyclinic.medicines import selectors as medicines
from polyclinic.medicines.rows import MedicineRow
from polyclinic.medicines.units import counted
from polyclinic.medicines.words import Route
from polyclinic.prescribing.bodies import Line
from polyclinic.prescribing.sentences import plain
from polyclinic.prescribing.words import FREQUENCIES

MAX_NOTE: Final = 200
MAX_DAYS: Final = 365
MAX_DOSE: Final = Decimal(1000)
MAX_QUANTITY: Final = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Written:
    """A whole line: its medicine, how it is taken, how many dispensing units, and how that was worked out."""

    medicine: MedicineRow
    line: Line
    quantity: Decimal
    sum_: str


def complete(line: Line, place: int = 0) -> Written:
    """The line made whole. `place` is its place in the list, for the name of the field at fault.

    Raises NotFound for an unknown medicine, Invalid naming the field.
    """
    at = f"lines.{place}."
    medicine = medicines.medicine(line.medicine_id)
    if not medicine.active:
        raise Invalid(gettext_lazy("This medicine is not in use any more. Choose another."), field=f"{at}medicineId")
    if line.frequency not in FREQUENCIES:
        raise Invalid(gettext_lazy("Choose how often it is taken."), field=f"{at}frequency", possible=list(FREQUENCIES))
    if not line.dose.is_finite() or not 0 < line.dose <= MAX_DOSE or line.dose != round(line.dose, 2):
        raise Invalid(
            gettext_lazy("Write the dose as a number from 0.01 to 1000, for example 1 or 2.5."), field=f"{at}dose"
        )
    if line.days is not None and not 1 <= line.days <= MAX_DAYS:
        raise Invalid(gettext_lazy("Write the days as a number from 1 to 365."), field=f"{at}days")
    route = line.route or medicine.route
    if route not in Route.values:
        raise Invalid(gettext_lazy("Choose one of the listed values."), field=f"{at}route", possible=Route.values)
    if line.unit not in ("", medicine.dose_unit):
        raise Invalid(
            gettext_lazy("This medicine is taken in another unit."), field=f"{at}unit", possible=[medicine.dose_unit]
        )
    note = " ".join(line.note.split())
    if len(note) > MAX_NOTE:
        raise Invalid(
            gettext_lazy("This text is longer than can be stored."), code="too_long", field=f"{at}note",
            maxLength=MAX_NOTE,
        )  # fmt: skip
    whole = msgspec.structs.replace(line, unit=medicine.dose_unit, route=route, note=note)
    counted_ = quantity_of(medicine, whole)
    if line.quantity is not None:
        if not line.quantity.is_finite() or not 0 < line.quantity <= MAX_QUANTITY:
            raise Invalid(gettext_lazy("Write how many are dispensed, from 1 to 10000."), field=f"{at}quantity")
        return Written(medicine, whole, line.quantity, "")
    if counted_ is None:
        raise Invalid(
            gettext_lazy("Write how many are dispensed: it does not follow from the dose."), code="required",
            field=f"{at}quantity",
        )  # fmt: skip
    return Written(medicine, whole, counted_, sum_of(medicine, whole, counted_))


def quantity_of(medicine: MedicineRow, line: Line) -> Decimal | None:
    """Dispensing units for the whole treatment, rounded up to whole ones (liquids too); None where it cannot be told.

    Once only needs no days. One tube, bottle or inhaler that is not counted in doses: one.
    """
    frequency = FREQUENCIES[line.frequency]
    if medicine.doses_per_unit is None:
        return Decimal(1)
    if frequency.per_day is None:
        doses = line.dose
    elif line.days is None:
        return None
    else:
        times = (frequency.per_day * line.days).quantize(Decimal("0.0001"))
        doses = line.dose * times.to_integral_value(ROUND_CEILING)
    return (doses / medicine.doses_per_unit).to_integral_value(ROUND_CEILING)


def sum_of(medicine: MedicineRow, line: Line, quantity: Decimal) -> str:
    """How the quantity was worked out: "1 capsule × 3 × 7 days = 21 capsules"."""
    frequency = FREQUENCIES[line.frequency]
    total = f"{plain(quantity)} {counted(medicine.unit, quantity)}"
    if medicine.doses_per_unit is None or frequency.per_day is None or line.days is None:
        return total
    dose = f"{plain(line.dose)} {counted(line.unit or medicine.dose_unit, line.dose)}"
    days = _("%(days)s days") % {"days": line.days} if line.days != 1 else _("1 day")
    if frequency.per_day == frequency.per_day.to_integral_value():
        times = f"× {plain(frequency.per_day)} × {days}"
    else:
        count = (frequency.per_day * line.days).quantize(Decimal("0.0001")).to_integral_value(ROUND_CEILING)
        times = f"× {plain(count)} ({frequency.label}, {days})"
    if medicine.doses_per_unit != 1:
        per = plain(medicine.doses_per_unit)
        return f"{dose} {times} ÷ {per} = {total}"
    return f"{dose} {times} = {total}"
