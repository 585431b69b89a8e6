"""What a value means beside its range and beside the value before: H, L, HH, LL, A, and the delta check. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid
from polyclinic.laboratory import units
from polyclinic.laboratory.catalogue import Test

_NUMBER: Final = re.compile(r"(<|>|<=|>=|≤|≥)?\s*([+-]?\d{1,7}(?:\.\d{1,4})?)", re.ASCII)


class Flag(StrEnum):
    """Interpretation as in HL7 v3 ObservationInterpretation."""

    NONE = ""
    LOW = "L"
    HIGH = "H"
    CRITICAL_LOW = "LL"
    CRITICAL_HIGH = "HH"
    ABNORMAL = "A"


CRITICAL: Final = frozenset({Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH})
NAMES: Final = {
    Flag.LOW: _("Low"),
    Flag.HIGH: _("High"),
    Flag.CRITICAL_LOW: _("Critically low"),
    Flag.CRITICAL_HIGH: _("Critically high"),
    Flag.ABNORMAL: _("Not as expected"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """A result as read: a number, perhaps only known to be below or above it, or the key of an answer."""

    number: Decimal | None = None
    beyond: str = ""  # "<" or ">"
    answer: str = ""

    def text(self) -> str:
        """As it is stored: plain and the same in every language."""
        return self.answer or f"{self.beyond}{self.number}"


def read(test: Test, text: str, *, field: str = "value") -> Value:
    """What somebody typed. Raises Invalid naming `field`: no number, more digits than the test gives, not possible."""
    text = text.strip()
    if test.answers:
        if text not in test.answers:
            raise Invalid(_("Choose one of the listed values."), field=field, possible=list(test.answers))
        return Value(answer=text)
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise Invalid(
            _("Write a number with a point and no comma, for example 4.2; below or above a limit as <0.1 or >500."),
            field=field, code="no_number",
        )  # fmt: skip
    number = Decimal(found[2])
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > test.decimals:
        raise Invalid(
            _("%(test)s is given with %(digits)s digits after the point.") % {"test": test.name,
            "digits": test.decimals}, field=field, code="too_exact",
        )  # fmt: skip
    low, high = test.possible
    if not low <= number <= high:
        raise Invalid(
            _("%(test)s of %(value)s %(unit)s is not possible. It lies between %(low)s and %(high)s.")
            % {"test": test.name, "value": number, "unit": units.shown(test.unit), "low": low, "high": high},
            field=field, code="not_possible",
        )  # fmt: skip
    beyond = {"≤": "<", "<=": "<", "≥": ">", ">=": ">"}.get(found[1] or "", found[1] or "")
    return Value(number, beyond)


def parse(text: str) -> Value:
    """A stored value."""
    sign = text[:1] if text[:1] in "<>" and text else ""
    try:
        return Value(Decimal(text.removeprefix(sign)), sign)
    except InvalidOperation:
        return Value(answer=text)


def flag(test: Test, value: Value, low: Decimal | None, high: Decimal | None) -> Flag:
    """The flag of a value. Both ends of a range are normal; a critical limit itself is critical.

    Below a limit of detection ("<0.1") it is flagged only where every number it can be would be: never by guess.
    """
    if test.answers:
        # Blood groups have no expected answer; elsewhere it is the first.
        expected = value.answer == test.answers[0] or test.code == "group"
        return Flag.NONE if expected else Flag.ABNORMAL
    number = value.number
    if number is None:
        return Flag.NONE
    if value.beyond != ">":
        if test.critical_low is not None and number <= test.critical_low:
            return Flag.CRITICAL_LOW
        if low is not None and (number < low or (value.beyond == "<" and number <= low)):
            return Flag.LOW
    if value.beyond != "<":
        if test.critical_high is not None and number >= test.critical_high:
            return Flag.CRITICAL_HIGH
        if high is not None and (number > high or (value.beyond == ">" and number >= high)):
            return Flag.HIGH
    return Flag.NONE


def delta(test: Test, value: Value, before: Value, days: float) -> bool:
    """Whether the change against a value of so many days ago is more than is likely: wrong tube, or news."""
    if test.delta is None or days > test.delta_days or value.number is None or before.number is None:
        return False
    if value.beyond or before.beyond:
        return False
    change = abs(value.number - before.number)
    if not test.delta_percent:
        return change > test.delta
    return before.number != 0 and change * 100 > test.delta * abs(before.number)
