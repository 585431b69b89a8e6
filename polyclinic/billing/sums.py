"""What every step of an invoice shares: finding it for one writer at a time, moving its sums, and what follows."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from polyclinic.billing import hooks
from polyclinic.billing.models import Invoice, Payment
from polyclinic.billing.states import INVOICE, OPEN, PENDING, SETTLED, invoice_subject
from polyclinic.core import clock, ledger
from polyclinic.core.access import policy
from polyclinic.core.actors import Actor, Person, SystemActor
from polyclinic.core.db import lock_keys
from polyclinic.core.errors import Conflict, Invalid, NotFound, StaleEdit, Unauthenticated


def locked(actor: Actor, invoice_id: UUID, *also: str) -> Invoice:
    """The invoice, with nobody else writing to it until the transaction ends. Raises NotFound for a foreign one.

    `also` are further keys to hold, taken together so that two writers cannot wait for each other.
    """
    lock_keys([f"invoice:{invoice_id}", *also])
    return seen(actor, invoice_id)


def seen(actor: Actor, invoice_id: UUID) -> Invoice:
    """The invoice as it is at this moment. Raises NotFound for a foreign one."""
    row = Invoice.objects.filter(pk=invoice_id).first()
    if row is None:
        raise NotFound() if isinstance(actor, Person | SystemActor) else Unauthenticated()
    policy.require_sight(actor, "invoice.settle", invoice_subject(row))
    return row


def require(row: Invoice, action: str, actor: Actor, version: int | None = None) -> None:
    """Raise now what `move` would raise later: a refusal must leave no line and no movement behind, even where
    somebody catches it inside a transaction of theirs."""
    if version is not None and version != row.version:
        raise StaleEdit(version=row.version)
    policy.require(actor, INVOICE.row(row.state, action).who, invoice_subject(row))


def move(
    row: Invoice, action: str, sums: dict[str, int], *, actor: Actor, version: int | None = None, reason: str = ""
) -> None:
    """Take the invoice one step with its new sums; then it is settled or owed again as they say."""
    ledger.apply(INVOICE, action, row, actor=actor, version=version, changes=sums, reason=reason)
    if row.state == OPEN and row.due_minor == 0 and row.lines.filter(dropped_at__isnull=True).exists():
        ledger.apply(INVOICE, "settle", row, actor=actor, changes={"settled_at": clock.now()})
        hooks.settled(row.subject_kind, actor, row.subject_id)
    elif row.state == SETTLED and row.due_minor > 0:
        ledger.apply(INVOICE, "reopen", row, actor=actor, changes={"settled_at": None})


def pending_minor(row: Invoice) -> int:
    """What has been asked of a card or a bank for this invoice and is not there yet."""
    return sum(Payment.objects.filter(invoice=row, state=PENDING).values_list("amount_minor", flat=True))


def require_no_pending(row: Invoice) -> None:
    """What is owed may not shrink below what a bank is just taking."""
    if Payment.objects.filter(invoice=row, state=PENDING).exists():
        raise Conflict(
            _("A payment for this invoice is under way. Wait for it or give it up first."), code="payment_pending"
        )


def reason_of(text: str) -> str:
    """A reason in words, which these steps must have. Raises Invalid naming `reason`."""
    kept = text.strip()
    if not kept:
        raise Invalid(_("Say why."), code="required", field="reason")
    if len(kept) > 200:
        raise Invalid(_("Please keep it under 200 characters."), code="too_long", field="reason", maxLength=200)
    return kept
