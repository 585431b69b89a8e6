"""A sick note from the doctor's window to the patient's, to paper, and to whoever is shown the sheet."""

from __future__ import annotations

import io
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pypdf import PdfReader

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
actions.check(actor=demo, visit_id=made.pk)
print(made.pk)
"""


def live(page: Page) -> Page:
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=MOST)
    return page


def no_faults(page: Page) -> None:
    """In both themes nothing that a screen reader stumbles over, and on a small telephone nothing beside the edge."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found = Axe().run(page).response["violations"]
        assert [(page.url, scheme, one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found] == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


def test_a_sick_note_from_the_doctor_to_whoever_checks_it(clinic: Server, desk: Desk) -> None:
    visit = clinic.python("-c", ARRIVE.format(**clinic.people)).strip()
    doctor, patient, anybody = desk("main_doctor@example.org"), desk("patient"), desk()
    patient.goto("/my/papers")
    live(patient)
    doctor.goto(f"/papers/visit/{visit}")
    no_faults(doctor)
    doctor.get_by_role("link", name="New sick note").click()
    no_faults(doctor)
    doctor.get_by_label("Remark").fill("Back on Monday")
    expect(doctor.locator("[data-autosave-state]")).to_contain_text("Draft kept at", timeout=MOST)
    # Another window of the same doctor's finds what was typed.
    doctor.reload()
    expect(doctor.get_by_label("Remark")).to_have_value("Back on Monday")
    doctor.get_by_label("Last day, included").fill("2020-01-01")
    doctor.get_by_role("button", name="Sign").click()
    expect(doctor.get_by_role("alert").first).to_contain_text("before the first")
    doctor.get_by_label("Last day, included").fill(doctor.get_by_label("First day").input_value())
    doctor.get_by_role("button", name="Sign").click()
    expect(doctor.get_by_text("It can be printed now.")).to_be_visible()
    no_faults(doctor)

    # The patient's list has it without reloading, and the sheet leads whoever scans it to the check.
    line = patient.get_by_role("listitem").filter(has_text="Sick note")
    expect(line).to_be_visible(timeout=MOST)
    no_faults(patient)
    answer = patient.request.get(line.get_by_role("link", name="Print").get_attribute("href") or "")
    assert answer.headers["content-type"] == "application/pdf"
    address = scanned(answer.body())
    anybody.goto(address)
    expect(anybody.get_by_role("heading", level=1)).to_have_text("Genuine")
    expect(anybody.locator("main")).to_contain_text("M. P.")
    expect(anybody.locator("main")).not_to_contain_text("Monday")
    no_faults(anybody)

    doctor.get_by_text("Withdraw it").click()
    doctor.get_by_label("Why?").fill("Wrong patient")
    doctor.get_by_role("button", name="Withdraw", exact=True).click()
    expect(doctor.get_by_text("Whoever checks a sheet of it is told so.")).to_be_visible()
    expect(line).to_contain_text("Withdrawn", timeout=MOST)
    anybody.reload()
    expect(anybody.get_by_role("heading", level=1)).to_have_text("Withdrawn")
    no_faults(anybody)
    anybody.goto("/verify")
    no_faults(anybody)


def scanned(pdf: bytes) -> str:
    """The address that is printed beside the square; that the square says the same is tried in `tests/papers`."""
    text = "".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())
    found = re.search(r"Checkthispaper(\S+?)/verify([0-9A-Z]{32})", text)
    assert found, text
    return f"http://{found[1]}/verify/{found[2]}"
