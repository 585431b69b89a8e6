"""A manager's figures: a booking and a check-in elsewhere change the tiles, then a range, down to a day, and a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk
from tests.journeys.windows import MOST, live, mark, picture, unbroken
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
# The house moves to where it is noon, with hours all day: whenever this runs something can be booked for today.
NOON = """
import django
django.setup(set_prefix=False)
from datetime import UTC, datetime, time
from polyclinic.facilities.models import Facility
from polyclinic.scheduling.models import Schedule, WeeklyHours
ahead = 12 - datetime.now(UTC).hour
Facility.objects.filter(slug="riverside").update(time_zone=f"Etc/GMT{{-ahead:+d}}")
WeeklyHours.objects.filter(schedule_id="{schedule}").delete()
for weekday in range(7):
    WeeklyHours.objects.create(schedule_id="{schedule}", weekday=weekday, starts=time(0), ends=time(23, 59))
Schedule.objects.filter(pk="{schedule}").update(department_id="{department}", version=2)
"""
BOOK = """
import django
django.setup(set_prefix=False)
from uuid import UUID
from polyclinic.core.actors import Anonymous, SystemActor
from polyclinic.scheduling import actions, availability
schedule, patient = UUID("{schedule}"), UUID("{patient}")
free = availability.first_free(Anonymous(), schedule_id=schedule, limit=1)
made = actions.book(
    actor=SystemActor("demo"), patient_id=patient, schedule_id=schedule, starts=free[0].starts
)
print(made.pk)
"""
CHECK_IN = """
import django
django.setup(set_prefix=False)
from uuid import UUID
from polyclinic.core.actors import SystemActor
from polyclinic.scheduling import actions
actions.take(actor=SystemActor("demo"), appointment_id=UUID("{appointment}"), action="check_in")
"""


def test_from_a_live_tile_down_to_a_day_and_into_a_file(clinic: Server, desk: Desk, tmp_path: Path) -> None:
    named = {name: clinic.people[name] for name in ("schedule", "patient", "department")}
    clinic.python("-c", NOON.format(**named))
    boss = desk("manager")
    boss.goto("/analytics")
    mark(live(boss))
    tile = boss.locator(".kpi").filter(has_text="Appointments today").locator("dd")
    there = boss.locator(".kpi").filter(has_text="Checked in").locator("dd")
    expect(tile).to_have_text("0")
    made = clinic.python("-c", BOOK.format(**named)).split()[-1]
    expect(tile).to_have_text("1", timeout=MOST)
    expect(there).to_have_text("0")
    clinic.python("-c", CHECK_IN.format(appointment=made))
    expect(there).to_have_text("1", timeout=MOST)
    assert unbroken(boss)

    boss.get_by_role("link", name="7 days").click()
    expect(boss.locator("svg[role=img]").first).to_be_visible()
    picture(boss, "analytics")
    boss.get_by_text("The same as a table").first.click()
    boss.locator("#card-appointments").locator("xpath=../..").locator("tbody a").last.click()
    boss.get_by_role("link", name="General practice").click()
    boss.get_by_role("link", name=re.compile("Rao")).click()
    expect(boss.locator("tbody")).to_contain_text("Checked in")
    assert "Pillai" not in boss.content()
    boss.go_back()
    boss.goto("/analytics?days=7")
    with boss.expect_download() as saving:
        boss.get_by_role("link", name="As a table (CSV)").click()
    file = tmp_path / "days.csv"
    saving.value.save_as(file)
    lines = file.read_text().splitlines()
    assert lines[0].startswith("day,appointments,no_shows")
    assert (len(lines), lines[-1].split(",")[1]) == (8, "1")
