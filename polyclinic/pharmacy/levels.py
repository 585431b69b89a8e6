"""When there is little of a medicine: the reorder point, and telling whoever buys, once until there is enough again."""

from __future__ import annotations

from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Q, Sum

from polyclinic.core import clock, ledger
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Actor
from polyclinic.core.db import transactional
from polyclinic.core.errors import NotFound
from polyclinic.core.outbox import log
from polyclinic.facilities.models import Membership
from polyclinic.medicines.models import Medicine
from polyclinic.notify import actions as notices
from polyclinic.pharmacy import amounts, holding
from polyclinic.pharmacy.events import StockEnough, StockLow
from polyclinic.pharmacy.models import Batch, StockLevel

NOTICE: Final = "stock_low"
_BUYERS: Final = (Role.PHARMACIST, Role.MANAGER)


@transactional
def set_point(
    *, actor: Actor, facility_id: UUID, medicine_id: UUID, point: Decimal, version: int | None = None
) -> StockLevel:
    """Say from which quantity on a medicine is to be bought again; 0 is never.

    Raises NotFound, Forbidden, StaleEdit.
    """
    if not Medicine.objects.filter(pk=medicine_id).exists():
        raise NotFound(field="medicineId")
    holding.hold(facility_id, [medicine_id])
    row, _made = StockLevel.objects.get_or_create(facility_id=facility_id, medicine_id=medicine_id)
    ledger.change(
        row, {"reorder_hundredths": amounts.hundredths_of(point)}, permission="stock.adjust",
        subject=Subject(facility_id=facility_id), actor=actor, action="stock.reorder_point", version=version,
        detail={"medicine": str(medicine_id), "point": str(point)},
    )  # fmt: skip
    look(facility_id, medicine_id)
    return row


def look(facility_id: UUID, medicine_id: UUID) -> None:
    """Tell the buyers when it has become low; forget that they were told when there is enough.

    In the transaction of the movement. The UPDATE's WHERE makes one of two who look at once the teller.
    """
    level = StockLevel.objects.filter(facility_id=facility_id, medicine_id=medicine_id).first()
    if level is None:
        return
    there = Batch.objects.filter(
        facility_id=facility_id, medicine_id=medicine_id, expires__gte=holding.today(facility_id)
    ).aggregate(Sum("hundredths"))["hundredths__sum"]
    mine = StockLevel.objects.filter(pk=level.pk)
    if level.reorder_hundredths > 0 and (there or 0) <= level.reorder_hundredths:
        if mine.filter(low_since__isnull=True).update(low_since=clock.now()):
            log.append(StockLow(facility_id=facility_id, medicine_id=medicine_id))
            for account_id in _buyers(facility_id):
                notices.tell(account_id, NOTICE)
    elif mine.filter(low_since__isnull=False).update(low_since=None):
        log.append(StockEnough(facility_id=facility_id, medicine_id=medicine_id))


def sweep() -> int:
    """Look at every level again: packs grow too old without anybody moving them. Returns how many were looked at."""
    pairs = list(StockLevel.objects.filter(reorder_hundredths__gt=0).values_list("facility_id", "medicine_id"))
    for facility_id, medicine_id in pairs:
        _look_alone(facility_id, medicine_id)
    return len(pairs)


@transactional
def _look_alone(facility_id: UUID, medicine_id: UUID) -> None:
    look(facility_id, medicine_id)


def _buyers(facility_id: UUID) -> list[UUID]:
    held = Membership.objects.filter(facility_id=facility_id, role__in=_BUYERS, account__is_active=True)
    working = held.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=clock.now()))
    return list(dict.fromkeys(working.order_by("started_at", "pk").values_list("account_id", flat=True)))
