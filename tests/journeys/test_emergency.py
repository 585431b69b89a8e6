"""Somebody without an account asks for an ambulance on a telephone; their window and the board move by themselves."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk
from tests.journeys.test_ambulance import FLEET
from tests.journeys.test_pharmacy import fair
from tests.journeys.windows import MOST, live, mark, picture, unbroken
from tests.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.service]
MANNED = """
from polyclinic.facilities.models import Membership
from polyclinic.inpatient import wards
from polyclinic.transport import crews
from polyclinic.transport.models import Ambulance
who = Membership.objects.get(facility_id=place, role="ambulance_crew").account_id
crews.begin(actor=demo, ambulance_id=Ambulance.objects.get(call_sign="R1").pk, seat="driver", account_id=who)
ward = wards.add_ward(actor=demo, facility_id=place, name="Emergency", kind="emergency")
wards.add_bed(actor=demo, ward_id=ward.pk, name="E1")
"""


def test_from_a_call_without_an_account_to_free_again(clinic: Server, desk: Desk) -> None:
    clinic.python("-c", FLEET.format(**clinic.people) + MANNED)
    board = desk("receptionist", viewport={"width": 1280, "height": 900})
    caller = desk(
        "", viewport={"width": 390, "height": 844}, permissions=["geolocation"],
        geolocation={"latitude": 52.54, "longitude": 13.405},
    )  # fmt: skip
    board.goto("/ambulances")
    live(board)
    mark(board)

    # Where the nearest free bed is, from the telephone's position.
    caller.goto("/emergency")
    caller.get_by_role("button", name="Use where I am").click()
    expect(caller.get_by_label("Latitude")).to_have_value("52.54000")
    caller.get_by_role("button", name="Show the nearest").click()
    expect(caller.get_by_text("Nearest with a free bed")).to_be_visible()
    expect(caller.get_by_text("Few emergency beds free")).to_be_visible()
    expect(caller.get_by_role("img", name="Map: the straight line")).to_be_visible()
    assert "52.5" not in caller.url
    fair(caller)
    picture(caller, "emergency-nearest")

    # An ambulance to this place: the form, the check, the link.
    caller.get_by_role("button", name="Ask for an ambulance to this place").click()
    caller.get_by_label("Phone that is with you now").fill("0555 12345")
    caller.get_by_label("What is wrong").fill("Fell from a ladder")
    fair(caller)
    picture(caller, "emergency-ask")
    caller.get_by_role("button", name="Next: check the place").click()
    expect(caller.get_by_role("heading", name="Is this the place?")).to_be_visible()
    fair(caller)
    picture(caller, "emergency-check")
    caller.get_by_role("button", name="Yes, send an ambulance").click()
    caller.wait_for_url("**/a/*")
    expect(caller.get_by_text("We are choosing an ambulance")).to_be_visible()
    live(caller)
    mark(caller)

    # It stands on the board by itself; the first window hears of every step.
    row = board.get_by_role("article", name="Not identified")
    expect(row).to_contain_text("Fell from a ladder", timeout=MOST)
    assert unbroken(board), "the call came without a reload"
    fair(board)
    picture(board, "emergency-board")
    row.get_by_role("button", name="Send R1").click()
    expect(caller.get_by_text("An ambulance was chosen")).to_be_visible(timeout=MOST)
    for said in ("By radio: Accepted", "By radio: Set off"):
        live(board)
        row.get_by_role("button", name=said).click()
    expect(caller.get_by_text("The ambulance is on its way to you")).to_be_visible(timeout=MOST)
    expect(caller.locator(".ticket-now")).to_contain_text("–")
    fair(caller)
    picture(caller, "emergency-follow")
    for said in ("At the patient", "To the hospital", "At the hospital", "Free again"):
        live(board)
        row.get_by_role("button", name=f"By radio: {said}").click()
    expect(caller.get_by_text("This trip is over")).to_be_visible(timeout=MOST)
    assert unbroken(caller), "the caller never reloaded"
    expect(board.get_by_text("Nobody waits for an ambulance")).to_be_visible()
