"""Sharing and break-glass before real browsers: what one decides, the other sees at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
MOST = 10_000


def identify(page: Page, number: str) -> None:
    """Type in the two identifiers of the hospital's patient."""
    page.get_by_label("Day").fill("17")
    page.get_by_label("Month").fill("May")
    page.get_by_label("Year").fill("1980")
    page.get_by_label("Record number (MRN)").fill(number)


def live(page: Page) -> Page:
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=MOST)
    return page


def test_shared_seen_withdrawn_and_said_on_the_open_page(clinic: Server, desk: Desk) -> None:
    patient, doctor = desk("patient"), desk("stranger_doctor")
    doctor.goto("/records")
    identify(doctor, "MRN0000001")
    doctor.get_by_role("button", name="Find", exact=True).click()
    expect(doctor.get_by_text("There is no record with these identifiers that you may open.")).to_be_visible()

    patient.goto("/my/sharing")
    patient.get_by_label("With whom").select_option(label="Hilltop Hospital")
    patient.get_by_role("button", name="Share", exact=True).click()
    expect(patient.get_by_role("button", name="Stop sharing")).to_be_visible()

    identify(doctor, "MRN0000001")
    doctor.get_by_role("button", name="Find", exact=True).click()
    expect(doctor.locator(".patient-name")).to_contain_text("PILLAI, Meera")
    live(doctor)
    live(patient)
    patient.get_by_role("button", name="Stop sharing").click()
    expect(doctor.get_by_text("This record is not open to you any more.")).to_be_visible(timeout=MOST)
    expect(doctor.locator(".patient-name")).to_have_count(0)
    assert doctor.reload().status == 404  # type: ignore[union-attr]


def test_break_glass_is_seen_by_the_patient_and_the_officer_at_once(clinic: Server, desk: Desk) -> None:
    patient, doctor, officer = desk("patient"), desk("other_doctor"), desk("privacy_officer@example.org")
    patient.goto("/my/sharing")
    officer.goto("/privacy")
    live(patient)
    live(officer)
    doctor.goto("/records/break-glass")
    identify(doctor, "MRN0000001")
    doctor.get_by_label("Why do you need this record now?").fill("Found unconscious in the street")
    doctor.get_by_role("button", name="Break the glass").click()
    expect(doctor.locator("[data-glass-text]")).to_have_text(re.compile(r"(60:00|59:\d\d) left"), timeout=MOST)
    expect(patient.get_by_text("Opened in an emergency")).to_be_visible(timeout=MOST)
    expect(officer.get_by_role("cell", name="Found unconscious in the street")).to_be_visible(timeout=MOST)

    live(doctor)
    doctor.get_by_role("button", name="Close now").click()
    doctor.wait_for_url("**/records")
    expect(officer.get_by_text("open now")).to_have_count(0, timeout=MOST)
    officer.get_by_role("link", name="Judge").click()
    officer.get_by_label("Justified", exact=True).check()
    officer.get_by_role("button", name="Save").click()
    expect(officer.get_by_text("Nothing to judge")).to_be_visible()
