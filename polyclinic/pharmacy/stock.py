"""The one place where a quantity changes: a guarded UPDATE and its row in the ledger, in one transaction.

Three things keep a batch from going below nothing, and each suffices alone: the advisory lock on the medicine, under
which quantities are read; the `WHERE` of the UPDATE; the CHECK in the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from polyclinic.core.actors import Actor
from polyclinic.core.errors import Conflict
from polyclinic.core.outbox import log
from polyclinic.pharmacy import holding, levels
from polyclinic.pharmacy.amounts import quantity
from polyclinic.pharmacy.events import StockChanged
from polyclinic.pharmacy.models import Batch, StockMove

# A batch with less time than this is pointed out, so that it goes first and is not thrown away.
SHORT_DATED: Final = timedelta(days=90)
hold: Final = holding.hold
today: Final = holding.today


@dataclass(frozen=True, slots=True)
class Part:
    """So much of one batch."""

    batch: Batch
    hundredths: int


def usable(facility_id: UUID, medicine_id: UUID) -> list[Batch]:
    """Batches that may be handed over today, in the order in which they go: first expired, first out."""
    rows = Batch.objects.filter(
        facility_id=facility_id, medicine_id=medicine_id, hundredths__gt=0, expires__gte=today(facility_id)
    )
    return list(rows.order_by("expires", "received_at", "pk"))


def plan(facility_id: UUID, medicine_id: UUID, wanted: int) -> list[Part]:
    """Which batches give `wanted` hundredths of a unit. Raises Conflict (`out_of_stock`, with what there is)."""
    parts: list[Part] = []
    left = wanted
    for batch in usable(facility_id, medicine_id):
        taken = min(left, batch.hundredths)
        parts.append(Part(batch, taken))
        left -= taken
        if left == 0:
            return parts
    raise out_of_stock(medicine_id, wanted - left)


def out_of_stock(medicine_id: UUID, there: int) -> Conflict:
    """The refusal of what is more than there is."""
    return Conflict(
        _("There is not that much in stock: %(there)s can be handed over.") % {"there": quantity(there)},
        code="out_of_stock", medicineId=str(medicine_id), available=str(quantity(there)),
    )  # fmt: skip


def move(
    batch_id: UUID, hundredths: int, kind: str, *, actor: Actor, why: str = "", source_id: UUID | None = None
) -> Batch:
    """Change one batch by so much and write it down. Raises Conflict (`out_of_stock`) when there is less than that."""
    changed = Batch.objects.filter(pk=batch_id, hundredths__gte=-hundredths).update(
        hundredths=F("hundredths") + hundredths, moves=F("moves") + 1
    )
    batch = Batch.objects.get(pk=batch_id)
    if changed != 1:
        raise out_of_stock(batch.medicine_id, batch.hundredths)
    StockMove.objects.create(
        batch=batch, number=batch.moves, kind=kind, why=why, hundredths=hundredths, after=batch.hundredths,
        source_id=source_id, actor=actor.label,
    )  # fmt: skip
    return batch


def take(
    facility_id: UUID, medicine_id: UUID, wanted: int, kind: str, *, actor: Actor, source_id: UUID | None = None
) -> list[Part]:
    """Take so much of a medicine from the shelf, first expired first. The caller holds the medicine."""
    parts = plan(facility_id, medicine_id, wanted)
    for part in parts:
        move(part.batch.pk, -part.hundredths, kind, actor=actor, source_id=source_id)
    return parts


def put(
    facility_id: UUID, medicine_id: UUID, lot: str, expires: date, hundredths: int, kind: str, *, actor: Actor,
    source_id: UUID | None = None, unit_cost: Decimal | None = None,
) -> Batch:  # fmt: skip
    """Put so much on the shelf, to the batch there is of this lot and date or to a new one."""
    batch, _made = Batch.objects.get_or_create(
        facility_id=facility_id, medicine_id=medicine_id, lot=lot, expires=expires,
        defaults={"unit_cost": unit_cost or Decimal(0)},
    )  # fmt: skip
    if unit_cost is not None and batch.unit_cost != unit_cost:
        Batch.objects.filter(pk=batch.pk).update(unit_cost=unit_cost)
    return move(batch.pk, hundredths, kind, actor=actor, source_id=source_id)


def told(facility_id: UUID, medicine_ids: Iterable[UUID]) -> None:
    """Say that these medicines' stock changed, and look whether one has become low. Last thing of every action."""
    for medicine_id in sorted(set(medicine_ids)):
        log.append(StockChanged(facility_id=facility_id, medicine_id=medicine_id))
        levels.look(facility_id, medicine_id)


def wrong() -> list[str]:
    """Batches whose quantity is not the sum of their movements, or whose movements are not all there.

    Empty when the books are right. Reads two sums in the database, not the rows.
    """
    from django.db.models import Count, Max, Sum

    sums = {
        batch: (total, rows, last)
        for batch, total, rows, last in StockMove.objects.values("batch_id")
        .annotate(total=Sum("hundredths"), rows=Count("pk"), last=Max("number"))
        .values_list("batch_id", "total", "rows", "last")
    }
    found = []
    for pk, here, moves in Batch.objects.values_list("pk", "hundredths", "moves").iterator():
        total, rows, last = sums.get(pk, (0, 0, 0))
        if not (here == total >= 0 and moves == rows == last):
            found.append(f"batch {pk}: {quantity(here)} on the shelf, {quantity(total)} by {rows} of {moves} movements")
    return found
