"""Amounts as people read and write them. Inside, money is a whole number of the currency's smallest unit."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from django.utils import formats
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from polyclinic.core.errors import Invalid

# ISO 4217: currencies whose smallest unit is not a hundredth.
_NONE, _THREE = (
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
     "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
)  # fmt: skip
_DIGITS: Final = {**dict.fromkeys(_NONE, 0), **dict.fromkeys(_THREE, 3)}
# More than any hospital charges, and far below what a column holds.
MOST: Final = 10**13


def digits(currency: str) -> int:
    """How many decimal places the currency has."""
    return _DIGITS.get(currency, 2)


def plain(minor: int, currency: str) -> str:
    """12.50, with a point and no currency: for form fields and files."""
    return f"{Decimal(minor).scaleb(-digits(currency)):.{digits(currency)}f}"


def shown(minor: int | None, currency: str) -> str:
    """EUR 1,234.50 as the active language writes numbers; a dash when there is none."""
    if minor is None:
        return "–"
    places = digits(currency)
    number = formats.number_format(Decimal(minor).scaleb(-places), places, use_l10n=True, force_grouping=True)
    return pgettext("an amount of money", "%(currency)s\u00a0%(number)s") % {"currency": currency, "number": number}


def read(text: str, currency: str, field: str = "amount") -> int:
    """The amount that somebody typed, in the smallest unit: 12.5, 12,50 and 1 200 are understood.

    Raises Invalid naming `field` for what is no amount, below zero, or finer than the currency.
    """
    bare = re.sub(r"[\s\u00a0\u202f'’]", "", text.strip().removeprefix(currency))
    # The last point or comma is the decimal one; one that stands before it only groups.
    whole, sign, rest = bare.rpartition("," if bare.rfind(",") > bare.rfind(".") else ".")
    joined = re.sub(r"[.,](?=\d{3}(\D|$))", "", whole) + "." + rest if sign else rest
    try:
        if not re.fullmatch(r"\d{1,12}(\.\d{0,3})?", joined):
            raise InvalidOperation
        amount = Decimal(joined).scaleb(digits(currency))
    except InvalidOperation:
        raise Invalid(_("Write an amount, for example 12.50."), field=field) from None
    if amount != amount.to_integral_value():
        raise Invalid(_("This currency has no such small amounts."), field=field)
    return int(amount)
