"""An ambulance from the call to free again before real browsers: nobody reloads, and everybody sees it at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk
from tests.journeys.test_pharmacy import fair
from tests.journeys.windows import MOST, live, mark, picture, unbroken
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
FLEET = """
import django
django.setup(set_prefix=False)
from uuid import UUID
from polyclinic.core.actors import SystemActor
from polyclinic.transport import keeping
demo, place = SystemActor("demo"), UUID("{facility}")
keeping.place_station(actor=demo, facility_id=place, latitude=52.52, longitude=13.405)
for sign, kind in (("R1", "basic"), ("R2", "advanced")):
    keeping.add(actor=demo, facility_id=place, call_sign=sign, kind=kind)
"""


def test_from_the_call_to_free_again(clinic: Server, desk: Desk) -> None:
    clinic.python("-c", FLEET.format(**clinic.people))
    phone = {"viewport": {"width": 390, "height": 844}}
    where = {"geolocation": {"latitude": 52.525, "longitude": 13.41}, "permissions": ["geolocation"]}
    board = desk("receptionist", viewport={"width": 1280, "height": 900})
    crew, patient = desk("ambulance_crew@example.org", **phone, **where), desk("patient", **phone)

    crew.goto("/ambulance")
    crew.get_by_label("R1 · Driver").check()
    crew.get_by_role("button", name="Begin").click()
    live(crew)
    expect(crew.get_by_text("No trip", exact=True)).to_be_visible()
    expect(crew.get_by_text("Your position is being sent.")).to_be_visible(timeout=MOST)
    board.goto("/ambulances")
    live(board)
    expect(board.get_by_text("Position of now")).to_be_visible()
    fair(board)

    # The patient asks; it stands on the board by itself, with the one that is free.
    patient.goto("/my/ambulance")
    fair(patient)
    patient.get_by_label("Where you are").fill("Lime Street 4")
    patient.get_by_label("Latitude").fill("52.54")
    patient.get_by_label("Longitude").fill("13.405")
    patient.get_by_label("Phone that is with you now").fill("555 7")
    patient.get_by_label("What is wrong").fill("Dizzy since this morning")
    patient.get_by_role("button", name="Ask for an ambulance").click()
    live(patient)
    expect(patient.get_by_text("We are choosing an ambulance")).to_be_visible()
    for page in (board, crew, patient):
        mark(page)
    row = board.get_by_role("article", name="PILLAI, Meera")
    expect(row).to_contain_text("Dizzy since this morning", timeout=MOST)
    fair(board)
    picture(board, "ambulance-board")
    row.get_by_role("button", name="Send R1").click()
    live(board)
    mark(board)

    # One press a step; the other two see each.
    steps = (
        ("Accept the trip", "Accepted by the crew", "The crew has accepted"),
        ("We are on our way", "On its way", "The ambulance is on its way to you"),
        ("We are at the patient", "At the patient", "The ambulance is with you"),
        ("Drive to the hospital", "To the hospital", "You are on the way to the hospital"),
        ("We are at the hospital", "At the hospital", "You are at the hospital"),
    )
    expect(crew.get_by_role("button", name="Accept the trip")).to_be_visible(timeout=MOST)
    assert unbroken(crew), "the trip came without a reload"
    fair(crew)
    picture(crew, "ambulance-crew")
    for said, on_board, to_patient in steps:
        crew.get_by_role("button", name=said).click()
        expect(row.locator(".tag").nth(1)).to_have_text(on_board, timeout=MOST)
        expect(patient.get_by_text(to_patient)).to_be_visible(timeout=MOST)
        if said == "We are on our way":
            expect(patient.locator(".ticket-now")).to_contain_text("–")
            fair(patient)
            picture(patient, "ambulance-patient")
    crew.get_by_label("What came of it").fill("Handed over, stable")
    crew.get_by_role("button", name="Handed over: we are free").click()
    expect(crew.get_by_text("No trip", exact=True)).to_be_visible()
    expect(board.get_by_text("Nobody waits for an ambulance")).to_be_visible(timeout=MOST)
    expect(patient.get_by_role("heading", name="Your ambulance")).to_have_count(0, timeout=MOST)
    assert unbroken(board)
    assert unbroken(patient)
    board.get_by_role("link", name="PILLAI, Meera").click()
    expect(board.get_by_text("Handed over, stable")).to_be_visible()
    fair(board)
    board.goto("/ambulances/request")
    fair(board)
    boss = desk("manager")
    boss.goto("/ambulances/fleet")
    fair(boss)
