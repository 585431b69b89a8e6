"""Ambulances over REST: from the request to the vehicle being free again, with refusals that name their way out."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.transport.models import Ambulance, AmbulanceTrip
from tests.api.calling import bearer, call
from tests.house import House
from tests.transport.garage import Garage

pytestmark = pytest.mark.django_db


@pytest.fixture
def garage(house: House) -> Garage:
    return Garage(house)


def test_from_the_request_to_free_again(garage: Garage, house: House) -> None:
    vehicle = garage.manned(who=garage.crew)
    patient, desk, crew = (bearer(one) for one in (house.patient, house.receptionist, house.staff["ambulance_crew"]))
    wish = {
        "patientId": house.patient.pk, "phone": "555 7", "address": "Lime Street 4", "latitude": 52.54,
        "longitude": 13.405, "problem": "Dizzy",
    }  # fmt: skip
    # Twice with one key is once.
    made = [
        call("POST", "/api/ambulance-bookings", body=wish, headers={**patient, "Idempotency-Key": "k1"})
        for _ in range(2)
    ]
    assert [one.status for one in made] == [201, 201]
    assert made[0].json["id"] == made[1].json["id"]
    again = call("POST", "/api/ambulance-bookings", body=wish, headers=patient)
    assert (again.status, again.code, again.json["tripId"]) == (409, "trip_open", made[0].json["id"])
    address = f"/api/ambulance-bookings/{made[0].json['id']}"
    listed = call("GET", f"/api/ambulance-bookings?hospitalId={house.facility.pk}", headers=desk).json
    assert [row["problem"] for row in listed["data"]] == ["Dizzy"]
    best = call("GET", f"{address}/suggestions", headers=desk).json["data"][0]
    assert (best["callSign"], best["km"], best["reasons"]) == ("A1", 3.2, ["nearest", "fits", "from_station"])
    sent = call("POST", f"{address}/dispatch", body={"ambulanceId": best["ambulanceId"], "version": 1}, headers=desk)
    assert (sent.status, sent.json["status"], sent.headers["etag"]) == (200, "dispatched", '"2"')
    stale = call("POST", f"{address}/dispatch", body={"ambulanceId": vehicle.pk, "version": 1}, headers=desk)
    assert stale.status in (409, 412)
    numbers = call("GET", f"/api/hospitals/{house.facility.pk}/ambulance-availability", headers=desk).json
    assert (numbers["busy"], numbers["free"], numbers["waiting"]) == (1, 0, 0)
    for status in ("acknowledged", "en_route", "on_scene", "transporting", "at_hospital", "cleared"):
        answer = call("PUT", f"{address}/status", body={"status": status, "outcome": "Well"}, headers=crew)
        assert (answer.status, answer.json["status"]) == (200, status)
    told = call("GET", address, headers=patient).json
    assert (told["outcome"], len(told["steps"])) == ("Well", 8)
    assert call("GET", "/api/ambulance-bookings", headers=patient).json["pagination"]["total"] == 1
    assert call("GET", address, headers=bearer(house.other_patient)).status == 404


def test_the_loser_hears_who_was_quicker(garage: Garage, house: House) -> None:
    vehicle, desk = garage.manned(), bearer(house.receptionist)
    garage.send(garage.ask(), vehicle)
    late = call(
        "POST", f"/api/ambulance-bookings/{garage.other().pk}/dispatch", body={"ambulanceId": vehicle.pk}, headers=desk
    )
    assert (late.status, late.code, late.json["field"]) == (409, "ambulance_taken", "ambulanceId")


def test_the_fleet_its_shifts_and_positions(garage: Garage, house: House) -> None:
    boss, crew = bearer(house.manager), bearer(house.staff["ambulance_crew"])
    made = call(
        "POST",
        f"/api/hospitals/{house.facility.pk}/ambulances",
        body={"callSign": "R1", "kind": "advanced"},
        headers=boss,
    )
    assert (made.status, made.json["status"]) == (201, "no_crew")
    address = f"/api/ambulances/{made.json['id']}"
    assert call("POST", f"{address}/shift", body={"seat": "driver"}, headers=crew).json["status"] == "free"
    assert call("POST", f"{address}/shift", body={"seat": "attendant"}, headers=crew).code == "on_shift"
    assert call("PUT", f"{address}/position", body={"latitude": 52.5, "longitude": 13.4}, headers=crew).status == 204
    listed = call("GET", f"/api/hospitals/{house.facility.pk}/ambulances", headers=boss).json["data"]
    assert [(row["latitude"], row["fresh"], row["crew"][0]["seat"]) for row in listed] == [(52.5, True, "driver")]
    assert call("POST", "/api/ambulances/shift/end", headers=crew).status == 204
    out: dict[str, Any] = {"status": "out_of_service", "reason": "Oil"}
    assert call("PUT", f"{address}/status", body=out, headers=boss).json["status"] == "out_of_service"
    assert call("PUT", f"{address}/status", body={"status": "in_service"}, headers=boss).json["status"] == "no_crew"
    assert Ambulance.objects.get().version == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [({"phone": ""}, "phone"), ({"latitude": 91, "longitude": 0}, "latitude"), ({"latitude": 5}, "longitude")],
    ids=["phone", "off", "half"],
)
def test_a_refusal_names_its_field(garage: Garage, house: House, change: dict[str, Any], field: str) -> None:
    wish = {"patientId": house.patient.pk, "phone": "555", "address": "Here"} | change
    answer = call("POST", "/api/ambulance-bookings", body=wish, headers=bearer(house.patient))
    assert (answer.status, answer.json["field"]) == (422, field)
    assert not AmbulanceTrip.objects.exists()
