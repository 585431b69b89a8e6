"""Loads the first formulary. What a house has changed since is left as it is."""

from __future__ import annotations

import re
from decimal import Decimal

from django.db import transaction

from polyclinic.medicines.formulary import LINES
from polyclinic.medicines.models import Medicine

_APART = re.compile(r"[^0-9a-z.]+")


@transaction.atomic
def load() -> int:
    """Add the products that are not there yet, by their code. Returns how many; doing it again adds none."""
    known = set(Medicine.objects.values_list("code", flat=True))
    fresh = [row for row in products() if row.code not in known]
    # Two of these at once (two nodes starting) add each product once.
    Medicine.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def products() -> list[Medicine]:
    """The products of the list, not saved."""
    return [_product(line) for line in LINES.strip().splitlines()]


def _product(line: str) -> Medicine:
    cells = [cell.strip() for cell in line.split("|")]
    generic, brand, form, strength, amount, dose_unit, unit, doses, route, atc = cells[:10]
    value, _space, measure = amount.partition(" ")
    code = "-".join(part for part in (_slug(generic), _slug(strength), _slug(form)) if part)[:60]
    return Medicine(
        code=code, generic=generic, brand=brand, form=form, strength=strength,
        strength_value=Decimal(value) if value else None, strength_unit=measure, unit=unit, dose_unit=dose_unit,
        doses_per_unit=None if doses == "-" else Decimal(doses), route=route, atc=atc,
        controlled=cells[10:] == ["c"], price_code=f"med-{code}"[:40],
    )  # fmt: skip


def _slug(text: str) -> str:
    return _APART.sub("-", text.lower()).strip("-")
