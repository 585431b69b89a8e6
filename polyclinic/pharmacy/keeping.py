"""The shelves: what comes, what is corrected, what goes to another pharmacy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.facilities.models import Facility
from polyclinic.medicines.models import Medicine
from polyclinic.pharmacy import amounts, stock
from polyclinic.pharmacy.models import LOT, Batch, Delivery, Supplier, Transfer
from polyclinic.pharmacy.states import TRANSFER
from polyclinic.pharmacy.words import ADDING, DESTROYING, Kind, Why

MAX_LINES: Final = 100
# No pack is good for longer; a date beyond it is a typing mistake.
LONGEST: Final = timedelta(days=20 * 366)


@dataclass(frozen=True, slots=True)
class Came:
    """One line of a delivery. `unit_cost` is in the facility's currency, for one dispensing unit."""

    medicine_id: UUID
    lot: str
    expires: date
    quantity: Decimal
    unit_cost: Decimal = Decimal(0)


@transactional
def add_supplier(*, actor: Actor, facility_id: UUID, name: str, phone: str = "") -> Supplier:
    """Whom the pharmacy buys from; the same name again is the one there is. Raises Forbidden, Invalid (`supplier`)."""
    subject = Subject(facility_id=facility_id)
    policy.require(actor, "stock.receive", subject)
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        raise Invalid(_("Give the supplier a name of at most 120 characters."), field="supplier")
    if len(phone.strip()) > 32:
        raise Invalid(_("This text is longer than can be stored."), code="too_long", field="phone", maxLength=32)
    lock_keys([f"supplier:{facility_id}"])
    row, made = Supplier.objects.get_or_create(facility_id=facility_id, name=name, defaults={"phone": phone.strip()})
    if made:
        ledger.record(actor=actor, action="stock.supplier", row=row, subject=subject)
    return row


@transactional
def receive(*, actor: Actor, facility_id: UUID, supplier_id: UUID, reference: str, lines: Sequence[Came]) -> Delivery:
    """Put a delivery on the shelf, all of it or nothing. One delivery note is taken once.

    Raises NotFound, Forbidden, Invalid naming `reference` or `<field>-<number of the line>`, Conflict (`known_note`).
    """
    subject = Subject(facility_id=facility_id)
    policy.require(actor, "stock.receive", subject)
    supplier = Supplier.objects.filter(pk=supplier_id, facility_id=facility_id).first()
    if supplier is None:
        raise NotFound(field="supplier")
    reference = " ".join(reference.split())
    if not 1 <= len(reference) <= 60:
        raise Invalid(_("Write the number of the delivery note, at most 60 characters."), field="reference")
    if not 1 <= len(lines) <= MAX_LINES:
        raise Invalid(_("Write at least one line, and at most a hundred."), code="required", field="lines")
    today = stock.today(facility_id)
    for number, line in enumerate(lines):
        check(line, number, today)
    made = Delivery(facility_id=facility_id, supplier=supplier, reference=reference, received_by=actor.label)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            _("This delivery note has been entered already."), code="known_note", field="reference"
        ) from None
    stock.hold(facility_id, [line.medicine_id for line in lines])
    for line in lines:
        stock.put(
            facility_id, line.medicine_id, _lot(line.lot), line.expires, amounts.hundredths_of(line.quantity),
            Kind.RECEIVE, actor=actor, source_id=made.pk, unit_cost=line.unit_cost,
        )  # fmt: skip
    ledger.record(
        actor=actor, action="stock.receive", row=made, subject=subject, detail={"lines": len(lines)}
    )  # fmt: skip
    stock.told(facility_id, [line.medicine_id for line in lines])
    return made


@transactional
def adjust(
    *, actor: Actor, batch_id: UUID, difference: Decimal, why: str, note: str = "", seen: int | None = None
) -> Batch:
    """Correct a batch by so much (less than nothing takes off), with the reason. `seen`: its movements last seen.

    Raises NotFound, Forbidden, Invalid (`difference`, `why`), Conflict (`moved`, `out_of_stock`).
    """
    batch = _batch(actor, batch_id)
    subject = Subject(facility_id=batch.facility_id)
    policy.require(actor, "stock.adjust", subject)
    if why not in Why.values:
        raise Invalid(_("Say why."), code="required", field="why", possible=list(Why.values))
    if difference == 0:
        raise Invalid(_("Write by how much."), code="required", field="difference")
    if difference > 0 and why not in ADDING:
        raise Invalid(_("With this reason there can only be less than before."), field="difference")
    said = " ".join(note.split())
    if len(said) > 160:
        raise Invalid(_("This text is longer than can be stored."), code="too_long", field="note", maxLength=160)
    stock.hold(batch.facility_id, [batch.medicine_id])
    batch.refresh_from_db()
    if seen is not None and seen != batch.moves:
        raise Conflict(
            _("It has moved since you looked: there are %(there)s now. Look again.")
            % {"there": amounts.quantity(batch.hundredths)},
            code="moved", field="difference",
        )  # fmt: skip
    kind = Kind.WRITE_OFF if why in DESTROYING else Kind.ADJUST
    try:
        moved = stock.move(batch.pk, amounts.hundredths_of(difference), kind, actor=actor, why=why)
    except (Conflict, Invalid) as refused:
        refused.field = "difference"
        raise
    ledger.record(
        actor=actor, action="stock.adjust", row=moved, subject=subject, revision=moved.moves, reason=said,
        detail={"why": why, "difference": str(difference)},
    )  # fmt: skip
    stock.told(batch.facility_id, [batch.medicine_id])
    return moved


@transactional
def send(*, actor: Actor, batch_id: UUID, target_id: UUID, quantity: Decimal) -> Transfer:
    """Send part of a batch to another pharmacy: it leaves this shelf now and is on that one when it is received.

    Raises NotFound, Forbidden, Invalid (`target`, `quantity`), Conflict (`out_of_stock`).
    """
    batch = _batch(actor, batch_id)
    if target_id == batch.facility_id or not Facility.objects.filter(pk=target_id).exists():
        raise Invalid(_("Choose another hospital."), field="target")
    wanted = amounts.hundredths_of(quantity)
    if wanted <= 0:
        raise Invalid(_("Write how much is sent."), field="quantity")
    made = Transfer(
        batch=batch, source_id=batch.facility_id, target_id=target_id, hundredths=wanted, sent_by=actor.label
    )
    made.at = batch.facility_id
    ledger.create(TRANSFER, "send", made, actor=actor)
    stock.hold(batch.facility_id, [batch.medicine_id])
    try:
        stock.move(batch.pk, -wanted, Kind.TRANSFER_OUT, actor=actor, source_id=made.pk)
    except Conflict as refused:
        refused.field = "quantity"
        raise
    stock.told(batch.facility_id, [batch.medicine_id])
    return made


@transactional
def arrive(*, actor: Actor, transfer_id: UUID, version: int | None = None) -> Transfer:
    """What was sent is here and on the shelf. Raises NotFound, Forbidden, IllegalTransition, StaleEdit."""
    row = _transfer(actor, transfer_id)
    row.at = row.target_id
    ledger.apply(TRANSFER, "receive", row, actor=actor, version=version, changes={"closed_at": clock.now()})
    batch = row.batch
    stock.hold(row.target_id, [batch.medicine_id])
    stock.put(
        row.target_id, batch.medicine_id, batch.lot, batch.expires, row.hundredths, Kind.TRANSFER_IN, actor=actor,
        source_id=row.pk,
    )  # fmt: skip
    stock.told(row.target_id, [batch.medicine_id])
    return row


@transactional
def call_back(*, actor: Actor, transfer_id: UUID, version: int | None = None) -> Transfer:
    """What was sent never left, or came back: it is on our shelf again. Raises as `arrive`."""
    row = _transfer(actor, transfer_id)
    row.at = row.source_id
    ledger.apply(TRANSFER, "call_back", row, actor=actor, version=version, changes={"closed_at": clock.now()})
    stock.hold(row.source_id, [row.batch.medicine_id])
    stock.move(row.batch_id, row.hundredths, Kind.TRANSFER_IN, actor=actor, source_id=row.pk)
    stock.told(row.source_id, [row.batch.medicine_id])
    return row


def check(line: Came, number: int, today: date) -> None:
    """What the pack says must be possible. Raises Invalid naming the field of this line."""
    if not Medicine.objects.filter(pk=line.medicine_id).exists():
        raise NotFound(field=f"medicine-{number}")
    if not _lot(line.lot) or len(_lot(line.lot)) > LOT:
        raise Invalid(_("Write the lot number that is on the pack, at most 40 characters."), field=f"lot-{number}")
    if line.expires < today:
        raise Invalid(_("This is past its date. Send it back to the supplier."), code="expired",
                      field=f"expires-{number}")  # fmt: skip
    if line.expires > today + LONGEST:
        raise Invalid(_("This date is too far away. Look at the pack again."), field=f"expires-{number}")
    if not 0 < line.quantity <= amounts.MOST:
        raise Invalid(_("Write a number above 0 and up to a million."), field=f"quantity-{number}")
    if not 0 <= line.unit_cost < 10**9:
        raise Invalid(_("Write what one costs, for example 0.12."), field=f"cost-{number}")


def _lot(text: str) -> str:
    """As on the pack, in capitals: the same lot typed twice is one batch."""
    return " ".join(text.split()).upper()


def _batch(actor: Actor, batch_id: UUID) -> Batch:
    row = Batch.objects.filter(pk=batch_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "stock.view", Subject(facility_id=row.facility_id))
    return row


def _transfer(actor: Actor, transfer_id: UUID) -> Transfer:
    """A transfer from or to a place where the actor sees the stock."""
    row = Transfer.objects.select_for_update(of=("self",)).select_related("batch").filter(pk=transfer_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    if not any(
        policy.allowed(actor, "stock.view", Subject(facility_id=place)) for place in (row.source_id, row.target_id)
    ):
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    return row
