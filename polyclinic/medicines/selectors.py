"""Reading the formulary. It holds nothing about anybody, so nobody needs a right to read it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from polyclinic.core.errors import NotFound
from polyclinic.medicines.models import Medicine
from polyclinic.medicines.rows import MedicineRow
from polyclinic.medicines.tallman import tall

MAX_FOUND = 50


def row(found: Medicine) -> MedicineRow:
    """A product as readers see it."""
    return MedicineRow(
        id=found.pk, code=found.code, generic=found.generic, brand=found.brand, form=found.form,
        form_name=str(found.get_form_display()), strength=found.strength, strength_value=found.strength_value,
        strength_unit=found.strength_unit, unit=found.unit, dose_unit=found.dose_unit,
        doses_per_unit=found.doses_per_unit, route=found.route, atc=found.atc, controlled=found.controlled,
        active=found.active, price_code=found.price_code, name=str(found), shown=tall(found.generic),
    )  # fmt: skip


def medicine(medicine_id: UUID) -> MedicineRow:
    """One product, also one that is not in use any more. Raises NotFound."""
    found = Medicine.objects.filter(pk=medicine_id).first()
    if found is None:
        raise NotFound(field="medicineId")
    return row(found)


def many(ids: Collection[UUID]) -> dict[UUID, MedicineRow]:
    """Products by id; what there is not is left out. One question to the database."""
    wanted = set(ids)
    return {found.pk: row(found) for found in Medicine.objects.filter(pk__in=wanted)} if wanted else {}


def search(text: str, limit: int = 20) -> list[MedicineRow]:
    """Products in use whose name, brand, strength or ATC code holds every word of `text`.

    What begins with the first word comes first, then alphabetically and by strength.
    """
    words = text.split()[:6]
    if not words:
        return []
    query = Medicine.objects.filter(active=True)
    for word in words:
        query = query.filter(
            Q(generic__icontains=word) | Q(brand__icontains=word) | Q(strength__icontains=word)
            | Q(form__icontains=word) | Q(atc__istartswith=word)
        )  # fmt: skip
    found = sorted(
        query[:200],
        key=lambda one: (
            not one.generic.casefold().startswith(words[0].casefold()),
            one.generic,
            one.strength_value or 0,
        ),
    )
    return [row(one) for one in found[: min(limit, MAX_FOUND)]]


def formulary() -> list[MedicineRow]:
    """Every product in use, by name and strength."""
    return [row(one) for one in Medicine.objects.filter(active=True)]
