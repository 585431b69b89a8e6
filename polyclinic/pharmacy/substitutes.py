"""Other products that may stand in for the one prescribed: the same substance, strength, form and route."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from polyclinic.medicines.models import Medicine


def same(one: Medicine, other: Medicine) -> bool:
    """Whether they hold the same amount of the same substance in the same form: only the maker and the name differ."""
    return _what(one) == _what(other)


def of(medicines: Iterable[Medicine]) -> dict[UUID, list[Medicine]]:
    """For each product those in use that may be handed over instead. One question to the database for all of them."""
    wanted = {one.pk: one for one in medicines}
    known = list(Medicine.objects.filter(generic__in={one.generic for one in wanted.values()}, active=True))
    return {key: [row for row in known if row.pk != key and same(one, row)] for key, one in wanted.items()}


def _what(row: Medicine) -> tuple[object, ...]:
    return (
        row.generic.casefold().strip(), row.form, row.route, row.unit, row.dose_unit, row.doses_per_unit,
        row.strength_value, row.strength_unit, "".join(row.strength.casefold().split()),
    )  # fmt: skip
