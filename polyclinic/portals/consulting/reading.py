"""Reading what the forms of the prescription send."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.ids import parse_id
from polyclinic.prescribing.bodies import Line

# What is chosen with one press, by what is taken; everything else is typed.
DOSES: Final[dict[str, tuple[str, ...]]] = {
    "mL": ("2.5", "5", "7.5", "10", "15"),
    "puff": ("1", "2", "4"),
    "drop": ("1", "2", "3"),
    "unit": ("4", "8", "10", "12"),
    "tablet": ("0.5", "1", "2"),
}
DAYS: Final = ("1", "3", "5", "7", "10", "14", "30", "90")


def line_of(given: Mapping[str, str]) -> Line:
    """A line as the form of a medicine sends it. What is typed goes before what was pressed. Raises Invalid."""
    medicine = parse_id(given.get("medicine", ""))
    if medicine is None:
        raise NotFound()
    quantity = _text(given, "quantity")
    return Line(
        medicine_id=medicine,
        dose=_number(_text(given, "dose_other") or _text(given, "dose"), "dose", _("Write the dose as a number.")),
        frequency=_text(given, "frequency"),
        days=_days(_text(given, "days_other") or _text(given, "days")),
        route=_text(given, "route"),
        as_needed=given.get("as_needed") == "yes",
        note=given.get("note", "")[:400],
        substitution_allowed=given.get("no_substitute") != "yes",
        quantity=_number(quantity, "quantity", _("Write the quantity as a number.")) if quantity else None,
    )


def number_of(text: str, field: str = "draft") -> int:
    """A version that our own page has written into a form."""
    if text and not (text.isdecimal() and len(text) < 10):
        raise Invalid(_("This page is out of date. Reload and try again."), field=field)
    return int(text or 0)


def _text(given: Mapping[str, str], name: str) -> str:
    return given.get(name, "").strip()[:20]


def _days(text: str) -> int | None:
    if text in ("", "open"):
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 4:
        raise Invalid(_("Write the days as a whole number."), field="days")
    return int(text)


def _number(text: str, field: str, sentence: object) -> Decimal:
    try:
        found = Decimal(text.replace(",", ".")) if len(text) <= 8 else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or "e" in text.lower():
        raise Invalid(str(sentence), code="required" if not text else None, field=field)
    return found
