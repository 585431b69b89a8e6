"""A bed from the request to the clean bed: one window works, two others follow without a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk
from tests.journeys.windows import MOST, live, mark, picture, unbroken
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
WING = """
import django
django.setup(set_prefix=False)
from uuid import UUID
from polyclinic.core.actors import SystemActor
from polyclinic.inpatient import wards
from polyclinic.visits import known
demo, place = SystemActor("demo"), UUID("{facility}")
ward = wards.add_ward(actor=demo, facility_id=place, name="Ward A", kind="general", sex="room")
for name in ("A1", "A2"):
    wards.add_bed(actor=demo, ward_id=ward.pk, name=name, room="Room 1")
known.remember(UUID("{patient}"), place)
"""


def test_a_bed_from_the_request_to_the_clean_bed(clinic: Server, desk: Desk) -> None:
    clinic.python("-c", WING.format(**{name: clinic.people[name] for name in ("facility", "patient")}))
    nurse, head = desk("nurse@example.org"), desk("main_doctor@example.org")
    front, boss = desk("receptionist"), desk("manager")
    for page in (front, boss):
        page.goto("/beds")
        mark(live(page))
    seen = front.locator("li.bed").filter(has_text="A1")
    plain = boss.locator("li.bed").filter(has_text="A1")
    free = boss.locator(".kpi").filter(has_text="Free").locator("dd")
    expect(free).to_contain_text("2")

    nurse.goto(f"/beds/request/{clinic.people['patient']}")
    nurse.get_by_label("Urgent").check()
    nurse.get_by_label("Why").fill("Pneumonia")
    nurse.get_by_role("button", name="Ask for a bed").click()
    expect(front.locator("#waiting").locator("xpath=../..")).to_contain_text("PILLAI, Meera", timeout=MOST)
    stay = nurse.url
    mark(live(nurse))

    # From the keyboard alone: the first bed of the list is the best.
    nurse.get_by_role("button", name=re.compile("^Reserve")).first.press("Enter")
    expect(seen).to_contain_text("Reserved", timeout=MOST)
    expect(seen).to_contain_text("PILLAI, Meera")
    expect(plain).to_contain_text("Reserved", timeout=MOST)
    expect(free).to_contain_text("1", timeout=MOST)
    picture(front, "beds-reserved")

    nurse.goto("/beds")
    nurse.get_by_role("button", name=re.compile("^Admit")).click()
    expect(seen).to_contain_text("Occupied", timeout=MOST)
    head.goto(stay)
    head.get_by_role("button", name="Order discharge").click()
    live(nurse)
    mark(nurse)
    expect(nurse.locator("li.bed").filter(has_text="A1")).to_contain_text("May leave", timeout=MOST)
    assert unbroken(nurse)
    expect(seen).to_contain_text("Occupied")
    nurse.get_by_role("button", name=re.compile("^Has left")).click()
    expect(seen).to_contain_text("To be cleaned", timeout=MOST)
    nurse.get_by_role("button", name=re.compile("^Start cleaning")).click()
    expect(plain).to_contain_text("Being cleaned", timeout=MOST)
    nurse.get_by_role("button", name=re.compile("^Clean")).click()
    for tile in (seen, plain):
        expect(tile).to_contain_text("Free", timeout=MOST)
    expect(free).to_contain_text("2", timeout=MOST)
    assert "PILLAI" not in boss.content()
    assert unbroken(front)
    assert unbroken(boss)
