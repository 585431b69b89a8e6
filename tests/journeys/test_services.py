"""A manager declares an ultrasound with one device; two receptionists want it at once for two doctors; one gets it."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk, book, workday
from tests.journeys.test_two_browsers import live
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
PATIENCE = 15_000


def declare(manager: Page, watching: Page) -> None:
    """The device, the service and its terms, as a manager clicks them; a colleague's open page follows."""
    manager.goto("/admin/services")
    watching.goto("/admin/services")
    live(watching)
    assert Axe().run(manager).response["violations"] == []
    manager.get_by_label("Kind of device").fill("Ultrasound")
    manager.get_by_role("button", name="Add the equipment").click()
    expect(watching.get_by_role("region", name="Table: Equipment")).to_contain_text("Ultrasound", timeout=PATIENCE)
    manager.get_by_label("Name", exact=True).fill("Abdominal ultrasound")
    manager.get_by_role("button", name="Add the service").click()
    expect(manager.get_by_role("heading", name="Abdominal ultrasound")).to_be_visible()
    manager.get_by_role("checkbox", name="Ultrasound").check()
    manager.get_by_label("How long, in minutes").fill("20")
    manager.get_by_role("button", name="Save the terms").click()
    expect(manager.get_by_text("It is set.")).to_be_visible()
    assert Axe().run(manager).response["violations"] == []
    row = watching.get_by_role("row").filter(has_text="Abdominal ultrasound")
    expect(row).to_contain_text("20 minutes", timeout=PATIENCE)


def ready(front: Page, patient: str, doctor: str, day: str) -> None:
    """Up to the button: patient, doctor, service, day and the first time are chosen."""
    front.goto(f"/bookings/{patient}")
    front.get_by_label("Doctor").select_option(doctor)
    front.get_by_role("button", name="Show").click()
    front.get_by_label("Service").select_option("Abdominal ultrasound")
    front.get_by_label("From day").fill(day)
    front.get_by_role("button", name="Show").click()
    front.locator(f"section[aria-labelledby='slot-{day}'] label.slot").first.click()


def test_one_device_two_desks(clinic: Server, desk: Desk) -> None:
    for who, number in (("patient", 1), ("other_patient", 2)):
        book(desk(who), clinic, workday(clinic, number))
    manager, watching = desk("manager"), desk("admin@example.org")
    declare(manager, watching)

    day, fronts = workday(clinic, 5), [desk("receptionist"), desk("receptionist")]
    ready(fronts[0], clinic.people["patient"], clinic.people["schedule"], day)
    ready(fronts[1], clinic.people["other_patient"], clinic.people["other_schedule"], day)
    assert Axe().run(fronts[0]).response["violations"] == []
    # Both press before either has an answer.
    for front in fronts:
        front.evaluate("document.querySelector('button[name=deed][value=one]').click()")
    for front in fronts:
        expect(front.get_by_text(re.compile("Booked:|The next free times")).first).to_be_visible()
    lost = [front for front in fronts if front.get_by_text("The next free times").count()]
    assert len(lost) == 1
    note = lost[0].locator(".note").filter(has_text="The next free times")
    expect(note).to_contain_text(re.compile(r"09:20, \S+ 09:40, \S+ 10:00"))
    expect(lost[0].locator(".error-summary")).to_contain_text("This time has just been taken")
    assert Axe().run(lost[0]).response["violations"] == []

    # The next one is as good.
    lost[0].locator(f"section[aria-labelledby='slot-{day}'] label.slot").first.click()
    lost[0].get_by_role("button", name="Book", exact=True).click()
    expect(lost[0].get_by_text("Booked:")).to_be_visible()

    # The doctor reads with what, and the manager, who wants to send the device away, whom it concerns.
    doctor = desk("doctor")
    doctor.goto(f"/doctor?day={day}")
    expect(doctor.get_by_role("row").filter(has_text="Abdominal ultrasound")).to_contain_text("Ultrasound")
    manager.goto("/admin/services")
    manager.get_by_label("How many of Ultrasound").fill("0")
    manager.get_by_role("button", name="Set Ultrasound").click()
    expect(manager.get_by_role("heading", name="Patients are affected")).to_be_visible()
    expect(manager.get_by_role("region", name="Table: Affected appointments").get_by_role("row")).to_have_count(3)
