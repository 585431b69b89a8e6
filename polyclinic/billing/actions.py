"""The write door of invoices: opening one, charging, and what makes it less."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.billing import books, money, notices, sums, taxes
from polyclinic.billing.models import Invoice, InvoiceLine, LedgerEntry, Price
from polyclinic.billing.paying import refund, take_payment
from polyclinic.billing.states import INVOICE, OPEN, SETTLED, VOID
from polyclinic.billing.sums import locked, move, reason_of, require_no_pending
from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.crypto import ring
from polyclinic.core.crypto.fields import Sealed, column
from polyclinic.core.db import lock_keys, transactional
from polyclinic.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from polyclinic.core.ids import parse_id
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Patient

__all__ = [
    "add_line", "charge", "discount", "drop", "open_invoice", "refund", "take_payment", "void", "waive", "write_off",
]  # fmt: skip

Side = LedgerEntry.Side
MOST_OF_ONE = 100_000
# What somebody at the desk put on an invoice: its source is the form it came from.
BY_HAND = "desk"


@transactional
def open_invoice(*, actor: Actor, facility_id: UUID, patient_id: UUID, subject_kind: str, subject_id: UUID) -> Invoice:
    """The invoice of one thing (a visit), begun now or there already.

    Raises Forbidden, Invalid naming `facility` or `patient`, Conflict when the thing is billed to somebody else.
    """
    policy.require(actor, "invoice.charge", Subject(patient_id=patient_id, facility_id=facility_id))
    lock_keys([f"invoice:{subject_kind}:{subject_id}"])
    rows = Invoice.objects.filter(subject_kind=subject_kind, subject_id=subject_id)
    found = rows.exclude(state=VOID).first()
    if found is not None:
        if (found.patient_id, found.facility_id) != (patient_id, facility_id):
            raise Conflict(_("This is billed to somebody else already."), code="billed_elsewhere")
        return found
    if not Facility.objects.filter(pk=facility_id).exists():
        raise Invalid(_("There is no such hospital."), field="facility")
    if not Patient.objects.filter(pk=patient_id).exists():
        raise Invalid(_("There is no such patient."), field="patient")
    made = Invoice(
        facility_id=facility_id, patient_id=patient_id, subject_kind=subject_kind, subject_id=subject_id,
        number=books.next_number(facility_id, "invoices"), currency=books.currency_of(facility_id),
    )  # fmt: skip
    ledger.create(INVOICE, "open", made, actor=actor)
    return made


@transactional
def charge(
    *,
    actor: Actor,
    invoice_id: UUID,
    source_kind: str,
    source_id: UUID,
    code: str = "",
    price: UUID | None = None,
    quantity: int = 1,
) -> InvoiceLine:
    """Add what the price list says for `code` (or the entry `price`). The same source again gives the line there is.

    Raises NotFound, Forbidden, Invalid (no_price; a bad quantity), Conflict (billed elsewhere, or the invoice is void).
    """
    row = locked(actor, invoice_id, f"source:{source_kind}:{source_id}")
    sums.require(row, "charge", actor)
    there = InvoiceLine.objects.filter(source_kind=source_kind, source_id=source_id, dropped_at__isnull=True).first()
    if there is not None:
        if there.invoice_id != row.pk:
            raise Conflict(_("This is on another invoice already."), code="billed_elsewhere")
        return there
    if not 1 <= quantity <= MOST_OF_ONE:
        raise Invalid(_("The quantity must be at least 1."), field="quantity", minimum=1, maximum=MOST_OF_ONE)
    listed = _price(row, code, price)
    amount = quantity * listed.amount_minor
    if row.total_minor + amount > money.MOST:
        raise Invalid(_("This is more than an invoice can hold."), field="quantity")
    made = InvoiceLine(
        invoice=row, code=listed.code, text=listed.name, kind=listed.kind, quantity=quantity,
        unit_minor=listed.amount_minor, tax_rate=listed.tax_rate,
        tax_minor=taxes.contained(amount, listed.tax_rate), source_kind=source_kind, source_id=source_id,
        added_by=actor.label,
    )  # fmt: skip
    # Nothing has happened to it yet: this is its first line, and the patient hears of it once.
    first = row.version == 1
    made.save(force_insert=True)
    movements, changes = taxes.charged(row, amount, made.tax_minor)
    books.post(row.facility_id, row.currency, *movements, invoice=row)
    move(row, "charge", changes, actor=actor)
    if first:
        notices.tell(row, "invoice_ready")
    return made


@transactional
def add_line(*, actor: Actor, invoice_id: UUID, price_id: UUID, quantity: int, key: str) -> InvoiceLine:
    """Charge a thing from the price list by hand. The same key is the same line, also when it was taken off since.

    Raises what `charge` raises, and Invalid (idempotency_key_reused) for a key used for another thing.
    """
    source = parse_id(key)
    if source is None:
        raise Invalid(_("This page is out of date. Reload and try again."), field="key")
    lock_keys([f"source:{BY_HAND}:{source}"])
    used = InvoiceLine.objects.select_related("invoice").filter(source_kind=BY_HAND, source_id=source).first()
    if used is None:
        return charge(
            actor=actor, invoice_id=invoice_id, source_kind=BY_HAND, source_id=source, price=price_id,
            quantity=quantity,
        )  # fmt: skip
    row = locked(actor, invoice_id)
    sums.require(row, "charge", actor)
    same = Price.objects.filter(pk=price_id, facility_id=row.facility_id, code=used.code).exists()
    if used.invoice_id != row.pk or used.quantity != quantity or not same:
        raise Invalid(
            _("This form was already used for another line. Open it again."), code="idempotency_key_reused", field="key"
        )
    return used


def _price(row: Invoice, code: str, price: UUID | None) -> Price:
    rows = Price.objects.filter(facility_id=row.facility_id, valid_to__isnull=True)
    found = (rows.filter(pk=price) if price else rows.filter(code=code)).first()
    if found is None:
        raise Invalid(
            _("There is no price for this in the list. A manager can add it."),
            code="no_price",
            field="code",
            given=code,
        )
    if found.currency != row.currency:
        raise Conflict(_("The price is in another currency than the invoice."), code="another_currency")
    return found


@transactional
def drop(*, actor: Actor, line_id: UUID, reason: str = "") -> Invoice:
    """Take a line off again: what it was for will not be done. Raises NotFound, Conflict when it has been paid."""
    line, row = _line(actor, line_id)
    if line.dropped_at is not None:
        return row
    sums.require(row, "drop", actor)
    require_no_pending(row)
    amount = line.amount_minor
    _require_owed(row, amount)
    InvoiceLine.objects.filter(pk=line.pk).update(dropped_at=clock.now())
    movements, changes = taxes.lessened(row, Side.CREDITED, amount, line.tax_minor)
    books.post(row.facility_id, row.currency, *movements, invoice=row)
    move(row, "drop", changes, actor=actor, reason=reason)
    return row


@transactional
def discount(*, actor: Actor, line_id: UUID, amount_minor: int, reason: str, version: int | None = None) -> Invoice:
    """Make one line cheaper by an amount. Raises NotFound, Forbidden, Invalid (`amount`, `reason`), Conflict."""
    line, row = _line(actor, line_id)
    sums.require(row, "discount", actor, version)
    why = reason_of(reason)
    if not 1 <= amount_minor <= line.amount_minor:
        raise Invalid(
            _("A discount is more than nothing and at most what the line comes to."), field="amount",
            maximum=line.amount_minor,
        )  # fmt: skip
    require_no_pending(row)
    _require_owed(row, amount_minor)
    movements, changes = taxes.lessened(row, Side.DISCOUNTS, amount_minor, _cheaper(line, amount_minor, why))
    books.post(row.facility_id, row.currency, *movements, invoice=row)
    move(row, "discount", changes, actor=actor, version=version, reason=why)
    return row


@transactional
def waive(
    *,
    actor: Actor,
    reason: str,
    invoice_id: UUID | None = None,
    line_id: UUID | None = None,
    version: int | None = None,
) -> Invoice:
    """Ask nothing for one line, or for all that is still owed. Who pays nothing counts as having paid.

    Raises NotFound, Forbidden, Invalid (`reason`), Conflict (nothing_owed, payment_pending).
    """
    if line_id is not None:
        line, row = _line(actor, line_id)
        lines, amount = [line], min(line.amount_minor, row.due_minor)
    elif invoice_id is not None:
        row = locked(actor, invoice_id)
        lines, amount = list(row.lines.filter(dropped_at__isnull=True).order_by("-pk")), row.due_minor
    else:
        raise Invalid(_("Say which invoice."), code="required", field="invoice")
    if row.state == OPEN:
        sums.require(row, "waive", actor, version)
    why = reason_of(reason)
    if amount < 1:
        raise Conflict(_("Nothing is owed on this."), code="nothing_owed")
    require_no_pending(row)
    left, tax = amount, 0
    for line in lines:
        part = min(left, line.amount_minor)
        if part:
            tax += _cheaper(line, part, why)
            left -= part
    movements, changes = taxes.lessened(row, Side.WAIVED, amount, tax)
    books.post(row.facility_id, row.currency, *movements, invoice=row)
    move(row, "waive", changes, actor=actor, version=version, reason=why)
    return row


@transactional
def write_off(*, actor: Actor, invoice_id: UUID, reason: str, version: int | None = None) -> Invoice:
    """Expect no longer to be paid what is owed. Raises NotFound, Forbidden, Invalid (`reason`), Conflict."""
    row = locked(actor, invoice_id)
    if row.state == OPEN:
        sums.require(row, "write_off", actor, version)
    why, amount = reason_of(reason), row.due_minor
    if amount < 1:
        raise Conflict(_("Nothing is owed on this."), code="nothing_owed")
    require_no_pending(row)
    books.post(row.facility_id, row.currency, (Side.WRITTEN_OFF, Side.RECEIVABLE, amount), invoice=row)
    sums_now = {"written_off_minor": row.written_off_minor + amount}
    move(row, "write_off", sums_now, actor=actor, version=version, reason=why)
    return row


@transactional
def void(*, actor: Actor, invoice_id: UUID, reason: str, version: int | None = None) -> Invoice:
    """Declare an invoice made in error: it keeps its number and counts no more, and its things can be billed anew.

    Raises NotFound, Forbidden, Invalid (`reason`), Conflict (refund_first, payment_pending).
    """
    row = locked(actor, invoice_id)
    why = reason_of(reason)
    require_no_pending(row)
    movements, changes = taxes.credited(row, row.due_minor)
    ledger.apply(INVOICE, "void", row, actor=actor, version=version, reason=why, changes=changes)
    row.lines.filter(dropped_at__isnull=True).update(dropped_at=clock.now())
    books.post(row.facility_id, row.currency, *movements, invoice=row)
    return row


def _line(actor: Actor, line_id: UUID) -> tuple[InvoiceLine, Invoice]:
    """A line and its invoice, held for this writer."""
    found = InvoiceLine.objects.filter(pk=line_id).values_list("invoice_id", flat=True).first()
    if found is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    row = locked(actor, found)
    # Read again: it may have changed while we waited for the lock.
    line = InvoiceLine.objects.get(pk=line_id)
    line.invoice = row
    return line, row


def _require_owed(row: Invoice, amount: int) -> None:
    if amount > row.due_minor or row.state not in (OPEN, SETTLED):
        raise Conflict(
            _("This has been paid already. Give the money back instead."), code="refund_first", dueMinor=row.due_minor
        )


def _cheaper(line: InvoiceLine, amount: int, why: str) -> int:
    """Take an amount off a line. Returns how much less tax is in it."""
    sealed: Sealed = column(InvoiceLine, "discount_reason").seal(line.pk, ring.patient(line.patient_id), why)
    line.discount_minor += amount
    before, line.tax_minor = line.tax_minor, taxes.contained(line.amount_minor, line.tax_rate)
    InvoiceLine.objects.filter(pk=line.pk).update(
        discount_minor=line.discount_minor, discount_reason=sealed, tax_minor=line.tax_minor
    )
    return before - line.tax_minor
