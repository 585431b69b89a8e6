"""The desk's and the patient's pages about money, as people send the forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from polyclinic.billing.models import Invoice, Payment, Price, Refund
from polyclinic.core import clock
from polyclinic.facilities import identity
from tests.billing.desk import BLOOD, FEE, begun, in_order, paid, priced
from tests.house import House
from tests.portals.conftest import form, send

Browser = Callable[[Any], Client]


@pytest.fixture
def bill(house: House) -> Invoice:
    priced(house)
    return begun(house, "CONS")


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_form_sent_twice_pays_once(house: House, bill: Invoice, browser_of: Browser) -> None:
    desk, address = browser_of(house.receptionist), f"/cashier/invoices/{bill.pk}"
    page = desk.get(address)
    for _twice in range(2):
        assert send(desk, page, address, amount="20,00", method="cash").status_code == 303
    assert Payment.objects.count() == 1
    shown = text(desk.get(address))
    assert "EUR\u00a030.00" in shown
    assert "Receipt 1" in shown
    assert "Receipt 1" in text(desk.get(f"/cashier/receipts/{Payment.objects.get().pk}"))
    in_order()


def test_a_refusal_stands_beside_its_field(house: House, bill: Invoice, browser_of: Browser) -> None:
    desk, address = browser_of(house.receptionist), f"/cashier/invoices/{bill.pk}"
    answer = send(desk, desk.get(address), address, amount="50.01", method="cash")
    assert answer.status_code == 422
    assert 'id="amount-error"' in text(answer)
    assert "Take at most EUR\u00a050.00" in text(answer)
    answer = desk.post(address, {**form(desk.get(address), address)["fields"], "step": "nonsense"})
    assert answer.status_code == 422


def test_card_refund_and_waiver_at_the_desk(house: House, bill: Invoice, browser_of: Browser) -> None:
    desk, boss, address = browser_of(house.receptionist), browser_of(house.manager), f"/cashier/invoices/{bill.pk}"
    fields = form(desk.get(address), address)["fields"]
    assert desk.post(address, {**fields, "amount": "10", "method": "card"}).status_code == 303
    token, payment = fields["csrfmiddlewaretoken"], str(Payment.objects.get().pk)

    def step(client: Client, **given: str) -> Any:
        page = form(client.get(address), "/sign-out")["fields"]["csrfmiddlewaretoken"]
        return client.post(address, {"csrfmiddlewaretoken": page, **given})

    assert token
    assert "what does the terminal say" in text(desk.get(address))
    assert step(desk, step="approved", payment=payment).status_code == 303
    prove(desk)
    back = {"step": "refund", "payment": payment, "refund_amount": "4", "key": "k", "refund_reason": "too much"}
    assert step(desk, **back)["Location"] == address
    assert Refund.objects.get().amount_minor == 4_00
    assert step(desk, step="waive", waive_reason="hardship").status_code == 403
    assert step(boss, step="waive", waive_reason="").status_code == 422
    assert step(boss, step="waive", waive_reason="hardship").status_code == 303
    bill.refresh_from_db()
    assert (bill.state, bill.due_minor) == ("settled", 0)
    assert "hardship" in text(desk.get(address))
    assert "hardship" not in text(browser_of(house.patient).get(f"/my/invoices/{bill.pk}"))
    in_order()


def test_open_count_and_close_a_box(house: House, bill: Invoice, browser_of: Browser) -> None:
    desk = browser_of(house.receptionist)
    opened = send(desk, desk.get("/cashier/till"), "/cashier/till", float="100", counter="1")
    box = opened["Location"]
    paid(bill, house.person(house.receptionist), FEE)
    assert send(desk, desk.get(box), box, counted="149").status_code == 422
    assert send(desk, desk.get(box), box, counted="150").status_code == 303
    assert "Counted" in text(desk.get(box))
    assert "EUR\u00a050.00" in text(browser_of(house.manager).get("/cashier/revenue"))


def test_a_manager_keeps_the_list_of_prices(house: House, bill: Invoice, browser_of: Browser) -> None:
    boss = browser_of(house.manager)
    given = {"code": "XRAY", "name": "X-ray", "kind": "procedure"}
    assert send(boss, boss.get("/cashier/prices"), "/cashier/prices", **given, amount="x").status_code == 422
    assert send(boss, boss.get("/cashier/prices"), "/cashier/prices", **given, amount="30").status_code == 303
    assert "EUR\u00a030.00" in text(browser_of(house.staff["nurse"]).get("/cashier/prices"))
    assert send(boss, boss.get("/cashier/prices"), "/end").status_code == 303


def test_a_patient_pays_online(house: House, bill: Invoice, browser_of: Browser, settings: Any) -> None:
    settings.DEMO = True
    patient, address = browser_of(house.patient), f"/my/invoices/{bill.pk}"
    assert "EUR\u00a050.00" in text(patient.get("/my/invoices"))
    sent = send(patient, patient.get(address), f"{address}/pay", amount="50.00")
    bank = sent["Location"]
    assert "No money moves" in text(patient.get(bank))
    # Coming back proves nothing.
    payment = Payment.objects.get()
    assert patient.get(f"{address}/back?payment={payment.pk}").status_code == 303
    assert "Go on paying" in text(patient.get(address))
    assert send(patient, patient.get(bank), bank, answer="yes").status_code == 303
    assert "Receipt 1" in text(patient.get(f"/my/receipts/{payment.pk}"))
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert browser_of(house.other_patient).get(address).status_code == 404
    in_order()


def prove(client: Client) -> None:
    """The person behind this browser has just shown who they are."""
    store = client.session
    store["stepped_up_at"] = clock.now().isoformat()
    store.save()
    identity.forget()


def page_token(client: Client, address: str) -> str:
    return str(form(client.get(address), "/sign-out")["fields"]["csrfmiddlewaretoken"])


def step(client: Client, address: str, **given: str) -> Any:
    """Send one of the page's forms, as a browser does that has just loaded it."""
    return client.post(address, {"csrfmiddlewaretoken": page_token(client, address), **given})


def test_add_something_by_hand_once(house: House, bill: Invoice, browser_of: Browser) -> None:
    desk, address = browser_of(house.receptionist), f"/cashier/invoices/{bill.pk}"
    blood = str(Price.objects.get(code="CBC").pk)
    assert "Blood count, EUR\u00a012.50" in text(desk.get(address))
    sent = {"step": "charge", "price": blood, "quantity": "2", "key": "0192f0c1d2e37000a1b2c3d4e5f60718"}
    for _twice in range(2):
        assert step(desk, address, **sent).status_code == 303
    bill.refresh_from_db()
    assert bill.total_minor == FEE + 2 * BLOOD
    # The same form cannot become another line, and a form that is not ours is none.
    assert step(desk, address, **{**sent, "quantity": "3"}).status_code == 422
    assert step(desk, address, **{**sent, "key": "x"}).status_code == 422
    # A line that was taken off does not come back by the browser's back button.
    line = str(bill.lines.get(code="CBC").pk)
    assert step(desk, address, step="drop", drop_line=line, drop_reason="not done").status_code == 303
    assert step(desk, address, **sent).status_code == 303
    bill.refresh_from_db()
    assert bill.total_minor == FEE
    in_order()


def test_a_wrong_line_is_refused_beside_its_field(house: House, bill: Invoice, browser_of: Browser) -> None:
    desk, address = browser_of(house.receptionist), f"/cashier/invoices/{bill.pk}"
    blood, key = str(Price.objects.get(code="CBC").pk), "0192f0c1d2e37000a1b2c3d4e5f60719"
    for given, field in (
        ({"price": "", "quantity": "1"}, "price"),
        ({"price": blood, "quantity": "0"}, "quantity"),
        ({"price": blood, "quantity": "one"}, "quantity"),
        ({"price": blood, "quantity": "100001"}, "quantity"),
    ):
        answer = step(desk, address, step="charge", key=key, **given)
        assert answer.status_code == 422
        assert f'id="{field}-error"' in text(answer)
    line = str(bill.lines.get().pk)
    for given, field in (
        ({"drop_line": line, "drop_reason": " "}, "drop_reason"),
        ({"drop_line": str(bill.pk), "drop_reason": "x"}, "drop_line"),
    ):
        answer = step(desk, address, step="drop", **given)
        assert answer.status_code == 422
        assert f'id="{field}-error"' in text(answer)
    paid(bill, house.person(house.receptionist), FEE)
    assert step(desk, address, step="drop", drop_line=line, drop_reason="x").status_code == 409
    in_order()


def test_the_desk_of_another_hospital_adds_nothing(house: House, bill: Invoice, browser_of: Browser) -> None:
    far = browser_of(house.stranger_receptionist)
    token = page_token(far, "/cashier")
    sent = {"csrfmiddlewaretoken": token, "step": "charge", "price": str(Price.objects.get(code="CBC").pk)}
    assert far.post(f"/cashier/invoices/{bill.pk}", {**sent, "quantity": "1", "key": "k"}).status_code == 404
    bill.refresh_from_db()
    assert bill.total_minor == FEE


def test_forms_for_money_that_leaves_ask_who_it_is(house: House, bill: Invoice, browser_of: Browser) -> None:
    paid(bill, house.person(house.receptionist), 20_00)
    boss, address = browser_of(house.manager), f"/cashier/invoices/{bill.pk}"
    shown = text(boss.get(address))
    assert 'name="refund_amount"' not in shown
    assert f'href="/step-up?next=/cashier/invoices/{bill.pk}"' in shown
    assert 'name="waive_reason"' in shown
    prove(boss)
    assert 'name="refund_amount"' in text(boss.get(address))


def test_a_price_with_tax_shows_on_the_invoice(house: House, bill: Invoice, browser_of: Browser) -> None:
    boss, desk = browser_of(house.manager), browser_of(house.receptionist)
    given = {"code": "CREAM", "name": "Cream", "kind": "medicine", "amount": "11.90"}
    for wrong in ("x", "101", "-1", "5.555"):
        answer = send(boss, boss.get("/cashier/prices"), "/cashier/prices", **given, tax_rate=wrong)
        assert answer.status_code == 422
        assert 'id="tax_rate-error"' in text(answer)
    assert send(boss, boss.get("/cashier/prices"), "/cashier/prices", **given, tax_rate="19 %").status_code == 303
    assert Price.objects.get(code="CREAM").tax_rate == 1900
    address = f"/cashier/invoices/{bill.pk}"
    sent = {"price": str(Price.objects.get(code="CREAM").pk), "quantity": "1"}
    assert step(desk, address, step="charge", key="0192f0c1d2e37000a1b2c3d4e5f60720", **sent).status_code == 303
    for who, page in ((desk, address), (browser_of(house.patient), f"/my/invoices/{bill.pk}")):
        shown = text(who.get(page))
        assert "with 19\u00a0% tax" in shown
        assert "Tax in it" in shown
        assert "EUR\u00a01.90" in shown
