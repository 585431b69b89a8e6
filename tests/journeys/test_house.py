"""A manager shortens a day's hours and is shown whom it affects; a rule from tomorrow; two at one rule; a patient."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.journeys.conftest import Desk, book, workday
from tests.journeys.test_two_browsers import live
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
PATIENCE = 15_000


def test_hours_rules_and_two_managers(clinic: Server, desk: Desk) -> None:
    manager, other, patient = desk("manager"), desk("admin@example.org"), desk("patient")
    day = workday(clinic, 2)
    book(patient, clinic, day)

    # Shorter hours on a day with somebody booked: nothing is saved before the manager has decided.
    manager.goto("/admin/house")
    live(manager)
    manager.get_by_role("link", name="Change Holidays").first.click()
    manager.get_by_label("Day", exact=True).fill(day)
    manager.get_by_label("Name").fill("Founders' Day")
    manager.get_by_label("Open at these hours only").fill("14:00-16:00")
    manager.get_by_role("button", name="Add").click()
    expect(manager.get_by_role("heading", name="Patients are affected")).to_be_visible()
    expect(manager.get_by_role("region", name="Table: Affected appointments")).to_contain_text("PILLAI")
    assert Axe().run(manager).response["violations"] == []
    manager.get_by_label(re.compile("Keep them")).check()
    manager.get_by_role("button", name="Save the change").click()
    expect(manager.get_by_text("It is set.")).to_be_visible()

    # A patient sees the hours, and is offered no time outside of them.
    patient.goto("/hospitals/riverside")
    expect(patient.get_by_text("Founders' Day: 14:00–16:00")).to_be_visible()
    patient.goto(f"/book/time?service={clinic.people['service']}&doctor={clinic.people['doctor']}&from={day}")
    expect(patient.locator(f"section[aria-labelledby='slot-{day}'] .slot").first).to_contain_text("14:00")

    # A rule from tomorrow on. The other's open list follows; their older page is refused with both values.
    other.goto("/admin/house")
    live(other)
    stale = desk("admin@example.org")
    stale.goto("/admin/house/notice_hours")
    manager.goto("/admin/house/notice_hours")
    manager.get_by_label("Notice to cancel or move").fill("48")
    manager.get_by_label("Holds from the day").fill((date.today() + timedelta(days=2)).isoformat())
    manager.get_by_label("Reason").fill("Too many calls on the day")
    manager.get_by_role("button", name="Save").click()
    expect(manager.get_by_role("region", name="Table: Every version")).to_contain_text("before: 24 hours")
    row = other.get_by_role("row").filter(has_text="Notice to cancel or move")
    expect(row).to_contain_text("48 hours", timeout=PATIENCE)
    stale.get_by_label("Notice to cancel or move").fill("12")
    stale.get_by_role("button", name="Save").click()
    note = stale.get_by_role("alert").filter(has_text="Somebody else changed this meanwhile")
    expect(note).to_contain_text("12 hours")
    expect(note).to_contain_text("48 hours")
    expect(stale.get_by_label("Notice to cancel or move")).to_have_value("12")
    assert Axe().run(stale).response["violations"] == []

    # Undone before it began: it never will.
    manager.get_by_role("button", name="Undo 48 hours").click()
    expect(manager.get_by_text("Replaced before it began")).to_be_visible()
    expect(row).not_to_contain_text("48 hours", timeout=PATIENCE)
