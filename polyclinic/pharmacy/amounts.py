"""Quantities as people write them. Inside, a quantity is a whole number of hundredths of the dispensing unit.

SQLite keeps decimals as floating point, where 0.3 less 0.1 is not 0.2: whole numbers are exact on both databases, so
that "is there enough?" is never answered wrongly by a rounding error.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Invalid

_ONE: Final = 100
# A million packs of a thousand; far below what a column holds.
MOST: Final = Decimal(1_000_000)


def hundredths_of(quantity: Decimal) -> int:
    """Hundredths of a unit. Raises Invalid for anything finer, which no measure of ours can count out."""
    scaled = quantity * _ONE
    if scaled != scaled.to_integral_value():
        raise Invalid(_("Write at most two decimals."), field="quantity")
    return int(scaled)


def quantity(hundredths: int) -> Decimal:
    """Units, without zeros that say nothing: 5 and never 5.000."""
    found = Decimal(hundredths) / _ONE
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found.normalize()


def read(text: str, field: str, *, zero: bool = False) -> Decimal:
    """A quantity that somebody typed: 12, 0.5 or 0,5 units.

    Raises Invalid naming `field` for what is no number, nothing at all (unless `zero`), or more than a million.
    """
    bare = text.strip().replace("\u00a0", "").replace(" ", "").replace(",", ".")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", bare):
        raise Invalid(_("Write a number, for example 20 or 0.5."), field=field)
    found = Decimal(bare)
    if found > MOST or (found == 0 and not zero):
        raise Invalid(_("Write a number above 0 and up to a million."), field=field, maximum=int(MOST))
    return found


def plain(value: Decimal) -> str:
    """0.5 and never .5; 5 and never 5.00."""
    return f"{value.normalize():f}"
