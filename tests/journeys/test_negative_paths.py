"""When it does not go as it should: what each desk is told, and that nothing else moves."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.journeys.windows import MEDICINE, MOST, Windows, answer, live, mark, picture, stock, unbroken
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
CAPSULES = 10
# A visit that has come as far as the laboratory, or as the pharmacy with a prescription of fifteen capsules.
COME = """
import django
django.setup(set_prefix=False)
from decimal import Decimal
from polyclinic.core.actors import SystemActor
from polyclinic.laboratory import actions as laboratory
from polyclinic.medicines.models import Medicine
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing.bodies import Line
from polyclinic.visits import actions
from tests.journeys.arriving import arrive
demo = SystemActor("demo")
made = arrive("{patient}", "{facility}", "{doctor}")
actions.paid(actor=demo, visit_id=made.pk)
if "{to}" == "laboratory":
    laboratory.order(actor=demo, visit_id=made.pk, codes=["lytes"])
else:
    actions.check(actor=demo, visit_id=made.pk)
    amoxicillin = Medicine.objects.get(code="{medicine}")
    prescribing.sign(actor=demo, visit_id=made.pk, lines=[Line(amoxicillin.pk, Decimal(1), "three", 5)])
print(made.pk)
"""


@pytest.fixture(scope="module", autouse=True)
def shelves(clinic: Server) -> None:
    stock(clinic, CAPSULES)


def come(clinic: Server, to: str, patient: str) -> str:
    told = {**clinic.people, "patient": clinic.people[patient], "to": to, "medicine": MEDICINE}
    return clinic.python("-c", COME.format(**told)).strip()


def open_at(desk: Desk, role: str, path: str) -> Page:
    page = desk(role if "@" in role or role == "receptionist" else f"{role}@example.org")
    page.goto(path)
    mark(live(page))
    return page


def test_a_declined_card_moves_nobody_and_who_leaves_is_gone_from_every_list(desk: Desk, clinic: Server) -> None:
    windows = Windows(desk, clinic)
    name = "BRANDT, Ole"
    at = windows.come("Brandt", "Ole")
    phone, front = windows.ticket(), windows.front
    windows.pay("Declined")
    expect(front.get_by_text("Nothing was taken.")).to_be_visible()
    expect(windows.waiting(windows.board, name)).to_contain_text("Front desk")
    expect(windows.waiting(windows.checker, name)).to_have_count(0)
    picture(front, "declined")
    # The same card again, and this time the terminal takes it.
    front.goto(at)
    windows.pay("Approved")
    expect(windows.waiting(windows.checker, name)).to_be_visible(timeout=MOST)

    front.goto(at)
    front.get_by_label("The patient leaves").fill("Cannot wait any longer")
    picture(front, "leaving")
    front.get_by_role("button", name="End the visit").click()
    for page in (windows.board, windows.checker):
        expect(windows.waiting(page, name)).to_have_count(0, timeout=MOST)
        assert unbroken(page)
    expect(windows.board.locator("[data-toasts]")).to_contain_text("has left", timeout=MOST)
    expect(phone.locator("main")).to_contain_text("This visit is over", timeout=MOST)


def test_a_rejected_specimen_is_asked_for_again_at_once(desk: Desk, clinic: Server) -> None:
    bench = open_at(desk, "lab_technician", "/lab?stage=collect")
    head = open_at(desk, "main_doctor", "/consulting")
    come(clinic, "laboratory", "patient")
    bench.locator("main tr").filter(has_text="PILLAI, Meera").get_by_role("link", name="Open").click(timeout=MOST)
    bench.get_by_role("button", name="Collected").click()
    bench.get_by_role("link", name="Reject").click()
    bench.get_by_role("radio", name="Haemolysed").check()
    bench.get_by_role("button", name="Reject it").click()
    specimens = bench.get_by_role("region", name="Specimens").get_by_role("listitem")
    expect(specimens).to_have_count(2)
    expect(specimens.filter(has_text="Haemolysed")).to_have_count(1)
    picture(bench, "rejected")
    # The new one goes the usual way, and only then is the doctor's turn.
    expect(head.locator("main")).not_to_contain_text("Results are there")
    for button in ("Collected", "Received"):
        bench.get_by_role("button", name=button).click()
    for test, value in (("Sodium", "140"), ("Potassium", "4.1"), ("Chloride", "104"), ("Bicarbonate", "24")):
        bench.get_by_role("row", name=test).get_by_role("textbox").first.fill(value)
    bench.get_by_role("button", name="Save results").click()
    bench.get_by_role("button", name="Verify all").click()
    expect(head.locator("main")).to_contain_text("Results are there", timeout=MOST)
    assert unbroken(head)


def test_a_stranger_at_the_counter_gets_nothing_and_what_is_missing_stays_owed(desk: Desk, clinic: Server) -> None:
    counter = open_at(desk, "pharmacist", "/pharmacy")
    come(clinic, "pharmacy", "other_patient")
    row = counter.locator("main tr").filter(has_text="SANTOS, Bento")
    expect(row).to_contain_text("Not enough", timeout=MOST)
    assert unbroken(counter)
    row.get_by_role("link", name="Open").click()
    hand_over = counter.get_by_role("button", name="Hand over")
    for wrong, born in (("Benita Santos", ("2", "1", "1951")), ("Bento Santos", ("2", "1", "1915"))):
        answer(counter, wrong, born)
        expect(counter.get_by_role("alert").first).to_be_visible()
        expect(hand_over).to_be_disabled()
    expect(counter.locator("#rx-state")).to_contain_text("2 wrong answers before")
    picture(counter, "stranger")
    answer(counter, "Bento Santos", ("2", "1", "1951"))
    expect(counter.locator("#rx-state")).to_contain_text("Identity checked")

    amount = counter.get_by_label(re.compile("^Hand over"))
    amount.fill("15")
    hand_over.click()
    expect(counter.get_by_role("alert").first).to_contain_text("10")
    picture(counter, "short")
    amount.fill("10")
    hand_over.click()
    expect(counter.locator("main")).to_contain_text("still owed")
    counter.goto("/pharmacy")
    expect(row).to_contain_text("Part handed over")
    row.get_by_role("link", name="Open").click()
    counter.get_by_role("button", name="End the visit, the rest later").click()
    counter.goto("/pharmacy")
    expect(
        counter.get_by_role("region", name="A part is still owed", exact=True).locator("tr", has_text="SANTOS")
    ).to_be_visible()
