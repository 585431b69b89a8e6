"""Invoices and receipts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from polyclinic.billing import money, selectors
from polyclinic.billing.rows import InvoiceRow, LineRow, PaymentRow
from polyclinic.core.actors import Viewer
from polyclinic.core.errors import Conflict
from polyclinic.papers.sheet import Banner, Block, Cell, Column, Pairs, Run, Sheet, Source, Table, facts_of
from polyclinic.papers.words import PaperKind, day, moment

_METHODS: Final[dict[str, str | Promise]] = {
    "cash": gettext_lazy("Cash"), "card": gettext_lazy("Card"), "online": gettext_lazy("Online"),
}  # fmt: skip
_CAME: Final = ("taken", "surplus")


def invoice(viewer: Viewer, invoice_id: UUID, _variant: str = "") -> Source:
    """An invoice as it stands: lines, what was paid and given back. Raises NotFound."""
    row = selectors.invoice(viewer, invoice_id)
    return _source(
        PaperKind.INVOICE, row.id, row, facts_of(*_said(row), [_paid(one) for one in _came(row)]), lambda: _invoice(row)
    )


def receipt(viewer: Viewer, payment_id: UUID, _variant: str = "") -> Source:
    """The receipt of one payment. Raises NotFound; Conflict while the money has not come."""
    payment = selectors.payment(viewer, payment_id)
    if payment.receipt is None:
        raise Conflict(_("Nothing was paid yet, so there is no receipt."), code="nothing_to_print")
    row = selectors.invoice(viewer, payment.invoice_id)
    facts = facts_of(row.number, row.currency, _paid(payment), [_line(one) for one in row.lines])
    return _source(PaperKind.RECEIPT, payment.id, row, facts, lambda: _receipt(row, payment))


def _source(kind: str, subject_id: UUID, row: InvoiceRow, facts: bytes, draw: Callable[[], Sheet]) -> Source:
    return Source(
        kind=kind, subject_id=subject_id, variant="", patient_id=row.patient_id, facility_id=row.facility_id,
        doctor_id=None, time_zone=row.time_zone, facts=facts, draw=draw, at=row.opened_at,
    )  # fmt: skip


def _said(row: InvoiceRow) -> tuple[object, ...]:
    return (
        row.number, "void" if row.status == "void" else "", row.currency, row.total_minor, row.paid_minor,
        row.refunded_minor, row.credited_minor, row.written_off_minor, row.tax_minor, [_line(one) for one in row.lines],
    )  # fmt: skip


def _line(one: LineRow) -> tuple[object, ...]:
    return one.code, one.text, one.quantity, one.unit_minor, one.amount_minor, one.tax_rate, one.dropped


def _paid(one: PaymentRow) -> tuple[object, ...]:
    return one.receipt, one.method, one.amount_minor, one.refunded_minor, one.taken_at


def _came(row: InvoiceRow) -> list[PaymentRow]:
    return [one for one in row.payments if one.status in _CAME]


def _who(row: InvoiceRow) -> tuple[tuple[str, str], ...]:
    return (
        (_("Patient"), row.patient_name),
        (_("Record number"), row.mrn),
        (_("Date"), day(row.opened_at, row.time_zone)),
    )


def _lines(row: InvoiceRow) -> Table:
    def price(minor: int) -> str:
        return money.shown(minor, row.currency)

    def what(one: LineRow) -> Cell:
        less = one.quantity * one.unit_minor - one.amount_minor
        more = [_("%(amount)s less") % {"amount": price(less)}] if less else []
        if one.tax_rate:
            more.append(_("%(rate)s %% tax included") % {"rate": f"{one.tax_rate / 100:g}"})
        return (Run(one.text), Run(" · ".join([one.code, *more]), small=True, below=True))

    return Table(
        title=_("What was done"),
        columns=(Column(_("What"), share=1), Column(_("Quantity"), "end"), Column(_("Each"), "end"),
                 Column(_("Amount"), "end")),
        rows=tuple(
            (what(one), str(one.quantity), price(one.unit_minor), price(one.amount_minor))
            for one in row.lines if not one.dropped
        ),
        foot=_sums(row),
    )  # fmt: skip


def _sums(row: InvoiceRow) -> tuple[tuple[str, str, bool], ...]:
    sums = [(_("Total"), row.total_minor, False)]
    if row.tax_minor:
        sums.append((_("of which tax"), row.tax_minor, False))
    sums += [
        (label, amount, False)
        for label, amount in (
            (_("Fell away"), -row.credited_minor), (_("Written off"), -row.written_off_minor),
            (_("Paid"), -row.paid_minor), (_("Given back"), row.refunded_minor),
        )
        if amount
    ]  # fmt: skip
    sums.append((_("Owed"), row.due_minor, True))
    return tuple((label, money.shown(amount, row.currency), sum_) for label, amount, sum_ in sums)


def _invoice(row: InvoiceRow) -> Sheet:
    blocks: list[Block] = []
    if row.status == "void":
        blocks.append(Banner(_("Void"), _("This invoice was made in error and counts no more.")))
    blocks.append(_lines(row))
    if came := _came(row):
        blocks.append(
            Table(
                title=_("Payments"),
                columns=(
                    Column(_("Receipt")), Column(_("When"), share=1), Column(_("How")), Column(_("Amount"), "end"),
                ),
                rows=tuple(
                    (str(one.receipt or "–"), moment(one.taken_at, row.time_zone), str(_METHODS[one.method]),
                     _net(one, row.currency))
                    for one in came
                ),
            )
        )  # fmt: skip
    return Sheet(_("Invoice"), _("No. %(number)s") % {"number": row.number}, _who(row), tuple(blocks))


def _net(one: PaymentRow, currency: str) -> Cell:
    paid = Run(money.shown(one.amount_minor, currency))
    if not one.refunded_minor:
        return (paid,)
    back = _("%(amount)s given back") % {"amount": money.shown(one.refunded_minor, currency)}
    return (paid, Run(back, small=True, below=True))


def _receipt(row: InvoiceRow, payment: PaymentRow) -> Sheet:
    pairs: list[tuple[str, Cell]] = [
        (_("Invoice"), str(row.number)),
        (_("Taken"), moment(payment.taken_at, row.time_zone)),
        (_("Paid"), str(_METHODS[payment.method])),
        (_("Amount"), (Run(money.shown(payment.amount_minor, row.currency), strong=True),)),
    ]
    if payment.refunded_minor:
        pairs.append((_("Given back"), money.shown(payment.refunded_minor, row.currency)))
    lines = _lines(row)
    # What is still owed moves on with the invoice; a receipt tells of one payment.
    lines = Table(lines.title, lines.columns, lines.rows)
    blocks = (Pairs(tuple(pairs)), lines)
    return Sheet(_("Receipt"), _("No. %(number)s") % {"number": payment.receipt}, _who(row), blocks)
