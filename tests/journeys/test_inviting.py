"""A manager invites a doctor, the doctor accepts, a patient books: three windows, and none of them is reloaded."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk, workday
from tests.journeys.test_two_browsers import live
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
PATIENCE = 15_000


def test_invited_accepted_and_booked(clinic: Server, desk: Desk) -> None:
    manager, doctor, patient = desk("manager"), desk("stranger_doctor"), desk("other_patient")
    doctor.goto("/doctor")
    live(doctor)
    badge = doctor.locator("[data-badge=invitations] [data-badge-count]")
    expect(doctor.locator("[data-badge=invitations]")).to_be_hidden()

    manager.goto("/admin/doctors/invite?q=stranger")
    manager.get_by_role("link", name=re.compile("Propose hours")).click()
    manager.get_by_role("button", name="Send the invitation").click()
    row = manager.get_by_role("row").filter(has_text="Dr Sam Stranger")
    expect(row).to_contain_text("Waiting", timeout=PATIENCE)
    live(manager)

    # The doctor's open page hears of it: badge and toast.
    expect(badge).to_have_text("1", timeout=PATIENCE)
    expect(doctor.locator(".toast").filter(has_text="A hospital invites you").first).to_be_visible(timeout=PATIENCE)
    doctor.get_by_role("link", name=re.compile("^Hospitals")).click()
    live(doctor)
    doctor.get_by_role("button", name=re.compile("^Accept")).click()
    expect(doctor.get_by_text("patients can book them now")).to_be_visible(timeout=PATIENCE)

    # The manager's open list has them, with the next free time, and says that they accepted.
    members = manager.get_by_role("region", name="Table: Doctors", exact=True)
    expect(members).to_contain_text("Dr Sam Stranger", timeout=PATIENCE)
    invited = manager.get_by_role("region", name="Table: Invited doctors")
    expect(invited).to_contain_text("Accepted", timeout=PATIENCE)
    here = members.get_by_role("row").filter(has_text="Dr Sam Stranger")
    expect(here.get_by_role("cell").last).to_have_text("0")

    # And a patient finds and books them there; the manager's list counts it, and so does the doctor's day.
    schedule, day = doctor.url.rsplit("/", 1)[1], workday(clinic, 3)
    address = f"/book/time?service={clinic.people['service']}&doctor={clinic.people['stranger_doctor']}&from={day}"
    patient.goto(address)
    patient.locator(f".slot:has(input[value^='{schedule}@'])").first.click()
    patient.get_by_role("button", name="Continue").click()
    patient.get_by_role("button", name="Book this time").click()
    patient.wait_for_url("**/booked")
    expect(here.get_by_role("cell").last).to_have_text("1", timeout=PATIENCE)
    expect(doctor.locator(".toast").filter(has_text="New appointment").first).to_be_visible(timeout=PATIENCE)
