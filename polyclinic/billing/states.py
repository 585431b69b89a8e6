"""The state tables of invoices, payments, refunds and cash boxes."""

from __future__ import annotations

from typing import Any, Final, cast

from polyclinic.billing import events, rules
from polyclinic.core.access.policy import Subject
from polyclinic.core.ledger import Machine, Transition
from polyclinic.core.outbox.events import Event

OPEN, SETTLED, VOID = "open", "settled", "void"
PENDING, TAKEN, FAILED, SURPLUS = "pending", "taken", "failed", "surplus"
DONE, CLOSED = "done", "closed"


def _tell(kind: type[Event], row: Any) -> Event:  # noqa: ANN401 - a row of this app
    return cast("Any", kind).of(row)  # type: ignore[no-any-return]


def invoice_subject(row: Any) -> Subject:  # noqa: ANN401 - an Invoice
    """Whom an invoice is about and where it is owed."""
    return Subject(patient_id=row.patient_id, facility_id=row.facility_id)


def _of_invoice(row: Any) -> Subject:  # noqa: ANN401 - a Payment
    return invoice_subject(row.invoice)


_R = Transition
INVOICE: Final = Machine(
    name="invoice",
    model="billing.Invoice",
    subject=invoice_subject,
    tell=_tell,
    transitions=(
        _R(None, "open", OPEN, "invoice.charge", events.InvoiceOpened),
        _R(OPEN, "charge", OPEN, "invoice.charge", events.InvoiceChanged),
        # It grows with the visit: what was settled is owed again.
        _R(SETTLED, "charge", OPEN, "invoice.charge", events.InvoiceChanged),
        _R(OPEN, "drop", OPEN, "invoice.charge", events.InvoiceChanged),
        _R(SETTLED, "drop", SETTLED, "invoice.charge", events.InvoiceChanged),
        _R(OPEN, "discount", OPEN, "invoice.discount", events.InvoiceChanged),
        _R(OPEN, "waive", OPEN, "fee.waive", events.InvoiceChanged),
        _R(OPEN, "write_off", OPEN, "invoice.write_off", events.InvoiceChanged),
        _R(OPEN, "pay", OPEN, "payment.settle", events.InvoiceChanged),
        _R(OPEN, "refund", OPEN, "payment.refund", events.InvoiceChanged),
        _R(SETTLED, "refund", SETTLED, "payment.refund", events.InvoiceChanged),
        # What follows from such a step, whoever took it: the guard looks at the sums.
        _R(OPEN, "settle", SETTLED, "invoice.settle", events.InvoiceSettled, rules.nothing_owed),
        _R(SETTLED, "reopen", OPEN, "invoice.settle", events.InvoiceChanged, rules.something_owed),
        _R(OPEN, "void", VOID, "invoice.void", events.InvoiceVoided, rules.nothing_kept),
        _R(SETTLED, "void", VOID, "invoice.void", events.InvoiceVoided, rules.nothing_kept),
    ),
)

PAYMENT: Final = Machine(
    name="payment",
    model="billing.Payment",
    subject=_of_invoice,
    tell=_tell,
    transitions=(
        _R(None, "take", TAKEN, "payment.take", events.PaymentTaken),
        _R(None, "start", PENDING, "payment.take", events.PaymentStarted),
        _R(None, "start_online", PENDING, "payment.pay_online", events.PaymentStarted),
        _R(PENDING, "confirm", TAKEN, "payment.settle", events.PaymentTaken),
        # The provider has the money and the invoice was paid otherwise in the meantime.
        _R(PENDING, "confirm_surplus", SURPLUS, "payment.settle", events.PaymentTaken),
        _R(PENDING, "fail", FAILED, "payment.settle", events.PaymentFailed),
        # A provider can still take what was given up here.
        _R(FAILED, "confirm", TAKEN, "payment.settle", events.PaymentTaken),
        _R(FAILED, "confirm_surplus", SURPLUS, "payment.settle", events.PaymentTaken),
    ),
)

REFUND: Final = Machine(
    name="refund",
    model="billing.Refund",
    subject=lambda row: invoice_subject(row.payment.invoice),
    tell=_tell,
    transitions=(
        _R(None, "give", DONE, "payment.refund", events.PaymentRefunded),
        _R(None, "ask", PENDING, "payment.refund", events.RefundStarted),
        _R(PENDING, "finish", DONE, "payment.refund", events.PaymentRefunded),
        _R(PENDING, "fail", FAILED, "payment.refund", events.RefundFailed),
    ),
)

TILL: Final = Machine(
    name="till",
    model="billing.TillShift",
    subject=lambda row: Subject(facility_id=row.facility_id),
    tell=_tell,
    transitions=(
        _R(None, "open", OPEN, "till.use", events.TillOpened),
        _R(OPEN, "close", CLOSED, "till.use", events.TillClosed, rules.own_till),
    ),
)
