"""A patient's day on the phone: the visit appears, moves with the queue, calls, ends; the same without JavaScript."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.journeys.conftest import Desk
from tests.journeys.test_two_browsers import MOST, live
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
PHONE = {"width": 390, "height": 844}
_HEAD = """
import django; django.setup(set_prefix=False)
from polyclinic.core.actors import SystemActor
from polyclinic.people.models import Patient
from polyclinic.facilities.models import Facility
from polyclinic.visits import actions, arranging, queues
from polyclinic.visits.models import QueueEntry, Visit
house, meera, bento = Facility.objects.get(slug="riverside"), *(
    Patient.objects.get(family_name=name) for name in ("Pillai", "Santos"))
me, place = SystemActor("demo"), dict(facility_id=house.pk)
def visit(of): return Visit.objects.filter(patient=of).latest("opened_at")
def call(of, name):
    counter = arranging.add_counter(actor=me, name=name, line="check", **place)
    entry = QueueEntry.objects.get(visit=visit(of), ended_at=None)
    queues.take(actor=me, entry_id=entry.pk, action="call", counter_id=counter.pk)
"""
# The house is shared: whoever another journey left in it goes first.
LEAVE = """
for one in Visit.objects.filter(patient__in=(bento, meera), closed_at=None):
    actions.leave(actor=me, visit_id=one.pk, reason="Went home")
"""


def do(clinic: Server, script: str) -> str:
    """What others in the house do, in a process of its own."""
    return clinic.python("-c", _HEAD + script).strip()


def test_the_visit_is_followed_from_the_door_to_its_end(clinic: Server, desk: Desk) -> None:
    phone = desk("patient", viewport=PHONE)
    do(clinic, LEAVE)
    phone.goto("/my")
    live(phone)
    panel = phone.locator(".visit-now")
    expect(panel).to_have_count(0)
    do(
        clinic,
        """
for one in (bento, meera):
    made = actions.register(actor=me, patient_id=one.pk, **place)
    actions.paid(actor=me, visit_id=made.pk)
""",
    )
    # It appears by itself, on the page that was open before there was a visit.
    expect(panel).to_contain_text("You wait for: First check", timeout=MOST)
    expect(panel).to_contain_text("1 person is before you", timeout=MOST)
    phone.reload()
    live(phone)
    # Somebody else is called: the place in the queue moves without anything having happened to this visit.
    do(clinic, "call(bento, 'Room 1')")
    expect(panel).to_contain_text("You are next", timeout=MOST)
    do(clinic, "call(meera, 'Room 2')")
    expect(panel).to_contain_text("It is your turn: Room 2", timeout=MOST)
    expect(phone).to_have_title(re.compile("^● It is your turn"))
    assert Axe().run(phone).response["violations"] == []
    phone.get_by_role("link", name=re.compile("^Details")).first.click()
    live(phone)
    do(
        clinic,
        """
actions.check(actor=me, visit_id=visit(meera).pk)
actions.diagnose(actor=me, visit_id=visit(meera).pk)
actions.finish(actor=me, visit_id=visit(meera).pk, how="no_medicine")
""",
    )
    expect(phone.locator("main")).to_contain_text("How it went", timeout=MOST)
    expect(phone.locator(".journey li").last).to_contain_text("Finished")
    phone.get_by_role("navigation", name="Main").locator("summary").click()
    phone.get_by_role("link", name="Visits", exact=True).first.click()
    expect(phone.locator("main")).to_contain_text("Finished")


def test_the_same_without_javascript_and_on_a_small_phone(clinic: Server, desk: Desk) -> None:
    key = do(
        clinic,
        """
made = actions.register(actor=me, patient_id=bento.pk, **place) if not Visit.objects.filter(
    patient=bento, closed_at=None).exists() else visit(bento)
print(made.pk)
""",
    ).splitlines()[-1]
    plain = desk("other_patient", java_script_enabled=False, viewport=PHONE)
    plain.goto("/my")
    expect(plain.locator(".visit-now")).to_contain_text(re.compile("You wait for|It is your turn"))
    plain.get_by_role("link", name=re.compile("^Details")).click()
    assert plain.url.endswith(f"/my/visits/{key}")
    expect(plain.locator(".journey li").first).to_contain_text("Front desk and fee")
    small = desk("other_patient", viewport={"width": 320, "height": 640})
    for path in ("/my", "/my/visits", f"/my/visits/{key}", "/my/prescriptions", "/my/invoices"):
        for scheme in ("light", "dark"):
            small.emulate_media(color_scheme=scheme)
            small.goto(path)
            assert small.evaluate("document.documentElement.scrollWidth") <= 320, path
            assert [(path, one["id"]) for one in Axe().run(small).response["violations"]] == []
    wide = desk("patient", viewport={"width": 1280, "height": 800})
    wide.goto("/my")
    assert wide.evaluate("document.documentElement.scrollWidth") <= 1280
