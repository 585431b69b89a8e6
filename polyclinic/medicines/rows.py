"""What the formulary gives to its readers."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec


class MedicineRow(msgspec.Struct, frozen=True, rename="camel"):
    """One product. Amounts as in `medicines.models.Medicine`; `name` is the whole of it in words."""

    id: UUID
    code: str
    generic: str
    brand: str
    form: str
    form_name: str
    strength: str
    strength_value: Decimal | None
    strength_unit: str
    unit: str
    dose_unit: str
    doses_per_unit: Decimal | None
    route: str
    atc: str
    controlled: bool
    active: bool
    price_code: str
    name: str
    # The generic name as it is shown, with tall letters where two names are taken for each other.
    shown: str

    @property
    def substances(self) -> tuple[str, ...]:
        """The generic names of what is in it: one, or those of a combination."""
        return tuple(part.strip() for part in self.generic.split("+"))
