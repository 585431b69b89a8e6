"""The books: movements between accounts, and numbers without gaps. Called by billing's actions alone."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from django.conf import settings
from django.db.models import F

from polyclinic.billing.models import Books, Invoice, LedgerEntry, Payment, Refund, TillShift
from polyclinic.core import clock
from polyclinic.core.ids import new_id

Side = LedgerEntry.Side
Movement = tuple[str, str, int]
# Where the money of each way to pay is.
HELD_IN: Final = {
    Payment.Method.CASH: Side.CASH,
    Payment.Method.CARD: Side.CARD,
    Payment.Method.ONLINE: Side.ONLINE,
}


def currency_of(facility_id: UUID) -> str:
    """The currency a facility charges in."""
    found = Books.objects.filter(pk=facility_id).values_list("currency", flat=True).first()
    return found or settings.CURRENCY


def next_number(facility_id: UUID, series: Literal["invoices", "receipts"]) -> int:
    """The next number of a series. The row stays locked until the transaction ends: no gap, no number twice."""
    rows = Books.objects.filter(pk=facility_id)
    if not rows.update(**{series: F(series) + 1}):
        Books.objects.bulk_create([Books(facility_id=facility_id, currency=settings.CURRENCY)], ignore_conflicts=True)
        rows.update(**{series: F(series) + 1})
    return int(rows.values_list(series, flat=True).get())


def post(
    facility_id: UUID,
    currency: str,
    *movements: Movement,
    invoice: Invoice | None = None,
    payment: Payment | None = None,
    refund: Refund | None = None,
    till: TillShift | None = None,
) -> None:
    """Write movements (into, out of, amount) as one batch; those of nothing are left out."""
    batch, now = new_id(), clock.now()
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            batch=batch, at=now, facility_id=facility_id, debit=debit, credit=credit, amount_minor=amount,
            currency=currency, invoice=invoice, payment=payment, refund=refund, till=till,
        )
        for debit, credit, amount in movements
        if amount
    )  # fmt: skip
