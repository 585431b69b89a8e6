"""A visit that ends before anybody has seen the patient: its fee is not owed, and what was paid can be given back."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.billing import actions as billing
from polyclinic.billing import hooks, online, paying, prices
from polyclinic.billing.models import Invoice, InvoiceLine, Payment
from polyclinic.core.models import AuditEntry
from polyclinic.visits import actions
from polyclinic.visits.models import Visit
from tests.billing.desk import FEE, in_order, paid
from tests.house import House
from tests.portals.conftest import browser_of, send

__all__ = ["browser_of"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(house: House) -> Visit:
    """One with a fee of 50.00."""
    for code, kind, amount in (("consultation", "consultation", FEE), ("plaster", "procedure", 5_00)):
        prices.set_price(
            actor=house.person(house.manager), facility_id=house.facility.pk, code=code, name=code.title(), kind=kind,
            amount_minor=amount,
        )  # fmt: skip
    return actions.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=house.patient.pk
    )


def leave(house: House, visit: Visit, who: Any = None) -> None:
    actions.leave(actor=house.person(who or house.receptionist), visit_id=visit.pk, reason="Could not wait")


def bill(visit: Visit) -> Invoice:
    in_order()
    return Invoice.objects.get(subject_id=visit.pk)


@pytest.mark.parametrize("step", [actions.leave, actions.cancel])
def test_nobody_owes_a_fee_who_was_not_seen(house: House, visit: Visit, step: Any) -> None:
    ended = step(actor=house.person(house.receptionist), visit_id=visit.pk, reason="Could not wait")
    row = bill(visit)
    assert (row.state, row.due_minor) == ("void", 0)
    # Who ended the visit is one entry, what followed for the fee another; neither says the patient's reason twice.
    steps = AuditEntry.objects.filter(action__in=("invoice.void", f"visit.{ended.state[:5]}", "visit.cancel"))
    assert {one.actor for one in steps} >= {"system:cash-desk"}
    assert not AuditEntry.objects.filter(action="invoice.void", reason__contains="wait").exists()


def test_a_nurse_may_end_a_visit_without_a_right_over_money(house: House, visit: Visit) -> None:
    leave(house, visit, house.staff["nurse"])
    assert bill(visit).state == "void"


def test_whoever_was_seen_owes_the_fee(house: House, visit: Visit) -> None:
    nurse = house.person(house.staff["nurse"])
    actions.prioritise(actor=nurse, visit_id=visit.pk, priority="emergency", why="Chest pain")
    actions.check(actor=nurse, visit_id=visit.pk)
    leave(house, visit)
    assert (bill(visit).state, bill(visit).due_minor) == ("open", FEE)


def test_what_else_was_charged_stays_owed(house: House, visit: Visit) -> None:
    desk, row = house.person(house.receptionist), Invoice.objects.get()
    billing.charge(actor=desk, invoice_id=row.pk, code="plaster", source_kind="test", source_id=house.patient.pk)
    leave(house, visit)
    assert (bill(visit).state, bill(visit).due_minor) == ("open", 5_00)
    assert InvoiceLine.objects.get(source_kind="visit").dropped_at is not None


def test_of_a_fee_paid_in_part_the_rest_is_let_go(house: House, visit: Visit) -> None:
    desk = house.person(house.receptionist)
    paid(Invoice.objects.get(), desk, 20_00)
    leave(house, visit)
    row = bill(visit)
    assert (row.state, row.due_minor, row.paid_minor) == ("settled", 0, 20_00)
    visit.refresh_from_db()
    # The invoice is settled by that, and a visit that is over stays over.
    assert visit.state == "left"
    paying.refund(actor=desk, payment_id=Payment.objects.get().pk, amount_minor=20_00, reason="not seen", key="a")
    assert bill(visit).refunded_minor == 20_00


def test_what_a_card_is_just_taking_is_waited_for(house: House, visit: Visit) -> None:
    desk, row = house.person(house.receptionist), Invoice.objects.get()
    asked = paid(row, desk, FEE, method="card")
    leave(house, visit)
    assert bill(visit).due_minor == FEE
    paying.confirm_card(actor=desk, payment_id=asked.pk, approved=False)
    assert (bill(visit).state, bill(visit).due_minor) == ("void", 0)


def test_what_the_card_has_taken_all_the_same_can_be_given_back(house: House, visit: Visit) -> None:
    desk = house.person(house.receptionist)
    asked = paid(Invoice.objects.get(), desk, FEE, method="card")
    leave(house, visit)
    paying.confirm_card(actor=desk, payment_id=asked.pk, approved=True)
    assert (bill(visit).state, bill(visit).paid_minor) == ("settled", FEE)
    made = online.refund(actor=desk, payment_id=asked.pk, amount_minor=FEE, reason="not seen", key="a")
    assert (made.state, bill(visit).due_minor) == ("done", 0)


def test_without_the_look_back_a_failed_card_leaves_a_debt(
    house: House, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    monkeypatch.setattr(hooks, "failed", lambda *_given: None)
    desk = house.person(house.receptionist)
    asked = paid(Invoice.objects.get(), desk, FEE, method="card")
    leave(house, visit)
    paying.confirm_card(actor=desk, payment_id=asked.pk, approved=False)
    assert bill(visit).due_minor == FEE


def test_a_failed_card_of_a_visit_that_goes_on_changes_nothing(house: House, visit: Visit) -> None:
    desk = house.person(house.receptionist)
    asked = paid(Invoice.objects.get(), desk, FEE, method="card")
    paying.confirm_card(actor=desk, payment_id=asked.pk, approved=False)
    assert (bill(visit).state, bill(visit).due_minor) == ("open", FEE)


def test_the_desk_is_told_what_can_be_given_back(house: House, visit: Visit, browser_of: Any) -> None:
    desk = browser_of(house.receptionist)
    address = f"/reception/visits/{visit.pk}"
    assert "EUR\u00a050.00" in desk.get(address).content.decode()
    paid(Invoice.objects.get(), house.person(house.receptionist), FEE)
    page = send(desk, desk.get(address), f"{address}/leave", reason="Could not wait")
    shown = desk.get(page["Location"]).content.decode()
    assert "EUR\u00a050.00 was paid and can be given back" in shown
    assert f"/cashier/invoices/{Invoice.objects.get().pk}" in shown
    in_order()


def test_the_desk_sees_that_nothing_is_owed(house: House, visit: Visit, browser_of: Any) -> None:
    desk = browser_of(house.receptionist)
    address = f"/reception/visits/{visit.pk}"
    send(desk, desk.get(address), f"{address}/cancel", reason="Opened twice")
    shown = desk.get(address).content.decode()
    assert "Nothing is owed" in shown
    assert "can be given back" not in shown
    assert "EUR" not in desk.get("/cashier").content.decode().split("<table")[-1].split("</table")[0]
