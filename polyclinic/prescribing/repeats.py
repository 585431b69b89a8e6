"""How often a prescription may be given again, and whether it may be now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core.errors import Conflict, Invalid
from polyclinic.medicines.rows import MedicineRow
from polyclinic.prescribing.models import Prescription
from polyclinic.prescribing.states import CANCELLED, DISPENSED, WAITING

MOST: Final = 11
MONTHS: Final = (3, 6, 12)
_MONTH: Final = timedelta(days=365) / 12


@dataclass(frozen=True, slots=True)
class Repeats:
    """So many times more, within so many months of the signature."""

    number: int = 0
    months: int = 6

    def check(self, medicines: Iterable[MedicineRow]) -> None:
        """Raise Invalid for what cannot be, and for controlled medicines: each of those takes a doctor who writes."""
        if not 0 <= self.number <= MOST:
            raise Invalid(_("A prescription is repeated at most 11 times."), field="repeats", maximum=MOST)
        if self.months not in MONTHS:
            raise Invalid(field="repeatMonths", possible=list(MONTHS))
        if self.number and any(one.controlled for one in medicines):
            raise Invalid(
                _("A controlled medicine is not repeated: write it anew each time."), code="controlled", field="repeats"
            )

    def until(self, today: date) -> date | None:
        """The last day on which a repeat may be asked for; None without repeats."""
        return today + timedelta(days=round(_MONTH.days * self.months)) if self.number else None


NONE: Final = Repeats()


def chain(row: Prescription) -> set[UUID]:
    """The prescription and its repeats: one course of the same medicines, not several beside each other."""
    if not row.repeats and row.repeat_of_id is None:
        return {row.pk}
    first = row.repeat_of_id or row.pk
    return {first, *Prescription.objects.filter(repeat_of_id=first).values_list("pk", flat=True)}


def used(row: Prescription) -> int:
    """How many repeats were signed and not taken back. One that nobody fetched has been used up all the same."""
    return sum(one.state != CANCELLED for one in row.repeated.all())


def require(row: Prescription, today: date) -> None:
    """Raise Conflict unless it may be given again today: it was picked up whole, and so was every repeat since."""
    if not row.repeats:
        raise Conflict(_("No repeats were prescribed. Ask for a visit."), code="no_repeats")
    if row.state != DISPENSED or any(one.state in WAITING for one in row.repeated.all()):
        raise Conflict(_("What was prescribed last is not picked up yet."), code="not_picked_up")
    if used(row) >= row.repeats:
        raise Conflict(_("All repeats are used. Ask for a visit."), code="no_repeats_left")
    if row.repeat_until is None or row.repeat_until < today:
        raise Conflict(_("The time for repeats is over. Ask for a visit."), code="repeats_over")
