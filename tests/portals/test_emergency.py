"""The emergency page for somebody without an account: the nearest free bed, an ambulance, and following it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Conflict
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities.models import Membership
from polyclinic.inpatient import wards
from polyclinic.inpatient.models import Bed
from polyclinic.transport import calling, crews, keeping
from polyclinic.transport.models import AmbulanceTrip
from polyclinic.web import ratelimit
from tests.house import House, account
from tests.portals.conftest import form, send
from tests.portals.test_ambulance import words
from tests.transport.garage import DEMO, Garage

Browser = Callable[[Any], Client]
KEY = "k" * 22
CALL = {"phone": "0555 12345", "address": "Lime Street 4", "latitude": "52.54", "longitude": "13.405"}


@pytest.fixture
def garage(house: House) -> Garage:
    return Garage(house)


def beds(house: House, facility: Any, free: int) -> None:
    ward = wards.add_ward(actor=DEMO, facility_id=facility.pk, name="Emergency", kind="emergency")
    for number in range(free + 1):
        wards.add_bed(actor=DEMO, ward_id=ward.pk, name=f"E{number}")
    Bed.objects.filter(ward=ward, name="E0").update(state="cleaning")


def asked(client: Client, **given: str) -> Any:
    """Fill in the form, look at what is to be confirmed, and confirm it."""
    page = client.get("/emergency/ambulance")
    page = send(client, page, "/emergency/ambulance", **CALL | given)
    assert page.status_code == 200, words(page)
    return send(client, page, "/emergency/ambulance", step="send")


def test_the_nearest_department_with_a_free_bed_comes_first(house: House, garage: Garage) -> None:
    keeping.place_station(actor=DEMO, facility_id=house.elsewhere.pk, latitude=52.60, longitude=13.405)
    beds(house, house.facility, 0)
    beds(house, house.elsewhere, 2)
    client = Client()
    page = send(client, client.get("/emergency"), "/emergency", latitude="52.53", longitude="13.405")
    said = words(page)
    near, far = said.index(house.facility.name), said.index(house.elsewhere.name)
    assert near < far, "ordered by the road"
    assert "Nearest with a free bed" in said[far:], "and the nearest that has a bed is named"
    assert "Nearest with a free bed" not in said[near:far]
    assert "Few emergency beds free" in said[far:]
    assert "about 1.6 km, 1–4 min by car" in said
    assert "<svg" in page.content.decode(), "the way there is drawn"
    assert "geo:52.52,13.405" in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"
    garage.manned()
    page = send(client, page, "/emergency", latitude="52.53", longitude="13.405")
    assert "An ambulance from here could be with you in 1–6 min" in words(page)


@pytest.mark.parametrize(("free", "told"), [(0, "No emergency bed free"), (2, "Few"), (3, "Emergency beds free")])
def test_beds_are_told_as_free_few_or_none_and_follow_the_board(house: House, free: int, told: str) -> None:
    beds(house, house.facility, free)
    client = Client()
    assert told in words(client.get("/emergency"))
    assert told in words(client.get(f"/emergency/beds/{house.facility.slug}"))
    assert "as of" in words(client.get("/emergency"))
    Bed.objects.update(state="occupied", since=clock.now() - timedelta(days=2))
    said = words(client.get(f"/emergency/beds/{house.facility.slug}"))
    assert "No emergency bed free" in said
    assert "no change told for a day" in said
    assert client.get("/emergency/beds/nowhere").status_code == 404


def test_a_place_can_be_written_and_one_that_is_unknown_says_so(house: House, garage: Garage) -> None:
    client = Client()
    page = client.get("/emergency")
    for where in (house.facility.name.upper(), " 52.53, 13.405 "):
        assert "km" in words(send(client, page, "/emergency", where=where))
    page = send(client, page, "/emergency", where="Atlantis")
    assert page.status_code == 422
    assert "This place is not known here" in words(page)
    assert send(client, page, "/emergency").status_code == 422
    assert send(client, page, "/emergency", latitude="95", longitude="1").status_code == 422


def test_from_the_call_without_an_account_to_free_again(house: House, garage: Garage, browser_of: Browser) -> None:
    caller, desk = Client(), browser_of(house.receptionist)
    answer = asked(caller, problem="Fell from a ladder", who="A man of about 60")
    assert answer.status_code == 303
    trip = AmbulanceTrip.objects.get()
    link = answer.headers["Location"]
    assert re.fullmatch(r"/a/[\w-]{22}", link)
    assert (trip.source, trip.patient_id, trip.state) == ("public", None, "requested")
    page = caller.get(link)
    assert "We are choosing an ambulance" in words(page)
    for secret in ("0555", "Lime Street", "ladder", "about 60"):
        assert secret not in page.content.decode(), "the link tells nothing of who called"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    board = words(desk.get("/ambulances"))
    assert all(one in board for one in ("Not identified", "A man of about 60", "Fell from a ladder", "0555 12345"))
    vehicle = garage.manned("A7", who=garage.crew)
    garage.send(trip, vehicle)
    assert "A7" in words(Client().get(f"{link}/state")), "whoever has the link follows it"
    assert caller.get(link).content.decode().count("map-vehicle") == 0, "not before the crew has set off"
    garage.take(trip, "acknowledge", "set_off")
    crews.report(actor=garage.crew, ambulance_id=vehicle.pk, latitude=52.53, longitude=13.405)
    page = caller.get(link)
    assert "The ambulance is on its way to you" in words(page)
    assert "map-vehicle" in page.content.decode()
    garage.take(trip, "arrive", "load", "deliver", "clear")
    assert "This trip is over" in words(caller.get(link))
    with clock.fixed(clock.now() + timedelta(hours=7)):
        assert caller.get(link).status_code == 404, "an old link shows nothing"


def test_two_clicks_are_one_call_and_one_telephone_has_one_ambulance(house: House, garage: Garage) -> None:
    client = Client()
    page = send(client, client.get("/emergency/ambulance"), "/emergency/ambulance", **CALL)
    first, second = (send(client, page, "/emergency/ambulance", step="send") for _click in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    again = asked(Client(), phone="0555-12345")
    assert again.status_code == 409
    assert "asked for with this telephone number already" in words(again)
    assert first.headers["Location"] not in again.content.decode(), "whoever knows a number does not get its link"
    assert AmbulanceTrip.objects.count() == 1
    assert OutboxEvent.objects.filter(type="ambulance.requested").count() == 1


def test_nothing_is_asked_for_before_the_place_is_confirmed(house: House, garage: Garage) -> None:
    client = Client()
    page = send(client, client.get("/emergency/ambulance"), "/emergency/ambulance", **CALL)
    assert all(one in words(page) for one in ("Is this the place?", "Lime Street 4", "Yes, send an ambulance"))
    assert not AmbulanceTrip.objects.exists()
    back = send(client, page, "/emergency/ambulance", step="start")
    assert 'value="Lime Street 4"' in back.content.decode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"phone": ""}, "Write a phone number that is answered now."),
        ({"phone": "12"}, "Write a phone number that is answered now."),
        ({"address": "", "latitude": "", "longitude": ""}, "Write where the ambulance must come to."),
        ({"latitude": "north"}, "Write degrees as a number"),
        ({"problem": "x" * 301}, "longer than can be stored"),
        ({"facilityId": "nonsense"}, "not complete"),
    ],
)
def test_a_call_that_lacks_something_is_told_what(
    house: House, garage: Garage, given: dict[str, str], said: str
) -> None:
    client = Client()
    page = send(client, client.get("/emergency/ambulance"), "/emergency/ambulance", **CALL | given)
    assert page.status_code == 422
    assert said in words(page)
    assert not AmbulanceTrip.objects.exists()


def test_a_form_that_is_not_ours_makes_no_call(house: House, garage: Garage) -> None:
    client = Client()
    page = send(client, client.get("/emergency/ambulance"), "/emergency/ambulance", **CALL)
    for key in ("", KEY, "forged"):
        assert send(client, page, "/emergency/ambulance", step="send", key=key).status_code == 422
    assert not AmbulanceTrip.objects.exists()


def test_many_calls_are_stopped_by_address_and_by_telephone(house: House, garage: Garage, settings: Any) -> None:
    settings.RATE_LIMITS = True
    ratelimit.reset()
    for number in range(10):
        assert asked(Client(), phone=f"0555 200{number}").status_code == 303
    assert asked(Client(), phone="0555 2999").status_code == 429
    ratelimit.reset()
    AmbulanceTrip.objects.update(state="cancelled", closed_at=clock.now())
    answers = []
    for _ in range(4):
        answers.append(asked(Client()).status_code)
        AmbulanceTrip.objects.update(state="cancelled", closed_at=clock.now())
    assert answers == [303, 303, 303, 429]
    ratelimit.reset()


def test_calls_from_everywhere_do_not_bury_the_board(house: House, garage: Garage) -> None:
    for number in range(calling.MOST_WAITING):
        calling.call(key=f"{number:022d}", phone=f"0555 3000{number}", address="Here", facility_id=house.facility.pk)
    with pytest.raises(Conflict, match="too_many_calls"):
        calling.call(key=KEY, phone="0555 99999", address="Here", facility_id=house.facility.pk)
    assert garage.other().pk, "the desk itself may always"


def test_the_caller_cancels_until_it_is_there(house: House, garage: Garage) -> None:
    client = Client()
    link = asked(client).headers["Location"]
    page = client.get(link)
    assert "No ambulance comes" in words(send(client, page, f"{link}/cancel"))
    assert "No ambulance comes" in words(client.get(link))
    trip = AmbulanceTrip.objects.get()
    assert (trip.state, trip.closed_at is not None) == ("cancelled", True)
    link = asked(client).headers["Location"]
    page, trip = client.get(link), AmbulanceTrip.objects.get(closed_at__isnull=True)
    garage.send(trip, garage.manned(who=garage.crew))
    garage.take(trip, "acknowledge", "set_off", "arrive")
    answer = client.post(f"{link}/cancel", form(page, f"{link}/cancel")["fields"])
    assert "The ambulance is with you" in words(answer)
    trip.refresh_from_db()
    assert trip.state == "on_scene"
    assert client.get("/a/" + "x" * 22).status_code == 404
    assert client.post("/a/" + "x" * 22 + "/cancel").status_code == 404


def test_who_it_was_is_joined_to_a_record_and_reads_are_noted(
    house: House, garage: Garage, browser_of: Browser
) -> None:
    asked(Client(), problem="Fell from a ladder")
    trip, desk = AmbulanceTrip.objects.get(), browser_of(house.receptionist)
    address = f"/ambulances/trips/{trip.pk}/identify"
    page = desk.get(address)
    assert send(desk, page, address, mrn="NOBODY").status_code == 422
    foreign = account("far.desk@example.org", "Far Desk")
    Membership.objects.create(account=foreign, facility=house.elsewhere, role="receptionist")
    stranger = browser_of(foreign)
    assert stranger.get(address).status_code == 404
    assert send(desk, page, address, mrn=house.patient.mrn).status_code == 303
    trip.refresh_from_db()
    assert trip.patient_id == house.patient.pk
    assert trip.problem == "Fell from a ladder", "sealed anew and still read"
    assert AuditEntry.objects.filter(action="ambulance_trip.identify", patient_id=house.patient.pk).count() == 1
    assert "Fell from a ladder" in words(desk.get(f"/ambulances/trips/{trip.pk}"))
    assert AuditEntry.objects.filter(action="ambulance_trip.read", patient_id=house.patient.pk).exists()
    assert "Lime Street 4" in words(browser_of(house.patient).get(f"/my/ambulance/{trip.pk}"))
    assert send(desk, page, address, mrn=house.patient.mrn).status_code == 409
    assert SystemActor("emergency-call").label == trip.requested_by
