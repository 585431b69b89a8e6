"""The pages of ambulances as their people use them without JavaScript: the board, the fleet, the crew, the patient."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from polyclinic.core import clock
from polyclinic.portals.ambulance import drawing
from polyclinic.transport import selectors
from polyclinic.transport.models import Ambulance, AmbulanceTrip, CrewShift
from polyclinic.transport.rows import StationRow
from tests.house import House
from tests.portals.conftest import form, forms, send
from tests.transport.garage import NEAR, Garage

Browser = Callable[[Any], Client]


@pytest.fixture
def garage(house: House) -> Garage:
    return Garage(house)


def press(client: Client, page: Any, address: str, step: str) -> int:
    """Press a step's button on a page that was fetched before."""
    return int(client.post(address, {**form(page, address)["fields"], "action": step}).status_code)


def words(page: Any) -> str:
    """What a page says, without its marks."""
    body = re.sub(r"<(script|svg).*?</\1>", "", page.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_from_the_call_to_free_again_on_three_screens(garage: Garage, house: House, browser_of: Browser) -> None:
    garage.add("A1")
    crew, desk, patient = (
        browser_of(who) for who in (house.staff["ambulance_crew"], house.receptionist, house.patient)
    )
    # The crew begins.
    page = crew.get("/ambulance")
    seat = form(page, "/ambulance/begin")["radios"]["seat"][0]
    assert send(crew, page, "/ambulance/begin", seat=seat).status_code == 303
    assert "No trip" in words(crew.get("/ambulance"))
    # The patient asks, twice.
    page = patient.get("/my/ambulance")
    assert "call your local emergency number first" in words(page)
    given = {
        "phone": "555 7",
        "address": "Lime Street 4",
        "problem": "Dizzy",
        "latitude": "52.54",
        "longitude": "13,405",
    }
    for _click in range(2):
        assert send(patient, page, "/my/ambulance", **given).status_code == 303
    trip = AmbulanceTrip.objects.get()
    assert "We are choosing an ambulance" in words(patient.get("/my/ambulance"))
    # The desk sees it with a suggestion, and sends.
    page = desk.get("/ambulances")
    assert all(said in words(page) for said in ("PILLAI, Meera", "Lime Street 4", "Dizzy", "Send A1", "about 3.2 km"))
    assert "nearest" in words(page)
    assert send(desk, page, f"/ambulances/trips/{trip.pk}/dispatch").status_code == 303
    assert "A1" in words(patient.get("/my/ambulance/state"))
    # The crew presses its one button until it is free.
    for said in ("Accept the trip", "We are on our way", "We are at the patient", "Drive to the hospital",
                 "We are at the hospital", "Handed over: we are free"):  # fmt: skip
        page = crew.get("/ambulance")
        assert said in words(page)
        found = re.search(rf'name="action" value="(\w+)"><span>{said}', page.content.decode())
        assert found
        assert press(crew, page, f"/ambulance/trips/{trip.pk}/step", found[1]) == 303
    trip.refresh_from_db()
    assert trip.state == "cleared"
    assert "Finished" in words(desk.get(f"/ambulances/trips/{trip.pk}"))
    record = words(patient.get(f"/my/ambulance/{trip.pk}"))
    assert all(said in record for said in ("At the patient", "Finished", "A1", "3.2 km to the patient"))
    assert send(crew, crew.get("/ambulance"), "/ambulance/end").status_code == 303
    assert CrewShift.objects.get().ended_at is not None


def test_a_step_pressed_twice_is_one_step(garage: Garage, house: House, browser_of: Browser) -> None:
    garage.send(trip := garage.ask(), garage.manned(who=garage.crew))
    crew = browser_of(house.staff["ambulance_crew"])
    page = crew.get("/ambulance")
    for _tap in range(2):
        assert press(crew, page, f"/ambulance/trips/{trip.pk}/step", "acknowledge") == 303
    trip.refresh_from_db()
    assert trip.state == "acknowledged"
    page = words(crew.get("/ambulance"))
    assert "We are on our way" in page
    assert "not possible" not in page
    # Another button of an old page is told to whoever pressed it.
    assert press(crew, crew.get("/ambulance"), f"/ambulance/trips/{trip.pk}/step", "load") == 303
    assert "not possible" in words(crew.get("/ambulance"))


def test_two_dispatchers_and_one_ambulance(garage: Garage, house: House, browser_of: Browser) -> None:
    garage.manned("A1")
    first, second = garage.ask(), garage.other()
    desk, nurse = browser_of(house.receptionist), browser_of(house.staff["nurse"])
    pages = desk.get("/ambulances"), nurse.get("/ambulances")
    send(desk, pages[0], f"/ambulances/trips/{first.pk}/dispatch")
    send(nurse, pages[1], f"/ambulances/trips/{second.pk}/dispatch")
    told = words(nurse.get("/ambulances"))
    assert "A1 has just been sent elsewhere" in told
    assert "No ambulance is free" in told


def test_what_the_desk_types_stays_when_it_is_refused(garage: Garage, house: House, browser_of: Browser) -> None:
    desk = browser_of(house.receptionist)
    page = desk.get("/ambulances/request")
    answer = send(desk, page, "/ambulances/request", phone="1", address="Mill Lane", latitude="north", who="A child")
    assert answer.status_code == 422
    assert "Write degrees as a number" in words(answer)
    assert 'value="Mill Lane"' in answer.content.decode()
    assert not AmbulanceTrip.objects.exists()
    assert send(desk, page, "/ambulances/request", phone="1", address="Mill Lane", who="A child").status_code == 303
    assert "A child" in words(desk.get("/ambulances"))


def test_cancelled_with_a_reason(garage: Garage, house: House, browser_of: Browser) -> None:
    trip, desk, patient = garage.ask(), browser_of(house.receptionist), browser_of(house.patient)
    page = desk.get(f"/ambulances/trips/{trip.pk}/cancel")
    assert desk.post(f"/ambulances/trips/{trip.pk}/cancel", form(page, "")["fields"]).status_code in (422, 403)
    page = patient.get("/my/ambulance")
    assert send(patient, page, f"/my/ambulance/{trip.pk}/cancel", reason="Better").status_code == 303
    trip.refresh_from_db()
    assert trip.state == "cancelled"
    assert browser_of(house.other_patient).get(f"/my/ambulance/{trip.pk}").status_code == 404


def test_the_fleet_page(garage: Garage, house: House, browser_of: Browser) -> None:
    boss = browser_of(house.manager)
    page = boss.get("/ambulances/fleet")
    assert send(boss, page, "/ambulances/fleet", call_sign="R1", kind="advanced").status_code == 303
    answer = send(boss, page, "/ambulances/fleet", call_sign="R1", kind="basic")
    assert answer.status_code == 422
    assert "There is an ambulance with this call sign" in words(answer)
    made = Ambulance.objects.get()
    assert (
        send(boss, boss.get("/ambulances/fleet"), f"/ambulances/vehicles/{made.pk}/withdraw", reason="Oil").status_code
        == 303
    )
    page = boss.get("/ambulances/fleet")
    assert "Out of service" in words(page)
    assert send(boss, page, f"/ambulances/vehicles/{made.pk}/restore").status_code == 303
    assert send(boss, page, "/ambulances/station", latitude="91", longitude="0").status_code == 422
    assert send(boss, page, "/ambulances/station", latitude="1.5", longitude="2").status_code == 303


def test_the_position_comes_by_the_page_and_an_old_one_is_said_to_be_old(
    garage: Garage, house: House, browser_of: Browser
) -> None:
    vehicle, crew = garage.manned(who=garage.crew), browser_of(house.staff["ambulance_crew"])
    page = crew.get("/ambulance")
    assert "geolocation=(self)" in page.headers["Permissions-Policy"]
    assert "Permissions-Policy" not in crew.get("/ambulances").headers
    assert send(crew, page, "/ambulance/position", latitude="52.54", longitude="13.405").status_code == 204
    vehicle.refresh_from_db()
    assert (vehicle.latitude, vehicle.moves) == (52.54, 1)
    desk = browser_of(house.receptionist)
    assert "Position of now" in words(desk.get("/ambulances/board"))
    Ambulance.objects.update(position_at=clock.now() - timedelta(minutes=9))
    assert "Old position" in words(desk.get("/ambulances/board"))


def test_who_may_not_send_only_looks(garage: Garage, house: House, browser_of: Browser) -> None:
    garage.manned()
    trip = garage.ask()
    doctor = browser_of(house.staff["main_doctor"])
    page = doctor.get("/ambulances")
    assert "PILLAI, Meera" in words(page)
    assert not [one for one in forms(page) if "/dispatch" in one["action"]]
    assert doctor.post(f"/ambulances/trips/{trip.pk}/dispatch").status_code == 403
    assert browser_of(house.patient).get("/ambulances").status_code == 404
    assert browser_of(house.stranger_receptionist).get(f"/ambulances/trips/{trip.pk}").status_code == 404


def test_the_crew_is_led_to_its_page(house: House, browser_of: Browser) -> None:
    crew = browser_of(house.staff["ambulance_crew"])
    assert crew.get("/home").headers["Location"] == "/ambulance"
    assert "There is no ambulance here yet" in words(crew.get("/ambulance"))


def _station(latitude: float = 52.52, longitude: float = 13.405) -> StationRow:
    from polyclinic.core.ids import new_id

    return StationRow(new_id(), "Riverside", "UTC", latitude, longitude, 1)


def test_the_map_is_drawn_to_scale(garage: Garage) -> None:
    garage.manned()
    Ambulance.objects.update(latitude=NEAR[0], longitude=NEAR[1], position_at=clock.now())
    garage.ask()
    place = garage.house.facility.pk
    trips, fleet = selectors.trips(garage.desk, place), selectors.fleet(garage.desk, place)
    found = drawing.spots(_station(), fleet, trips)
    assert [one.kind for one in found] == ["station", "pickup", "vehicle free"] or [one.kind for one in found] == [
        "station", "pickup", "vehicle busy",
    ]  # fmt: skip
    # 0.02 degrees of latitude are 2.22 km north; a pick-up there is as far up as its vehicle.
    assert found[1].north == pytest.approx(2.22, abs=0.01)
    assert (found[1].east, found[2].north) == (pytest.approx(0), pytest.approx(found[1].north))
    scale, _east, north = drawing.scale_of(found)
    assert north == pytest.approx(1.11, abs=0.01)
    assert drawing.bar_of(scale) * scale <= 140
    text = str(drawing.draw(_station(), fleet, trips))
    assert text.count("<circle") == 1
    assert ">A1</text>" in text
    assert "http" not in text


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(90, 0), (-90, 180), (0, 180), (0, -180)], ids=["pole", "south", "east", "west"]
)
def test_the_map_is_drawn_anywhere(garage: Garage, latitude: float, longitude: float) -> None:
    garage.manned()
    Ambulance.objects.update(latitude=latitude, longitude=-longitude, position_at=clock.now())
    fleet = selectors.fleet(garage.desk, garage.house.facility.pk)
    text = str(drawing.draw(_station(latitude, longitude), fleet, []))
    assert "nan" not in text
    # The date line is no edge: what is on its other side is near.
    assert text.count("<circle") == 1


def test_a_name_cannot_break_the_map(garage: Garage) -> None:
    garage.manned('<b>"')
    Ambulance.objects.update(latitude=NEAR[0], longitude=NEAR[1], position_at=clock.now())
    fleet = selectors.fleet(garage.desk, garage.house.facility.pk)
    assert "<b>" not in str(drawing.draw(_station(), fleet, []))
