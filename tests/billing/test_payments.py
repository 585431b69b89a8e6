"""Money in and out: once for each key, never more than is owed, never more back than came in."""

from __future__ import annotations

import pytest
from django.db import transaction

from polyclinic.billing import actions, online, paying, selectors, tills
from polyclinic.billing.models import Payment, Refund, TillShift
from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.billing.desk import FEE, balances, begun, charged, in_order, paid, priced
from tests.house import House


@pytest.fixture
def desk(house: House) -> Person:
    priced(house)
    return house.person(house.receptionist)


def test_a_double_click_pays_once(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    first, again = paid(bill, desk, 20_00, "one-form"), paid(bill, desk, 20_00, "one-form")
    assert first.pk == again.pk
    bill.refresh_from_db()
    assert (bill.paid_minor, Payment.objects.count()) == (20_00, 1)
    with pytest.raises(Invalid) as refusal:
        paid(bill, desk, 10_00, "one-form")
    assert refusal.value.code == "idempotency_key_reused"
    paid(bill, desk, 30_00, "another-form")
    in_order()


def test_more_than_is_owed_is_refused_and_says_how_much_is(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    paid(bill, desk, 30_00)
    with pytest.raises(Invalid) as refusal:
        paid(bill, desk, 20_01)
    assert (refusal.value.code, refusal.value.field, refusal.value.extra) == (
        "overpayment",
        "amount",
        {"dueMinor": 20_00},
    )
    # What a terminal is just taking counts as well.
    paid(bill, desk, 15_00, method="card")
    with pytest.raises(Invalid):
        paid(bill, desk, 6_00)
    for amount in (0, -1):
        with pytest.raises(Invalid):
            paid(bill, desk, amount)
    in_order()


def test_a_card_is_taken_when_the_person_at_the_terminal_says_so(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    first = paid(bill, desk, FEE, method="card")
    assert (first.state, first.receipt) == ("pending", None)
    # What is owed may not shrink while the terminal takes it.
    with pytest.raises(Conflict, match="payment_pending"):
        actions.waive(actor=house.person(house.manager), invoice_id=bill.pk, reason="hardship")
    with pytest.raises(Forbidden):
        paying.confirm_card(actor=house.person(house.patient), payment_id=first.pk, approved=True)
    assert paying.confirm_card(actor=desk, payment_id=first.pk, approved=False).state == "failed"
    second = paid(bill, desk, FEE, method="card")
    for _twice in range(2):
        assert paying.confirm_card(actor=desk, payment_id=second.pk, approved=True).state == "taken"
    bill.refresh_from_db()
    assert (bill.state, bill.paid_minor) == ("settled", FEE)
    in_order()


def test_refunds_are_tied_to_their_payment(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    payment = paid(bill, desk, FEE)

    def back(amount: int, key: str, **more: bool) -> Refund:
        return actions.refund(
            actor=desk, payment_id=payment.pk, amount_minor=amount, reason="not done", key=key, **more
        )

    assert back(20_00, "a").pk == back(20_00, "a").pk
    bill.refresh_from_db()
    # It fell away: nothing is owed again.
    assert (bill.state, bill.due_minor, bill.credited_minor, bill.refunded_minor) == ("settled", 0, 20_00, 20_00)
    with pytest.raises(Invalid) as refusal:
        back(30_01, "b")
    assert (refusal.value.code, refusal.value.extra) == ("refund_above_paid", {"maximum": 30_00})
    # Taken by mistake: it is owed again.
    back(30_00, "c", credits=False)
    bill.refresh_from_db()
    assert (bill.state, bill.due_minor) == ("open", 30_00)
    paid(bill, desk, 30_00)
    in_order()
    assert [row.receipt for row in Refund.objects.order_by("pk")] == [2, 3]


def test_a_refund_needs_its_right_a_reason_and_a_payment_that_came(house: House, desk: Person) -> None:
    bill = begun(house, "CONS")
    payment = paid(bill, desk, FEE, method="card")
    with pytest.raises(Conflict, match="not_taken"):
        actions.refund(actor=desk, payment_id=payment.pk, amount_minor=1, reason="x", key="a")
    paying.confirm_card(actor=desk, payment_id=payment.pk, approved=True)
    with pytest.raises(Forbidden):
        actions.refund(
            actor=house.person(house.staff["pharmacist"]), payment_id=payment.pk, amount_minor=1, reason="x", key="a"
        )
    with pytest.raises(Invalid), transaction.atomic():
        actions.refund(actor=desk, payment_id=payment.pk, amount_minor=1, reason=" ", key="a")
    with pytest.raises(NotFound):
        actions.refund(
            actor=house.person(house.stranger_receptionist), payment_id=payment.pk, amount_minor=1, reason="x", key="a"
        )
    in_order()


def test_the_box_is_counted_against_what_went_into_it(house: House, desk: Person) -> None:
    box = tills.open_till(actor=desk, facility_id=house.facility.pk, float_minor=100_00, counter="Counter 1")
    with pytest.raises(Conflict, match="till_open"):
        tills.open_till(actor=desk, facility_id=house.facility.pk)
    bill = begun(house, "CONS")
    payment = paid(bill, desk, FEE)
    actions.refund(actor=desk, payment_id=payment.pk, amount_minor=5_00, reason="change", key="a")
    charged(bill, desk, "CBC")
    card = paid(bill, desk, 12_50, method="card")
    paying.confirm_card(actor=desk, payment_id=card.pk, approved=True)
    assert selectors.till(desk, box.pk).expected_minor == 145_00
    with pytest.raises(Invalid) as refusal:
        tills.close_till(actor=desk, till_id=box.pk, counted_minor=144_00)
    assert (refusal.value.field, refusal.value.extra) == ("reason", {"differenceMinor": -1_00})
    tills.close_till(actor=desk, till_id=box.pk, counted_minor=144_00, reason="A coin fell behind the desk")
    row = selectors.till(house.person(house.manager), box.pk)
    assert (row.status, row.expected_minor, row.counted_minor, row.difference_minor) == (
        "closed",
        145_00,
        144_00,
        -1_00,
    )
    assert row.difference_reason == "A coin fell behind the desk"
    assert [move.amount_minor for move in selectors.till_moves(desk, box.pk)] == [FEE, -5_00]
    assert balances()["till"] == 1_00
    in_order()


def test_cash_without_an_open_box_opens_one(house: House, desk: Person) -> None:
    paid(begun(house, "CONS"), desk, FEE)
    box = TillShift.objects.get()
    assert (box.state, box.float_minor, selectors.till(desk, box.pk).expected_minor) == ("open", 0, FEE)
    with pytest.raises(Forbidden):
        tills.close_till(actor=house.person(house.staff["pharmacist"]), till_id=box.pk, counted_minor=FEE)
    tills.close_till(actor=house.person(house.manager), till_id=box.pk, counted_minor=FEE)
    with pytest.raises(NotFound):
        selectors.till(house.person(house.stranger_receptionist), box.pk)


def test_each_day_tells_what_came_in(house: House, desk: Person) -> None:
    manager = house.person(house.manager)
    bill = begun(house, "CONS", "CBC")
    actions.discount(actor=manager, line_id=bill.lines.get(code="CONS").pk, amount_minor=5_00, reason="regular")
    payment = paid(bill, desk, 40_00)
    actions.refund(actor=desk, payment_id=payment.pk, amount_minor=10_00, reason="not done", key="a")
    today = clock.now().astimezone(house.local(house.workday(), 9).tzinfo).date()
    (day,) = selectors.revenue(manager, house.facility.pk, today, today)
    assert (day.charged_minor, day.reduced_minor, day.cash_minor, day.returned_minor) == (62_50, 15_00, 40_00, 10_00)
    with pytest.raises(NotFound):
        selectors.revenue(desk, house.facility.pk, today, today)


def test_nothing_is_paid_online_where_no_bank_is_set_up(house: House, desk: Person, settings: object) -> None:
    settings.DEMO = False  # type: ignore[attr-defined]
    bill = begun(house, "CONS")
    with pytest.raises(Conflict, match="not_offered"):
        online.pay(actor=house.person(house.patient), invoice_id=bill.pk, amount_minor=FEE, key="a")
