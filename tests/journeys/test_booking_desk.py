"""The doctor books a course of visits, which the patient sees come; another is squeezed in; the desk books as well."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk, book, workday
from tests.journeys.test_two_browsers import live
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]


def of_patient(doctor: Page, name: str) -> None:
    """From the doctor's list to the page where a time is booked."""
    doctor.goto("/doctor/patients")
    doctor.get_by_role("link", name=name).first.click()
    doctor.get_by_role("link", name="Book a time").click()


def test_a_series_an_extra_patient_and_the_desk(clinic: Server, desk: Desk) -> None:
    patient, other, doctor, front = desk("patient"), desk("other_patient"), desk("doctor"), desk("receptionist")
    day, later = workday(clinic, 4), workday(clinic, 5)
    book(patient, clinic, day)
    book(other, clinic, later)
    patient.goto("/my/appointments")
    live(patient)

    # Three visits a week apart: looked at first, then booked together; the patient's open page shows them.
    of_patient(doctor, "PILLAI")
    doctor.get_by_label("From day").fill(later)
    doctor.get_by_role("button", name="Show").click()
    doctor.locator(f"section[aria-labelledby='slot-{later}'] label.slot").last.click()
    doctor.get_by_label("Times (2 to 52)").fill("3")
    doctor.get_by_role("button", name="Look at the dates").click()
    expect(doctor.get_by_role("heading", name="Dates of the series")).to_be_visible()
    assert Axe().run(doctor).response["violations"] == []
    doctor.get_by_role("button", name="Book them all").click()
    expect(doctor.get_by_text("The series is booked.")).to_be_visible()
    expect(doctor.get_by_role("button", name="Cancel from here on")).to_have_count(3)
    series = doctor.url
    assert Axe().run(doctor).response["violations"] == []
    expect(patient.locator("main a[href^='/my/appointments/']").nth(3)).to_be_visible()

    # The patient calls the rest off; on the doctor's page one date is left.
    patient.goto(series)
    patient.get_by_role("button", name="Cancel from here on").nth(1).click()
    expect(patient.get_by_text("Cancelled: 2.")).to_be_visible()
    doctor.reload()
    expect(doctor.get_by_role("button", name="Cancel from here on")).to_have_count(1)

    # The day's limit of extra patients, and one beside the time that is taken; without a reason it is refused.
    doctor.goto(f"/doctor/schedule/{clinic.people['schedule']}")
    doctor.get_by_label("At most so many a day").fill("1")
    doctor.locator("#extra, section").filter(has=doctor.get_by_role("heading", name="Extra patients")).get_by_role(
        "button", name="Save"
    ).last.click()
    expect(doctor.get_by_text("It is saved.", exact=True)).to_be_visible()
    of_patient(doctor, "SANTOS")
    doctor.get_by_label("From day").fill(day)
    doctor.get_by_role("button", name="Show").click()
    doctor.get_by_label("Why it cannot wait").fill("Pain since the morning")
    doctor.get_by_role("button", name="Book as an extra patient").click()
    expect(doctor.get_by_text("Booked:")).to_be_visible()
    of_patient(doctor, "SANTOS")
    doctor.get_by_label("From day").fill(day)
    doctor.get_by_role("button", name="Show").click()
    expect(doctor.get_by_role("button", name="Book as an extra patient")).to_have_count(0)

    # The desk finds the patient and books; it is offered no extra place.
    front.goto("/reception/find")
    front.get_by_role("searchbox").or_(front.locator("input[name=q]")).first.fill("Pillai")
    front.keyboard.press("Enter")
    front.get_by_role("link", name="Book a time").first.click()
    front.locator("label.slot").last.click()
    front.get_by_role("button", name="Book", exact=True).click()
    expect(front.get_by_text("Booked:")).to_be_visible()
