"""The tax in a price: rounded half up once a line, moved with all that makes an invoice less, owed to nobody twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

import pytest
from django.db import DatabaseError, transaction

from polyclinic.billing import actions, prices, selectors, taxes
from polyclinic.billing.models import Invoice, InvoiceLine
from polyclinic.core.actors import Person
from polyclinic.core.errors import Invalid, Problem
from tests.billing.desk import balances, begun, charged, in_order, paid, priced
from tests.house import House

CREAM = 11_90


@pytest.fixture
def desk(house: House) -> Person:
    """With a cream for 11.90, of which 1.90 is tax at 19 %."""
    priced(house)
    prices.set_price(
        actor=house.person(house.manager), facility_id=house.facility.pk, code="CREAM", name="Cream", kind="medicine",
        amount_minor=CREAM, tax_rate=1900,
    )  # fmt: skip
    return house.person(house.receptionist)


@pytest.mark.parametrize(
    ("amount", "rate", "tax"),
    [
        (11_90, 1900, 1_90),
        (50_00, 0, 0),
        (0, 1900, 0),
        # Exactly a half goes up, just below it goes down: 3 × 1/6 = 0.5; 2 × 1/6 = 0.33.
        (3, 2000, 1),
        (2, 2000, 0),
        (9, 2000, 2),
        (1_00, 10_000, 50),
        (1, 10_000, 1),
        (10**13, 1900, 1596638655462),
    ],
)
def test_how_much_of_an_amount_is_tax(amount: int, rate: int, tax: int) -> None:
    assert taxes.contained(amount, rate) == tax
    exact = Fraction(amount * rate, taxes.WHOLE + rate)
    assert exact - Fraction(1, 2) < tax <= exact + Fraction(1, 2)


def test_a_cheaper_line_never_holds_more_tax_than_it_lost() -> None:
    """What `lessened` relies on: an amount that falls takes at most itself as tax with it."""
    draw = random.Random(29)
    for _try in range(3000):
        amount, rate = draw.randint(0, 500), draw.choice([0, 1, 700, 1900, 2500, 9999, 10_000])
        less = draw.randint(0, amount)
        lost = taxes.contained(amount, rate) - taxes.contained(amount - less, rate)
        assert 0 <= lost <= less


def test_the_books_keep_tax_apart_from_revenue(house: House, desk: Person) -> None:
    bill = begun(house, "CONS", "CREAM")
    bill.refresh_from_db()
    assert (bill.total_minor, bill.tax_minor) == (61_90, 1_90)
    assert balances(bill) == {"receivable": 61_90, "revenue": -60_00, "tax": -1_90}
    row = selectors.invoice(desk, bill.pk)
    assert [(line.tax_rate, line.tax_minor) for line in row.lines] == [(0, 0), (1900, 1_90)]
    in_order()


def test_a_price_that_changes_leaves_what_was_charged(house: House, desk: Person) -> None:
    bill = begun(house, "CREAM")
    boss = house.person(house.manager)
    prices.set_price(
        actor=boss, facility_id=house.facility.pk, code="CREAM", name="Cream", kind="medicine", amount_minor=CREAM,
        tax_rate=700,
    )  # fmt: skip
    charged(bill, desk, "CREAM")
    assert [line.tax_minor for line in InvoiceLine.objects.filter(invoice=bill).order_by("pk")] == [1_90, 78]
    for rate in (-1, 10_001):
        with pytest.raises(Invalid) as refusal:
            prices.set_price(
                actor=boss, facility_id=house.facility.pk, code="X", name="X", kind="other", amount_minor=1,
                tax_rate=rate,
            )  # fmt: skip
        assert refusal.value.field == "tax_rate"
    in_order()


def _less(house: House, bill: Invoice, line: InvoiceLine, step: str) -> None:
    """Take the step that makes an invoice less, as a manager."""
    boss = house.person(house.manager)
    if step == "discount":
        actions.discount(actor=boss, line_id=line.pk, amount_minor=5_95, reason="half")
    elif step == "drop":
        actions.drop(actor=boss, line_id=line.pk)
    elif step == "waive":
        actions.waive(actor=boss, invoice_id=bill.pk, reason="hardship")
    elif step == "write_off":
        actions.write_off(actor=boss, invoice_id=bill.pk, reason="gone")
    else:
        actions.void(actor=boss, invoice_id=bill.pk, reason="error")


@pytest.mark.parametrize(
    ("step", "left"),
    # Half the price is half the tax; what nobody pays has none; a debt written off keeps it: the tax office is asked.
    [("discount", 95), ("drop", 0), ("waive", 0), ("void", 0), ("write_off", 1_90)],
)
def test_what_makes_an_invoice_less_takes_its_tax_along(house: House, desk: Person, step: str, left: int) -> None:
    bill = begun(house, "CREAM")
    _less(house, bill, InvoiceLine.objects.get(invoice=bill), step)
    assert -balances(bill).get("tax", 0) == left
    in_order()


def test_money_given_back_takes_its_share_and_all_of_it_all(house: House, desk: Person) -> None:
    bill = begun(house, "CONS", "CREAM")
    payment = paid(bill, desk, 61_90)

    def back(amount: int, key: str, credits: bool = True) -> int:
        actions.refund(actor=desk, payment_id=payment.pk, amount_minor=amount, reason="x", key=key, credits=credits)
        in_order()
        return -balances(bill).get("tax", 0)

    # 20 of 61.90 hold 61 cents of the 1.90; a mistake that stays owed holds none.
    assert back(20_00, "a") == 1_29
    assert back(10_00, "b", credits=False) == 1_29
    paid(bill, desk, 10_00)
    assert back(31_90, "c") == 31
    second = bill.payments.exclude(pk=payment.pk).get()
    actions.refund(actor=desk, payment_id=second.pk, amount_minor=10_00, reason="x", key="d")
    assert balances(bill).get("tax", 0) == 0
    in_order()


def test_a_line_taken_off_after_its_tax_was_credited(house: House, desk: Person) -> None:
    bill = begun(house, "CREAM")
    cream = InvoiceLine.objects.get(invoice=bill)
    payment = paid(bill, desk, CREAM)
    actions.refund(actor=desk, payment_id=payment.pk, amount_minor=CREAM, reason="not given", key="a")
    charged(bill, desk, "CONS")
    actions.drop(actor=desk, line_id=cream.pk)
    bill.refresh_from_db()
    assert (bill.tax_minor, bill.credited_tax_minor) == (0, 0)
    in_order()


def test_the_database_refuses_a_wrong_tax(house: House, desk: Person) -> None:
    bill = begun(house, "CREAM")
    wrong: list[Callable[[], object]] = [
        lambda: Invoice.objects.filter(pk=bill.pk).update(credited_tax_minor=2_00),
        lambda: Invoice.objects.filter(pk=bill.pk).update(tax_minor=CREAM + 1),
        lambda: InvoiceLine.objects.filter(invoice=bill).update(tax_minor=CREAM + 1),
    ]
    for write in wrong:
        with pytest.raises(DatabaseError), transaction.atomic():
            write()


def test_the_checker_sees_tax_that_stays_behind(house: House, desk: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a discount that forgets to tell the books of its tax."""
    bill = begun(house, "CREAM")
    monkeypatch.setattr(actions, "_cheaper", lambda line, amount, why: _forget(line, amount))
    _less(house, bill, bill.lines.get(), "discount")
    with pytest.raises(AssertionError):
        in_order()


def _forget(line: InvoiceLine, amount: int) -> int:
    InvoiceLine.objects.filter(pk=line.pk).update(discount_minor=amount, tax_minor=95)
    return 0


def test_any_order_of_steps_leaves_the_books_in_order(house: House, desk: Person) -> None:
    draw, boss = random.Random(7), house.person(house.manager)
    bill = begun(house, "CREAM")
    for turn in range(40):
        lines = list(InvoiceLine.objects.filter(invoice=bill, dropped_at=None))
        taken = [one for one in bill.payments.all() if one.amount_minor > one.refunded_minor]
        step = draw.choice(["charge", "charge", "pay", "refund", "discount", "drop"])
        try:
            if step == "charge":
                charged(bill, desk, draw.choice(["CREAM", "CBC"]), quantity=draw.randint(1, 3))
            elif step == "pay":
                paid(bill, desk, draw.randint(1, 30_00))
            elif step == "refund" and taken:
                one = draw.choice(taken)
                amount = draw.randint(1, one.amount_minor - one.refunded_minor)
                actions.refund(
                    actor=desk, payment_id=one.pk, amount_minor=amount, reason="x", key=f"r{turn}",
                    credits=draw.random() < 0.7,
                )  # fmt: skip
            elif step == "discount" and lines:
                actions.discount(
                    actor=boss, line_id=draw.choice(lines).pk, amount_minor=draw.randint(1, 4_00), reason="x"
                )
            elif step == "drop" and lines:
                actions.drop(actor=boss, line_id=draw.choice(lines).pk)
        except Problem:
            continue
        in_order()
