"""Money in real browsers: two tabs of the desk, a double click, the back button, a card that fails, then succeeds."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.house import PASSWORD
from tests.journeys.conftest import Desk
from tests.journeys.test_two_browsers import MOST, live
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]


@pytest.fixture(scope="module")
def clinic() -> Iterator[Server]:
    """With the demo's bank, so that something can be paid online."""
    with Server(env={"POLYCLINIC_MODE": "demo"}) as running:
        yield running


@pytest.fixture
def bill(clinic: Server) -> str:
    """A consultation for 50.00 of the patient's, not paid yet."""
    script = """
import django; django.setup(set_prefix=False)
from polyclinic.billing import actions, prices
from polyclinic.core.actors import SystemActor
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Patient
me, house = SystemActor("demo"), Facility.objects.get(slug="riverside")
for code, name, amount in (("CONS", "Consultation", 5000), ("CBC", "Blood count", 1250)):
    prices.set_price(actor=me, facility_id=house.pk, code=code, name=name, kind="other", amount_minor=amount)
made = actions.open_invoice(actor=me, facility_id=house.pk, subject_kind="thing", subject_id=new_id(),
    patient_id=Patient.objects.get(family_name="Pillai").pk)
actions.charge(actor=me, invoice_id=made.pk, code="CONS", source_kind="test", source_id=new_id())
print(made.pk)
"""
    return clinic.python("-c", script).strip().splitlines()[-1]


def figures(clinic: Server, bill: str) -> list[int]:
    """Lines, payments and refunds of the invoice, and what is owed, from the database."""
    script = f"""
import django; django.setup(set_prefix=False)
from polyclinic.billing.models import Invoice, Refund
row = Invoice.objects.get(pk="{bill}")
taken = row.payments.filter(state="taken").count()
print(row.lines.count(), taken, Refund.objects.filter(payment__invoice=row).count(), row.due_minor)
"""
    return [int(part) for part in clinic.python("-c", script).split()]


def test_two_tabs_a_double_click_and_the_back_button(clinic: Server, desk: Desk, bill: str) -> None:
    one, other = desk("receptionist"), desk("receptionist")
    for tab in (one, other):
        tab.goto(f"/cashier/invoices/{bill}")
        live(tab)
    one.get_by_text("Add something").click()
    one.get_by_label("What was done?").select_option(label=re.compile("Blood count").pattern + ", EUR\u00a012.50")
    one.get_by_role("button", name="Put it on the invoice").dblclick()
    expect(one.locator("main")).to_contain_text("Blood count is on the invoice.")
    expect(other.locator(".sums")).to_contain_text("EUR\u00a062.50", timeout=MOST)
    one.get_by_role("button", name="Take payment").dblclick()
    expect(one.locator(".sums .sum")).to_contain_text("EUR\u00a00.00")
    expect(other.locator(".sums .sum")).to_contain_text("EUR\u00a00.00", timeout=MOST)
    # The other tab's form is from before: it takes nothing and says why.
    other.get_by_role("button", name="Take payment").click()
    expect(other.locator("[data-error-summary]")).to_contain_text("more than is owed")
    # Back to the form that was sent, and once more: the same form is the same payment.
    one.go_back()
    again = one.get_by_role("button", name="Take payment")
    if again.count():
        again.click()
    assert figures(clinic, bill) == [2, 1, 0, 0]


def test_a_card_fails_and_then_succeeds(clinic: Server, desk: Desk, bill: str) -> None:
    phone, front = desk("patient", viewport={"width": 390, "height": 844}), desk("receptionist")
    front.goto(f"/cashier/invoices/{bill}")
    live(front)
    phone.goto("/my/invoices")
    phone.locator(f"a[href='/my/invoices/{bill}']").click()
    phone.get_by_role("button", name="Pay", exact=True).click()
    expect(phone.locator("main")).to_contain_text("No money moves")
    expect(front.locator("main")).to_contain_text("The patient is paying", timeout=MOST)
    phone.get_by_role("button", name="Cancel").click()
    expect(phone.locator("main")).to_contain_text("Nothing was taken.")
    phone.get_by_role("button", name="Pay", exact=True).click()
    phone.get_by_role("button", name="Pay now").dblclick()
    expect(phone.locator("main")).to_contain_text("Receipt")
    expect(front.locator(".sums .sum")).to_contain_text("EUR\u00a00.00", timeout=MOST)
    assert Axe().run(phone).response["violations"] == []
    assert figures(clinic, bill) == [1, 1, 0, 0]


def test_money_back_asks_who_it_is_first(clinic: Server, desk: Desk, bill: str) -> None:
    front = desk("receptionist", java_script_enabled=False)
    front.goto(f"/cashier/invoices/{bill}")
    front.get_by_role("button", name="Take payment").click()
    front.get_by_text("Give money back").click()
    proof = front.get_by_role("link", name="Confirm that it is you")
    if proof.count():
        proof.click()
        front.get_by_label("Password", exact=True).fill(PASSWORD)
        front.locator("main").get_by_role("button").first.click()
        front.wait_for_url(f"**/cashier/invoices/{bill}")
        front.get_by_text("Give money back").click()
    front.get_by_label("Amount, EUR").last.fill("20")
    front.get_by_label("In words").fill("Not done")
    front.get_by_role("button", name="Give back").click()
    expect(front.locator("main")).to_contain_text("Given back")
    assert figures(clinic, bill) == [1, 1, 1, 0]
