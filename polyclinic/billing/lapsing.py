"""A charge for something that will not be done: nobody is asked for it any more, and what was paid waits to go back."""

from __future__ import annotations

from uuid import UUID

from polyclinic.billing import actions
from polyclinic.billing.models import Invoice, InvoiceLine, Payment
from polyclinic.billing.states import PENDING, VOID
from polyclinic.billing.sums import locked
from polyclinic.core.actors import Actor
from polyclinic.core.db import lock_keys, transactional


def hold(source_kind: str, source_id: UUID) -> None:
    """Let nobody else write to the invoice on which a thing is charged, until the transaction ends.

    For callers who change the thing itself first: a payment holds the invoice and then moves the thing, and two that
    take their locks in different orders would wait for each other.
    """
    found = _line(source_kind, source_id)
    if found is not None:
        lock_keys([f"invoice:{found.invoice_id}"])


@transactional
def lapse(*, actor: Actor, source_kind: str, source_id: UUID, reason: str) -> None:
    """Ask no more for a thing what is not paid of it: its line goes, and with the only line the invoice.

    What was paid of it stays until somebody gives it back. While a payment is under way nothing changes; whoever wants
    the rest of it asks again when that has failed (`hooks.on_failed`). Raises Forbidden.
    """
    line = _line(source_kind, source_id)
    if line is None:
        return
    row = locked(actor, line.invoice_id)
    # Read again: it may have been taken off while we waited for the lock.
    line = row.lines.filter(pk=line.pk, dropped_at__isnull=True).first()
    waits = Payment.objects.filter(invoice=row, state=PENDING).exists()
    if line is None or waits or row.state == VOID or row.due_minor < 1:
        return
    if _is_all(row, line) and row.paid_minor == row.refunded_minor:
        actions.void(actor=actor, invoice_id=row.pk, reason=reason)
    elif line.amount_minor <= row.due_minor:
        actions.drop(actor=actor, line_id=line.pk, reason=reason)
    else:
        # Paid in part: the line stays for the money that is there, and the rest of it is let go.
        actions.waive(actor=actor, line_id=line.pk, reason=reason)


def _line(source_kind: str, source_id: UUID) -> InvoiceLine | None:
    return InvoiceLine.objects.filter(source_kind=source_kind, source_id=source_id, dropped_at__isnull=True).first()


def _is_all(row: Invoice, line: InvoiceLine) -> bool:
    return not row.lines.filter(dropped_at__isnull=True).exclude(pk=line.pk).exists()
