"""An invoice grows with what is done, charges each thing once, and is settled by sums and nobody's word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from polyclinic.billing import actions, hooks, prices, selectors
from polyclinic.billing.models import Invoice, InvoiceLine, LedgerEntry
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict, Forbidden, IllegalTransition, Invalid, NotFound, StaleEdit
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry, OutboxEvent
from tests.billing.desk import BLOOD, FEE, balances, begun, charged, in_order, paid, priced
from tests.house import House


@pytest.fixture
def desk(house: House) -> Person:
    priced(house)
    return house.person(house.receptionist)


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """Who is told when an invoice of a visit is settled."""
    heard: list[Any] = []

    def tell(actor: object, subject_id: object) -> None:
        heard.append(subject_id)

    hooks.on_settled("thing", tell)
    yield heard
    hooks._settled["thing"].remove(tell)


def test_it_grows_with_the_visit_and_is_owed_again(house: House, desk: Person, told: list[Any]) -> None:
    bill = begun(house, "CONS")
    assert (bill.state, bill.due_minor) == ("open", FEE)
    paid(bill, desk, FEE)
    bill.refresh_from_db()
    assert (bill.state, bill.due_minor, told) == ("settled", 0, [bill.subject_id])
    charged(bill, house.person(house.staff["main_doctor"]), "CBC", quantity=2)
    bill.refresh_from_db()
    assert (bill.state, bill.due_minor) == ("open", 2 * BLOOD)
    paid(bill, desk, 2 * BLOOD)
    assert told == [bill.subject_id] * 2
    in_order()


def test_one_source_is_charged_once(house: House, desk: Person) -> None:
    bill, source = begun(house), new_id()
    first = charged(bill, desk, source=source)
    assert charged(bill, desk, source=source).pk == first.pk
    assert charged(bill, desk, "CBC", source=source).pk == first.pk
    other = begun(house)
    with pytest.raises(Conflict, match="billed_elsewhere"):
        charged(other, desk, source=source)
    assert InvoiceLine.objects.count() == 1
    # The database itself refuses a second: the check above is for the good answer.
    with pytest.raises(IntegrityError), transaction.atomic():
        InvoiceLine.objects.create(
            invoice=bill, code="X", text="X", kind="other", unit_minor=1, source_kind="test", source_id=source
        )


def test_one_thing_has_one_invoice(house: House, desk: Person) -> None:
    bill = begun(house)
    given: dict[str, Any] = {"actor": desk, "facility_id": house.facility.pk, "subject_kind": "thing"}
    again = actions.open_invoice(**given, patient_id=house.patient.pk, subject_id=bill.subject_id)
    assert again.pk == bill.pk
    with pytest.raises(Conflict, match="billed_elsewhere"):
        actions.open_invoice(**given, patient_id=house.other_patient.pk, subject_id=bill.subject_id)
    assert [begun(house).number for _ in range(3)] == [2, 3, 4]


def test_the_price_of_the_day_is_kept(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    prices.set_price(
        actor=house.person(house.manager), facility_id=house.facility.pk, code="CONS", name="Consultation",
        kind="consultation", amount_minor=99_00,
    )  # fmt: skip
    assert [line.unit_minor for line in bill.lines.all()] == [FEE]
    assert charged(bill, desk, "CONS").unit_minor == 99_00
    with pytest.raises(Invalid) as refusal:
        charged(bill, desk, "NO-SUCH")
    assert (refusal.value.code, refusal.value.field) == ("no_price", "code")
    with pytest.raises(Invalid):
        charged(bill, desk, quantity=0)


def test_what_makes_it_less_needs_its_own_right_and_a_reason(house: House, desk: Person) -> None:
    bill = begun(house, "CONS", "CBC")
    line, manager = bill.lines.get(code="CONS"), house.person(house.manager)
    for refused in (
        lambda: actions.discount(actor=desk, line_id=line.pk, amount_minor=1, reason="regular"),
        lambda: actions.waive(actor=desk, invoice_id=bill.pk, reason="poor"),
        lambda: actions.write_off(actor=desk, invoice_id=bill.pk, reason="gone"),
        lambda: actions.void(actor=desk, invoice_id=bill.pk, reason="wrong"),
    ):
        with pytest.raises(Forbidden), transaction.atomic():
            refused()
    with pytest.raises(Invalid) as refusal:
        actions.discount(actor=manager, line_id=line.pk, amount_minor=10_00, reason=" ")
    assert refusal.value.field == "reason"
    with pytest.raises(Invalid):
        actions.discount(actor=manager, line_id=line.pk, amount_minor=FEE + 1, reason="too kind")
    actions.discount(actor=manager, line_id=line.pk, amount_minor=10_00, reason="regular")
    line.refresh_from_db()
    assert (line.amount_minor, line.discount_reason) == (40_00, "regular")
    with connection.cursor() as cursor:
        cursor.execute("SELECT discount_reason FROM billing_invoiceline WHERE discount_minor > 0")
        assert "regular" not in cursor.fetchone()[0]
    in_order()
    assert balances(bill)["discounts"] == 10_00


def test_who_is_waived_counts_as_having_paid(house: House, desk: Person, told: list[Any]) -> None:
    bill = begun(house, "CONS", "CBC")
    paid(bill, desk, 20_00)
    actions.waive(actor=house.person(house.staff["main_doctor"]), invoice_id=bill.pk, reason="hardship")
    bill.refresh_from_db()
    assert (bill.state, bill.due_minor, bill.total_minor) == ("settled", 0, 20_00)
    assert told == [bill.subject_id]
    in_order()
    with pytest.raises(Conflict, match="nothing_owed"):
        actions.waive(actor=house.person(house.manager), invoice_id=bill.pk, reason="again")


def test_what_a_hook_refuses_undoes_the_payment(house: House, desk: Person) -> None:
    def refuse(actor: object, subject_id: object) -> None:
        raise Conflict(code="not_now")

    bill = begun(house, "CONS")
    hooks.on_settled("thing", refuse)
    try:
        with pytest.raises(Conflict, match="not_now"), transaction.atomic():
            paid(bill, desk, FEE)
    finally:
        hooks._settled["thing"].remove(refuse)
    bill.refresh_from_db()
    assert (bill.state, bill.paid_minor) == ("open", 0)
    in_order()


def test_writing_off_and_voiding(house: House, desk: Person) -> None:
    manager = house.person(house.manager)
    bill = begun(house, "CONS")
    paid(bill, desk, 10_00)
    with pytest.raises(Conflict, match="refund_first"):
        actions.void(actor=manager, invoice_id=bill.pk, reason="wrong patient")
    actions.write_off(actor=manager, invoice_id=bill.pk, reason="moved away")
    bill.refresh_from_db()
    assert (bill.state, bill.written_off_minor) == ("settled", 40_00)
    source = new_id()
    wrong = begun(house)
    charged(wrong, desk, source=source)
    actions.void(actor=manager, invoice_id=wrong.pk, reason="wrong patient")
    wrong.refresh_from_db()
    assert (wrong.state, wrong.due_minor) == ("void", 0)
    # What was billed in error can be billed again, under a new number.
    right = begun(house)
    assert charged(right, desk, source=source).invoice_id == right.pk
    with pytest.raises(IllegalTransition), transaction.atomic():
        charged(wrong, desk)
    in_order()


def test_a_line_is_dropped_until_it_is_paid(house: House, desk: Person) -> None:
    bill = begun(house, "CONS", "CBC")
    blood = bill.lines.get(code="CBC")
    paid(bill, desk, FEE)
    actions.drop(actor=house.person(house.staff["lab_technician"]), line_id=blood.pk, reason="not done")
    bill.refresh_from_db()
    assert (bill.state, bill.total_minor) == ("settled", FEE)
    with pytest.raises(Conflict, match="refund_first"):
        actions.drop(actor=desk, line_id=bill.lines.get(code="CONS").pk)
    in_order()


def test_a_stale_page_changes_nothing(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    with pytest.raises(StaleEdit), transaction.atomic():
        actions.waive(
            actor=house.person(house.manager), invoice_id=bill.pk, reason="hardship", version=bill.version - 1
        )
    in_order()


def test_a_stranger_finds_nothing(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    stranger, other = house.person(house.stranger_receptionist), house.person(house.other_patient)
    for viewer in (stranger, other):
        with pytest.raises(NotFound):
            selectors.invoice(viewer, bill.pk)
    with pytest.raises(NotFound):
        charged(bill, stranger)
    with pytest.raises(NotFound):
        selectors.invoices_of(stranger, house.patient.pk)
    assert selectors.invoice(house.person(house.patient), bill.pk).due_minor == FEE
    assert [row.number for row in selectors.invoices_of(house.person(house.patient), house.patient.pk)] == [1]


def test_the_books_cannot_be_rewritten(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    for change in (
        lambda: LedgerEntry.objects.update(amount_minor=1),
        lambda: LedgerEntry.objects.all().delete(),
        # Overpaid, and more given back than was paid.
        lambda: Invoice.objects.filter(pk=bill.pk).update(paid_minor=FEE + 1),
        lambda: Invoice.objects.filter(pk=bill.pk).update(refunded_minor=1),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_log_and_the_audit_name_no_thing_and_nobody(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    paid(bill, desk, FEE)
    said = " ".join(
        [*OutboxEvent.objects.values_list("payload", flat=True), *AuditEntry.objects.values_list("detail", flat=True)]
    )
    assert "Pillai" not in said
    assert "Consultation" not in said
    assert {"invoice.opened", "invoice.changed", "payment.taken", "invoice.settled"} <= set(
        OutboxEvent.objects.values_list("type", flat=True)
    )
