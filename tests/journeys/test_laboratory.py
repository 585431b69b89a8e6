"""From the order to the alarm and to the patient, before real browsers: what one does, the others see at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
MOST = 10_000
ARRIVE = """
import django
django.setup(set_prefix=False)
from polyclinic.core.actors import SystemActor
from polyclinic.visits import actions
from tests.journeys.arriving import arrive
demo = SystemActor("demo")
made = arrive("{patient}", "{facility}", "{doctor}")
actions.paid(actor=demo, visit_id=made.pk)
print(made.pk)
"""


def live(page: Page) -> Page:
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=MOST)
    return page


def box(page: Page, test: str) -> Page:
    return page.get_by_role("row", name=test).get_by_role("textbox")  # type: ignore[return-value]


def test_a_critical_potassium_from_the_order_to_the_patient(clinic: Server, desk: Desk) -> None:
    visit = clinic.python("-c", ARRIVE.format(**clinic.people)).strip()
    checker, bench, head = (desk(f"{role}@example.org") for role in ("checker_doctor", "lab_technician", "main_doctor"))
    bench.goto("/lab?stage=collect")
    live(bench)
    checker.goto(f"/lab/order/{visit}")
    checker.get_by_label("Electrolytes").check()
    checker.get_by_label("At once").check()
    checker.get_by_role("button", name="Order", exact=True).click()

    # The bench sees it without reloading.
    bench.get_by_role("link", name="Open").click(timeout=MOST)
    bench.get_by_role("button", name="Collected").click()
    bench.get_by_role("button", name="Received").click()
    for test, value in (("Sodium", "140"), ("Potassium", "7,1"), ("Chloride", "104"), ("Bicarbonate", "24")):
        box(bench, test).fill(value)
    bench.get_by_role("button", name="Save results").click()
    # A comma is refused by name, and nothing typed is lost.
    expect(bench.get_by_role("alert").first).to_contain_text("with a point")
    expect(box(bench, "Sodium")).to_have_value("140")
    box(bench, "Potassium").fill("7.1")
    bench.get_by_role("button", name="Save results").click()
    expect(bench.get_by_role("row", name="Potassium")).to_contain_text("HH")
    expect(bench.get_by_role("row", name="Anion gap")).to_contain_text("12")
    bench.get_by_role("button", name="Verify all").click()
    expect(bench.get_by_text("somebody else must verify")).to_be_visible()

    live(checker)
    head.goto(bench.url)
    head.get_by_role("button", name="Verify Potassium").click()
    # Who asked is interrupted, aloud, wherever they are.
    alarm = checker.locator("#main > .note.bad")
    expect(alarm).to_contain_text("A critical laboratory result needs you now.", timeout=MOST)
    expect(checker.locator("[data-announce=assertive]")).to_contain_text("critical")
    alarm.get_by_role("link").click()
    checker.get_by_label("What do you do about it?").fill("ECG, calcium given")
    checker.get_by_role("button", name="Acknowledge").click()
    expect(checker.get_by_text("Nobody else is called.")).to_be_visible()

    patient = desk("patient")
    patient.goto("/my/results")
    live(patient)
    expect(patient.get_by_text("No results yet")).to_be_visible()
    head.get_by_role("button", name="Release all to the patient").click()
    patient.locator("[data-live-region] .list a").click(timeout=MOST)
    expect(patient.get_by_role("heading", name="Potassium")).to_be_visible()
    expect(patient.get_by_text("Far outside the usual range.")).to_be_visible()
    expect(patient.locator("svg.line").first).to_be_visible()
