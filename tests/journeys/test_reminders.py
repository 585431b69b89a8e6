"""A patient books, gets the mail, and taps that they come: the doctor's open list says so at once. Then a calendar."""

from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from icalendar import Calendar
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk, book, workday
from tests.journeys.test_two_browsers import live
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
PATIENCE = 15_000
# Whoever has not shown that an address is theirs gets no link that cancels.
CONFIRMED = """
import django; django.setup()
from polyclinic.core import clock
from polyclinic.people.models import Account
Account.objects.update(email_verified_at=clock.now())
"""


def mailed(clinic: Server, before: int) -> str:
    """The newest link of a reminder that the server has mailed (to its log) since its log was so long."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        found = re.findall(r"http://\S+?(/r/[\w-]{43})", clinic.log()[before:])
        if found:
            return str(found[-1])
        time.sleep(0.1)
    raise AssertionError(clinic.log()[before:][-2000:])


def tidy(page: Page) -> None:
    """Both themes, a phone, and nothing for assistive technology to trip over."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 800})


def test_book_get_the_mail_tap_and_the_doctor_sees_it(clinic: Server, desk: Desk) -> None:
    clinic.python("-c", CONFIRMED)
    day, before = workday(clinic, 4), len(clinic.log())
    doctor, patient = desk("doctor"), desk("patient")
    doctor.goto(f"/doctor?day={day}")
    live(doctor)
    made = book(patient, clinic, day)
    row = doctor.locator(f"#appointment-{made}")
    expect(row).to_contain_text("Waiting for confirmation", timeout=PATIENCE)
    link = mailed(clinic, before)

    # The phone on which the mail is read is signed in to nothing, and runs no scripts of ours.
    phone = desk("", java_script_enabled=False, viewport={"width": 390, "height": 844})
    phone.goto(link)
    assert "Rao" not in phone.content()
    phone.get_by_role("button", name="I am coming").click()
    expect(phone.get_by_text("Thank you: we expect you.")).to_be_visible()
    expect(row).to_contain_text("Confirmed by patient", timeout=PATIENCE)
    expect(row).to_contain_text("Waiting for confirmation")

    patient.goto(f"/my/appointments/{made}")
    expect(patient.get_by_text("You said that you come")).to_be_visible()

    # And cancels after all, after being asked.
    visitor = desk("")
    visitor.goto(link)
    tidy(visitor)
    visitor.get_by_role("link", name="I cannot come").click()
    expect(visitor.get_by_role("heading", name="Cancel this appointment?")).to_be_visible()
    tidy(visitor)
    visitor.get_by_role("button", name="Yes, cancel it").click()
    expect(visitor.get_by_role("heading", name="Your appointment is cancelled")).to_be_visible()
    expect(row).to_have_count(0, timeout=PATIENCE)
    visitor.goto(link)
    expect(visitor.get_by_role("heading", name="This link does not work")).to_be_visible()
    tidy(visitor)


def test_choosing_reminders_and_a_calendar_of_ones_own(clinic: Server, desk: Desk) -> None:
    day, patient = workday(clinic, 5), desk("patient")
    made = book(patient, clinic, day)
    patient.goto("/account")
    patient.get_by_role("link", name="Reminders").click()
    patient.get_by_label("7 days before").uncheck()
    patient.get_by_role("button", name="Save the reminders").click()
    expect(patient.get_by_text("Your choice is saved.")).to_be_visible()
    expect(patient.get_by_label("7 days before")).not_to_be_checked()
    patient.get_by_role("button", name="Give my calendar an address").click()
    address = patient.locator("p.code").inner_text()
    tidy(patient)
    path = re.sub(r"^https?://[^/]+", "", address)
    entries = Calendar.from_ical(clinic.request("GET", path)[2]).walk("VEVENT")
    assert f"{made}@polyclinic" in {str(one["uid"]) for one in entries}
    patient.get_by_role("button", name="Take the address away").click()
    expect(patient.get_by_role("button", name="Give my calendar an address")).to_be_visible()
    assert clinic.request("GET", path)[0] == 404
