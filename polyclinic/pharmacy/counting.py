"""Stock-takes: count, see the differences, post them. The pharmacy goes on working meanwhile.

A count is compared with what the books said when it was written down, and only the difference is posted: what was
handed over or came in between stays counted once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.pharmacy import amounts, stock
from polyclinic.pharmacy.models import Batch, CountLine, StockTake
from polyclinic.pharmacy.states import OPEN, STOCK_TAKE
from polyclinic.pharmacy.words import Kind


@dataclass(frozen=True, slots=True)
class Count:
    """So many of a batch are there. `seen` is the number of its movements when the shelf was looked at."""

    quantity: Decimal
    seen: int | None = None


@transactional
def start(*, actor: Actor, facility_id: UUID) -> StockTake:
    """Begin a stock-take, or give the one that is going on. Raises Forbidden."""
    policy.require(actor, "stock.count", Subject(facility_id=facility_id))
    lock_keys([f"stocktake:{facility_id}"])
    there = StockTake.objects.filter(facility_id=facility_id, state=OPEN).first()
    if there is not None:
        return there
    made = StockTake(facility_id=facility_id, started_by=actor.label)
    ledger.create(STOCK_TAKE, "start", made, actor=actor)
    return made


@transactional
def count(*, actor: Actor, take_id: UUID, counts: Mapping[UUID, Count]) -> StockTake:
    """Write down what is there, by batch; counting again replaces the first count.

    Several people count different shelves at once, so no version is asked for: who counts a batch last is right.
    Raises NotFound, Forbidden, IllegalTransition, Invalid, Conflict (`moved`) naming `count-<batch>`.
    """
    row = _take(actor, take_id)
    if not counts:
        raise Invalid(_("Write at least one count."), code="required", field="counts")
    ledger.apply(STOCK_TAKE, "count", row, actor=actor)
    batches = {one.pk: one for one in Batch.objects.filter(facility_id=row.facility_id, pk__in=list(counts))}
    stock.hold(row.facility_id, [one.medicine_id for one in batches.values()])
    # Read again under the lock: what stands in the books at this moment is what the count is compared with.
    batches = {one.pk: one for one in Batch.objects.filter(pk__in=list(batches))}
    for batch_id, counted in counts.items():
        batch = batches.get(batch_id)
        if batch is None:
            raise NotFound(field=f"count-{batch_id}")
        if not 0 <= counted.quantity <= amounts.MOST:
            raise Invalid(_("Write how many are there, from 0 up to a million."), field=f"count-{batch_id}")
        if counted.seen is not None and counted.seen != batch.moves:
            raise Conflict(
                _("Lot %(lot)s moved while it was counted. Count it again.") % {"lot": batch.lot}, code="moved",
                field=f"count-{batch_id}",
            )  # fmt: skip
        CountLine.objects.update_or_create(
            take=row, batch=batch,
            defaults={
                "booked_hundredths": batch.hundredths, "counted_hundredths": amounts.hundredths_of(counted.quantity),
                "counted_at": clock.now(), "counted_by": actor.label,
            },
        )  # fmt: skip
    return row


@transactional
def post(*, actor: Actor, take_id: UUID, version: int | None = None) -> StockTake:
    """Correct the books by every difference that was found. Batches that nobody counted stay as they are.

    Raises NotFound, Forbidden, IllegalTransition, StaleEdit, Conflict (`nothing_counted`; `out_of_stock` naming the
    batch when more is missing than there is by now: count that one again).
    """
    row = _take(actor, take_id)
    lines = list(row.lines.select_related("batch").order_by("batch_id"))
    if not lines:
        raise Conflict(_("Nothing has been counted yet."), code="nothing_counted")
    ledger.apply(STOCK_TAKE, "post", row, actor=actor, version=version, changes={"closed_at": clock.now()})
    off = [line for line in lines if line.counted_hundredths != line.booked_hundredths]
    stock.hold(row.facility_id, [line.batch.medicine_id for line in off])
    for line in off:
        try:
            stock.move(
                line.batch_id, line.counted_hundredths - line.booked_hundredths, Kind.COUNT, actor=actor,
                source_id=row.pk,
            )  # fmt: skip
        except Conflict as refused:
            refused.field = f"count-{line.batch_id}"
            raise
    stock.told(row.facility_id, [line.batch.medicine_id for line in off])
    return row


@transactional
def give_up(*, actor: Actor, take_id: UUID, version: int | None = None) -> StockTake:
    """Leave the books as they are. Raises NotFound, Forbidden, IllegalTransition, StaleEdit."""
    row = _take(actor, take_id)
    ledger.apply(STOCK_TAKE, "give_up", row, actor=actor, version=version, changes={"closed_at": clock.now()})
    return row


def _take(actor: Actor, take_id: UUID) -> StockTake:
    row = StockTake.objects.select_for_update().filter(pk=take_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "stock.view", Subject(facility_id=row.facility_id))
    return row
