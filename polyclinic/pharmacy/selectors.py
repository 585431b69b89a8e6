"""What the pharmacy lets people see of its shelves. Every function takes the viewer first.

Nothing here is about a patient; what is, stands in `counter`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Min, Q, Sum

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.errors import Invalid, NotFound, Unauthenticated
from polyclinic.medicines import selectors as medicines
from polyclinic.medicines.models import Medicine
from polyclinic.medicines.rows import MedicineRow
from polyclinic.people.models import Account
from polyclinic.pharmacy import prices, stock
from polyclinic.pharmacy.amounts import quantity
from polyclinic.pharmacy.models import Batch, Delivery, StockLevel, StockMove, StockTake, Supplier, Transfer
from polyclinic.pharmacy.rows import (
    BatchRow,
    CountedRow,
    DeliveryRow,
    MoveRow,
    StockRow,
    SupplierRow,
    TakeRow,
    TransferRow,
)
from polyclinic.pharmacy.states import OPEN

MAX_ROWS: Final = 300
SHOWS: Final = ("all", "low", "expiring", "expired", "unpriced")


def available(viewer: Viewer, facility_id: UUID, medicine_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """How many units of each there are that may be handed over today; 0 where there is none. Raises NotFound."""
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    return on_hand(facility_id, medicine_ids)


def on_hand(facility_id: UUID, medicine_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """As `available`, for what has asked for a right before. One question to the database."""
    wanted = list(set(medicine_ids))
    rows = Batch.objects.filter(
        facility_id=facility_id, medicine_id__in=wanted, expires__gte=stock.today(facility_id)
    ).values_list("medicine_id")
    found = dict(rows.annotate(Sum("hundredths")))
    return {key: quantity(found.get(key) or 0) for key in wanted}


def board(viewer: Viewer, facility_id: UUID, *, text: str = "", show: str = "all") -> list[StockRow]:
    """The shelves by medicine: those that are there or have a reorder point, or that a search names.

    `show`: all, low, expiring (within three months), expired or unpriced. Raises NotFound, Invalid.
    """
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    if show not in SHOWS:
        raise Invalid(field="show", possible=list(SHOWS))
    day = stock.today(facility_id)
    sums = _sums(facility_id, day)
    levels = {row.medicine_id: row for row in StockLevel.objects.filter(facility_id=facility_id)}
    known: dict[UUID, MedicineRow] = (
        {row.id: row for row in medicines.search(text, 50)} if text.strip() else medicines.many([*sums, *levels])
    )
    paid = prices.priced(facility_id, {one.price_code for one in known.values()})
    rows = [
        _stock_row(one, sums.get(one.id), levels.get(one.id), one.price_code in paid) for one in known.values()
    ]  # fmt: skip
    found = [row for row in rows if _shown(row, show)]
    return sorted(found, key=lambda row: (row.medicine.generic.casefold(), row.medicine.name))[:MAX_ROWS]


def _shown(row: StockRow, show: str) -> bool:
    match show:
        case "low":
            return row.low
        case "expiring":
            return row.short > 0
        case "expired":
            return row.expired > 0
        case "unpriced":
            return not row.priced
    return True


def figures(viewer: Viewer, facility_id: UUID) -> dict[str, int]:
    """How many medicines are low, run out soon, are past their date, or have no price."""
    rows = board(viewer, facility_id)
    return {
        "low": sum(row.low for row in rows),
        "expiring": sum(row.short > 0 for row in rows),
        "expired": sum(row.expired > 0 for row in rows),
        "unpriced": sum(not row.priced for row in rows),
    }


def of_medicine(viewer: Viewer, facility_id: UUID, medicine_id: UUID) -> StockRow:
    """One medicine at one pharmacy. Raises NotFound."""
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    sums = _sums(facility_id, stock.today(facility_id), medicine_id)
    level = StockLevel.objects.filter(facility_id=facility_id, medicine_id=medicine_id).first()
    row = medicines.medicine(medicine_id)
    return _stock_row(row, sums.get(medicine_id), level, bool(prices.priced(facility_id, [row.price_code])))


def batches(viewer: Viewer, facility_id: UUID, medicine_id: UUID | None = None) -> list[BatchRow]:
    """Batches with something in them, in the order in which they go. Raises NotFound."""
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    rows = Batch.objects.filter(facility_id=facility_id, hundredths__gt=0).select_related("medicine")
    if medicine_id is not None:
        rows = rows.filter(medicine_id=medicine_id)
    day = stock.today(facility_id)
    return [_batch(row, day) for row in rows.order_by("expires", "received_at", "pk")[: MAX_ROWS * 4]]


def batch(viewer: Viewer, batch_id: UUID) -> BatchRow:
    """One batch, an empty one too. Raises NotFound."""
    row = Batch.objects.select_related("medicine").filter(pk=batch_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "stock.view", Subject(facility_id=row.facility_id))
    return _batch(row, stock.today(row.facility_id))


def moves(viewer: Viewer, facility_id: UUID, medicine_id: UUID) -> list[MoveRow]:
    """The hundred last movements of a medicine, newest first. Raises NotFound."""
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    rows = list(
        StockMove.objects.filter(batch__facility_id=facility_id, batch__medicine_id=medicine_id)
        .select_related("batch")
        .order_by("-pk")[:100]
    )
    names = _names(row.actor for row in rows)
    return [
        MoveRow(
            id=row.pk, lot=row.batch.lot, kind=row.kind, why=row.why, quantity=quantity(row.hundredths),
            after=quantity(row.after), at=row.at, by=names.get(row.actor, ""),
        )
        for row in rows
    ]  # fmt: skip


def suppliers(viewer: Viewer, facility_id: UUID) -> list[SupplierRow]:
    """Whom a pharmacy buys from, by name. Raises NotFound."""
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    rows = Supplier.objects.filter(facility_id=facility_id).order_by("name")
    return [SupplierRow(id=row.pk, facility_id=facility_id, name=row.name, phone=row.phone) for row in rows]


def deliveries(viewer: Viewer, facility_id: UUID) -> list[DeliveryRow]:
    """The thirty last deliveries, newest first. Raises NotFound."""
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    rows = list(
        Delivery.objects.filter(facility_id=facility_id).select_related("supplier").order_by("-received_at")[:30]
    )
    many = dict(
        StockMove.objects.filter(source_id__in=[row.pk for row in rows]).values_list("source_id").annotate(Count("pk"))
    )
    return [
        DeliveryRow(
            id=row.pk, facility_id=facility_id, supplier=row.supplier.name, reference=row.reference,
            received_at=row.received_at, lines=many.get(row.pk, 0),
        )
        for row in rows
    ]  # fmt: skip


def transfers(viewer: Viewer, facility_id: UUID) -> list[TransferRow]:
    """What is on its way from or to a pharmacy, then the thirty last that arrived or went back. Raises NotFound."""
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    seen = Transfer.objects.filter(Q(source_id=facility_id) | Q(target_id=facility_id)).select_related(
        "batch__medicine", "source", "target"
    )
    rows = [
        *seen.filter(state="sent").order_by("sent_at"),
        *seen.exclude(state="sent").order_by("-sent_at")[:30],
    ]
    return [_transfer(row, facility_id) for row in rows]


def transfer(viewer: Viewer, transfer_id: UUID) -> TransferRow:
    """One transfer, for either side. Raises NotFound."""
    row = Transfer.objects.select_related("batch__medicine", "source", "target").filter(pk=transfer_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    for place in (row.target_id, row.source_id):
        if policy.allowed(viewer, "stock.view", Subject(facility_id=place)):
            return _transfer(row, place)
    raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()


def takes(viewer: Viewer, facility_id: UUID) -> list[TakeRow]:
    """Stock-takes, newest first, thirty at most. Raises NotFound."""
    policy.require_sight(viewer, "stock.view", Subject(facility_id=facility_id))
    rows = StockTake.objects.filter(facility_id=facility_id).select_related("facility").order_by("-started_at")[:30]
    return [_take(row) for row in rows.prefetch_related("lines")]


def take(viewer: Viewer, take_id: UUID) -> tuple[TakeRow, list[CountedRow]]:
    """A stock-take and its sheet: every batch with something in it, and every one that was counted. Raises NotFound."""
    row = StockTake.objects.select_related("facility").prefetch_related("lines").filter(pk=take_id).first()
    if row is None:
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
    policy.require_sight(viewer, "stock.view", Subject(facility_id=row.facility_id))
    lines = {line.batch_id: line for line in row.lines.all()}
    wanted = Q(pk__in=list(lines))
    if row.state == OPEN:
        wanted |= Q(facility_id=row.facility_id, hundredths__gt=0)
    rows = Batch.objects.filter(wanted).select_related("medicine").order_by("medicine__generic", "medicine__code")
    day = stock.today(row.facility_id)
    sheet = []
    for one in rows.order_by("medicine__generic", "medicine__strength_value", "expires", "lot")[: MAX_ROWS * 4]:
        line = lines.get(one.pk)
        sheet.append(
            CountedRow(
                batch=_batch(one, day),
                booked=quantity(line.booked_hundredths) if line else None,
                counted=quantity(line.counted_hundredths) if line else None,
                difference=quantity(line.counted_hundredths - line.booked_hundredths) if line else None,
            )
        )
    return _take(row), sheet


def _sums(facility_id: UUID, day: date, medicine_id: UUID | None = None) -> dict[UUID, dict[str, Any]]:
    """What is on the shelf by medicine, in one question: usable, past its date, running out soon."""
    rows = Batch.objects.filter(facility_id=facility_id, hundredths__gt=0)
    if medicine_id is not None:
        rows = rows.filter(medicine_id=medicine_id)
    usable = Q(expires__gte=day)
    found = rows.values("medicine_id").annotate(
        usable=Sum("hundredths", filter=usable),
        old=Sum("hundredths", filter=~usable),
        short=Sum("hundredths", filter=usable & Q(expires__lt=day + stock.SHORT_DATED)),
        first=Min("expires", filter=usable),
        many=Count("pk"),
    )
    return {row["medicine_id"]: dict(row) for row in found}


def _stock_row(medicine: MedicineRow, sums: dict[str, Any] | None, level: StockLevel | None, priced: bool) -> StockRow:
    found = sums or {}
    point = level.reorder_hundredths if level else 0
    return StockRow(
        medicine=medicine,
        available=quantity(found.get("usable") or 0),
        expired=quantity(found.get("old") or 0),
        short=quantity(found.get("short") or 0),
        next_expiry=found.get("first"),
        batches=found.get("many") or 0,
        reorder_point=quantity(point),
        low=point > 0 and (found.get("usable") or 0) <= point,
        version=level.version if level else 0,
        priced=priced,
    )


def stage_of(expires: date, day: date) -> str:
    """ "expired" past its date, "short" within three months of it, else ""."""
    if expires < day:
        return "expired"
    return "short" if expires < day + stock.SHORT_DATED else ""


def _batch(row: Batch, day: date) -> BatchRow:
    return BatchRow(
        id=row.pk, facility_id=row.facility_id, medicine_id=row.medicine_id, medicine=name_of(row.medicine),
        unit=row.medicine.unit, lot=row.lot, expires=row.expires, quantity=quantity(row.hundredths),
        unit_cost=row.unit_cost, moves=row.moves, stage=stage_of(row.expires, day),
    )  # fmt: skip


def name_of(row: Medicine) -> str:
    """The product in words, with its maker's name."""
    return f"{row} ({row.brand.upper()})" if row.brand else str(row)


def _transfer(row: Transfer, here: UUID) -> TransferRow:
    ours = "source" if row.source_id == here else "target"
    return TransferRow(
        id=row.pk, facility_id=row.source_id, source=row.source.name, target_id=row.target_id, target=row.target.name,
        medicine=name_of(row.batch.medicine), unit=row.batch.medicine.unit, lot=row.batch.lot,
        expires=row.batch.expires, quantity=quantity(row.hundredths), state=row.state, version=row.version,
        sent_at=row.sent_at, time_zone=(row.source if ours == "source" else row.target).time_zone, ours=ours,
    )  # fmt: skip


def _take(row: StockTake) -> TakeRow:
    lines = list(row.lines.all())
    return TakeRow(
        id=row.pk, facility_id=row.facility_id, facility_name=row.facility.name, time_zone=row.facility.time_zone,
        state=row.state, version=row.version, started_at=row.started_at, closed_at=row.closed_at, counted=len(lines),
        differing=sum(line.counted_hundredths != line.booked_hundredths for line in lines),
    )  # fmt: skip


def _names(labels: Any) -> dict[str, str]:  # noqa: ANN401 - an iterable of labels
    """The names behind the labels that movements keep."""
    wanted = {label for label in labels if label.startswith("account:")}
    rows = Account.objects.filter(pk__in=[label.removeprefix("account:") for label in wanted])
    return {f"account:{row.pk}": row.name for row in rows}
