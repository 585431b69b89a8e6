"""The vital signs: code, unit, how finely they are read, and which values can be true.

Two limits. Outside `possible` no living patient was ever measured, so it is a slip of the hand and refused. Outside
`usual` it may be true and is rarely: whoever types it says that they have measured again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Vital:
    """One sign. `loinc` and `ucum` are its code and unit on the wire, `unit` what people read; limits are inclusive."""

    name: str
    label: Promise
    loinc: str
    ucum: str
    unit: str
    possible: tuple[Decimal, Decimal]
    usual: tuple[Decimal, Decimal]
    decimals: int = 0
    # What it is called when one sentence names many of them.
    spoken: Promise | None = None


def _vital(
    name: str, label: Promise, loinc: str, ucum: str, unit: str, possible: str, usual: str, decimals: int = 0
) -> Vital:
    """A sign with its limits written as "low high"."""
    low, high = map(Decimal, possible.split())
    from_, to = map(Decimal, usual.split())
    return Vital(name, label, loinc, ucum, unit, (low, high), (from_, to), decimals)


# Limits: wide enough for the sickest patient who is still measured, narrow enough to catch a digit too many, a
# comma forgotten (372 for 37.2) and Fahrenheit typed for Celsius (98 for 36.7).
VITALS: Final[tuple[Vital, ...]] = (
    _vital("respiration", _("Respiration rate"), "9279-1", "/min", "/min", "0 80", "6 50"),
    _vital("spo2", _("Oxygen saturation (SpO₂)"), "59408-5", "%", "%", "30 100", "75 100"),
    _vital("oxygen_flow", _("Oxygen given"), "3151-8", "L/min", "L/min", "0.5 70", "0.5 15", 1),
    _vital("systolic", _("Systolic blood pressure"), "8480-6", "mm[Hg]", "mmHg", "30 320", "70 230"),
    _vital("diastolic", _("Diastolic blood pressure"), "8462-4", "mm[Hg]", "mmHg", "10 220", "35 130"),
    _vital("pulse", _("Pulse"), "8867-4", "/min", "/min", "15 320", "35 180"),
    _vital("temperature", _("Temperature"), "8310-5", "Cel", "°C", "24 45", "34 41", 1),
    _vital("pain", _("Pain, 0 to 10"), "72514-3", "{score}", "/10", "0 10", "0 10"),
    _vital("weight", _("Weight"), "29463-7", "kg", "kg", "0.3 500", "2 200", 1),
    _vital("height", _("Height"), "8302-2", "cm", "cm", "20 260", "45 210"),
)
BY_NAME: Final = {vital.name: vital for vital in VITALS}


class Consciousness(models.TextChoices):
    """ACVPU: the first that fits, from the top (LOINC 80288-4)."""

    ALERT = "A", _("Alert")
    CONFUSION = "C", _("Confusion, new or worse")
    VOICE = "V", _("Responds to voice")
    PAIN = "P", _("Responds to pain")
    UNRESPONSIVE = "U", _("Unresponsive")


CONSCIOUSNESS_LOINC: Final = "80288-4"


def read(name: str, text: str) -> Decimal | None:
    """A value as somebody typed it; None for an empty one. A comma is a point.

    Raises Invalid naming the field: not a number, finer than the sign is read, or impossible.
    """
    text = text.strip().replace(",", ".")
    if not text:
        return None
    vital = BY_NAME[name]
    try:
        value = Decimal(text) if len(text) <= 8 else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or "e" in text.lower():
        raise Invalid(_("Write a number, for example %(example)s.") % {"example": _example(vital)}, field=name)
    if value != round(value, vital.decimals):
        said = _("Write whole numbers.") if vital.decimals == 0 else _("Write one decimal at most.")
        raise Invalid(said, code="too_fine", field=name)
    low, high = vital.possible
    if not low <= value <= high:
        raise Invalid(
            _("%(sign)s cannot be %(value)s: from %(low)s to %(high)s %(unit)s is possible.")
            % {"sign": vital.label, "value": value, "low": low, "high": high, "unit": vital.unit},
            code="impossible",
            field=name,
            possible=[str(low), str(high)],
        )
    return round(value, vital.decimals)


def _example(vital: Vital) -> str:
    return "36.8" if vital.decimals else "80"


def unusual(values: Mapping[str, Decimal]) -> list[str]:
    """Names of the values that are possible and rarely true, in the order of `VITALS`."""
    return [
        vital.name
        for vital in VITALS
        if vital.name in values and not vital.usual[0] <= values[vital.name] <= vital.usual[1]
    ]


def check(values: Mapping[str, Decimal], confirmed: Collection[str]) -> None:
    """Let pass what fits together and is usual, or has been confirmed by name. Raises Invalid naming the field."""
    systolic, diastolic = values.get("systolic"), values.get("diastolic")
    if (systolic is None) != (diastolic is None):
        lacking = "systolic" if systolic is None else "diastolic"
        raise Invalid(_("A blood pressure has two values."), code="required", field=lacking)
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        raise Invalid(
            _("The diastolic blood pressure must be below the systolic."), code="impossible", field="diastolic"
        )
    asked = [name for name in unusual(values) if name not in confirmed]
    if asked:
        raise Invalid(
            _("%(sign)s of %(value)s %(unit)s is unusual. Measure again; if it is true, say so and save again.")
            % {"sign": BY_NAME[asked[0]].label, "value": values[asked[0]], "unit": BY_NAME[asked[0]].unit},
            code="unusual",
            field=asked[0],
            unusual=asked,
        )


def written(name: str, value: Decimal) -> str:
    """A value as clinicians write it: 37.0 °C keeps its decimal, 5 kg does not, and never .5."""
    vital = BY_NAME[name]
    if name == "temperature":
        return f"{value:.1f}"
    return f"{value.normalize():f}" if vital.decimals else f"{value:.0f}"
