"""What a hospital's desk needs before it can bill: a price list, an invoice, and the books held against each other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from polyclinic.billing import actions, prices
from polyclinic.billing.models import Invoice, InvoiceLine, LedgerEntry, Payment, Price, Refund
from polyclinic.core.actors import Person
from polyclinic.core.ids import new_id
from tests.house import House

FEE, BLOOD = 50_00, 12_50


def priced(house: House) -> None:
    """A consultation for 50.00 and a blood count for 12.50."""
    manager = house.person(house.manager)
    for code, name, kind, amount in (
        ("CONS", "Consultation", "consultation", FEE),
        ("CBC", "Blood count", "lab", BLOOD),
    ):
        prices.set_price(
            actor=manager, facility_id=house.facility.pk, code=code, name=name, kind=kind, amount_minor=amount
        )


def price(manager: Person, facility_id: UUID) -> Price:
    return prices.set_price(
        actor=manager, facility_id=facility_id, code="CONS", name="Consultation", kind="consultation", amount_minor=FEE
    )


def bill(desk: Person, facility_id: UUID, patient_id: UUID) -> Invoice:
    """An invoice with a consultation, of any patient at any facility."""
    made = actions.open_invoice(
        actor=desk, facility_id=facility_id, patient_id=patient_id, subject_kind="thing", subject_id=new_id()
    )
    charged(made, desk)
    return made


def begun(house: House, *codes: str, actor: Person | None = None) -> Invoice:
    """An invoice of the house's patient with a line for each code."""
    who = actor or house.person(house.receptionist)
    made = actions.open_invoice(
        actor=who, facility_id=house.facility.pk, patient_id=house.patient.pk, subject_kind="thing", subject_id=new_id()
    )
    for code in codes:
        charged(made, who, code)
    made.refresh_from_db()
    return made


def charged(
    invoice: Invoice, actor: Person, code: str = "CONS", source: UUID | None = None, **more: Any
) -> InvoiceLine:
    return actions.charge(
        actor=actor, invoice_id=invoice.pk, code=code, source_kind="test", source_id=source or new_id(), **more
    )


def paid(invoice: Invoice, actor: Person, amount: int, key: str = "", method: str = "cash") -> Payment:
    return actions.take_payment(
        actor=actor, invoice_id=invoice.pk, method=method, amount_minor=amount, key=key or new_id().hex
    )


def balances(invoice: Invoice | None = None) -> dict[str, int]:
    """What stands on each account, debit less credit, of all the books or of one invoice."""
    rows = LedgerEntry.objects.all() if invoice is None else LedgerEntry.objects.filter(invoice=invoice)
    found: dict[str, int] = {}
    for debit, credit, amount in rows.values_list("debit", "credit", "amount_minor"):
        found[debit] = found.get(debit, 0) + amount
        found[credit] = found.get(credit, 0) - amount
    return found


def in_order() -> None:
    """Hold the books against the invoices, payments and refunds they are about."""
    assert sum(balances().values()) == 0
    for row in Invoice.objects.all():
        kept = balances(row)
        assert kept.get("receivable", 0) == row.due_minor
        assert -kept.get("tax", 0) == row.tax_minor - row.credited_tax_minor
        assert 0 <= row.refunded_minor <= row.paid_minor
        assert row.due_minor >= 0
        if row.state != "void":
            assert row.total_minor == sum(line.amount_minor for line in row.lines.all())
            assert row.tax_minor == sum(line.tax_minor for line in row.lines.filter(dropped_at__isnull=True))
        taken = Payment.objects.filter(invoice=row, state="taken")
        assert row.paid_minor == sum(one.amount_minor for one in taken)
        given = Refund.objects.filter(payment__invoice=row, payment__state="taken", state="done")
        assert row.refunded_minor == sum(one.amount_minor for one in given)
        if row.state == "settled":
            assert row.due_minor == 0
    for payment in Payment.objects.all():
        live = payment.refunds.exclude(state="failed")
        assert payment.refunded_minor == sum(one.amount_minor for one in live) <= payment.amount_minor
    held = {side: balances().get(side, 0) for side in ("cash", "card", "online")}
    for method, kept_there in held.items():
        taken = Payment.objects.filter(method=method, state__in=("taken", "surplus"))
        given = Refund.objects.filter(payment__method=method, state="done")
        till = sum(
            amount if debit == "cash" else -amount
            for debit, amount in LedgerEntry.objects.filter(till__isnull=False).values_list("debit", "amount_minor")
        )
        moved = sum(one.amount_minor for one in taken) - sum(one.amount_minor for one in given)
        assert kept_there == moved + (till if method == "cash" else 0)
    numbers = sorted(
        number
        for model in (Payment, Refund)
        for number in model.objects.filter(receipt__isnull=False).values_list("receipt", flat=True)
    )
    assert numbers == list(range(1, len(numbers) + 1))
