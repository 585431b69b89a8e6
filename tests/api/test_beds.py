"""Beds and bed bookings over REST, by the names a client of the seed knows."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.inpatient.models import BedStay
from polyclinic.live import wire
from tests.api.calling import Answer, bearer, call
from tests.house import House
from tests.inpatient.wing import Wing

pytestmark = pytest.mark.django_db
Token = dict[str, str]


@pytest.fixture
def wing(house: House) -> Wing:
    return Wing(house)


@pytest.fixture
def nurse(wing: Wing) -> Token:
    return bearer(wing.house.staff["nurse"])


def ask(wing: Wing, token: Token, **more: Any) -> Answer:
    body = {"hospitalId": wing.house.facility.pk, "patientId": wing.house.patient.pk, **more}
    return call("POST", "/api/bed-bookings", body=body, headers=token)


def step(token: Token, stay: str, action: str, **more: Any) -> Answer:
    return call("PUT", f"/api/bed-bookings/{stay}/status", body={"action": action, **more}, headers=token)


def test_a_booking_from_the_request_to_the_clean_bed(wing: Wing, nurse: Token) -> None:
    place, head = wing.house.facility.pk, bearer(wing.house.staff["main_doctor"])
    made = ask(wing, nurse, priority="urgent", oxygen=True, reason="Pneumonia")
    assert (made.status, made.json["stage"], made.headers["etag"]) == (201, "requested", '"1"')
    stay = made.json["id"]
    (waits,) = call("GET", f"/api/bed-bookings?hospitalId={place}", headers=nurse).json["data"]
    assert (waits["patientName"], waits["reason"]) == ("PILLAI, Meera", "Pneumonia")
    offered = call("GET", f"/api/bed-bookings/{stay}/suggestions", headers=nurse).json["data"]
    assert [one["bed"]["name"] for one in offered if one["fits"]] == ["A3", "I1"]
    bed = offered[0]["bed"]["id"]
    for token, action, more, stage in (
        (nurse, "reserve", {"bedId": bed}, "reserved"), (nurse, "admit", {}, "admitted"),
        (nurse, "transfer", {"bedId": str(wing.beds["I1"].pk)}, "admitted"),
        (head, "order_discharge", {}, "discharge_ordered"), (nurse, "depart", {}, "departed"),
    ):  # fmt: skip
        answer = step(token, stay, action, **more)
        assert (answer.status, answer.json["stage"]) == (200, stage), answer
    for action, state in (("start_cleaning", "cleaning"), ("finish_cleaning", "available")):
        answer = call("PUT", f"/api/beds/{bed}/status", body={"action": action}, headers=nurse)
        assert (answer.status, answer.json["state"]) == (200, state)
    again = step(nurse, stay, "depart")
    assert (again.status, again.code) == (409, "illegal_transition")
    mine = call("GET", f"/api/bed-bookings?patientId={wing.house.patient.pk}", headers=bearer(wing.house.patient))
    assert [one["stage"] for one in mine.json["data"]] == ["departed"]


def test_beds_and_how_many_are_free(wing: Wing, nurse: Token) -> None:
    place = wing.house.facility.pk
    wing.put("A1")
    rows = call("GET", f"/api/hospitals/{place}/beds", headers=nurse).json["data"]
    assert [(one["name"], one["state"]) for one in rows] == [
        ("A1", "occupied"), ("A2", "available"), ("A3", "available"), ("I1", "available"),
    ]  # fmt: skip
    assert rows[0]["stay"]["patientName"] == "PILLAI, Meera"
    boss = bearer(wing.house.manager)
    assert call("GET", f"/api/hospitals/{place}/beds", headers=boss).json["data"][0]["stay"] is None
    free = call("GET", f"/api/hospitals/{place}/beds?state=available&feature=oxygen", headers=nurse).json["data"]
    assert [one["name"] for one in free] == ["A3", "I1"]
    told = call("GET", f"/api/hospitals/{place}/beds/availability", headers=boss).json
    assert (told["total"]["available"], told["total"]["occupied"], len(told["days"])) == (3, 1, 5)
    one = call("GET", f"/api/beds/{wing.beds['A2'].pk}", headers=boss)
    assert (one.json["name"], one.headers["etag"]) == ("A2", '"1"')


def test_asking_twice_with_one_key_asks_once(wing: Wing, nurse: Token) -> None:
    keyed = {**nurse, "Idempotency-Key": "one"}
    first, second = ask(wing, keyed), ask(wing, keyed)
    assert (first.status, second.status) == (201, 201)
    assert first.json["id"] == second.json["id"]
    assert second.headers["idempotent-replayed"] == "true"
    assert BedStay.objects.count() == 1
    again = ask(wing, nurse)
    assert (again.status, again.code, again.json["stayId"]) == (409, "stay_open", first.json["id"])


def test_refusals_say_what_to_do(wing: Wing, nurse: Token) -> None:
    stay = ask(wing, nurse).json["id"]
    for action, more, status, code in (
        ("reserve", {}, 422, "required"), ("fly", {}, 422, "unknown_action"),
        ("release", {}, 409, "illegal_transition"),
        ("reserve", {"bedId": str(wing.beds["A1"].pk), "version": 7}, 412, "stale"),
        ("reserve", {"bedId": str(wing.house.facility.pk)}, 404, "not_found"),
        ("cancel", {}, 422, "required"),
    ):  # fmt: skip
        answer = step(nurse, stay, action, **more)
        assert (answer.status, answer.code) == (status, code), answer
    wing.put("A1", wing.house.other_patient)
    taken = step(nurse, stay, "reserve", bedId=str(wing.beds["A1"].pk))
    assert (taken.status, taken.code, taken.json["state"]) == (409, "bed_taken", "occupied")
    unfit = step(nurse, stay, "reserve", bedId=str(wing.beds["A2"].pk))
    assert (unfit.status, unfit.code, unfit.json["reasons"]) == (409, "does_not_fit", ["room"])
    fine = step(nurse, stay, "reserve", bedId=str(wing.beds["A2"].pk), despite="Curtain")
    assert fine.status == 200
    for body in ({"action": "block"}, {"action": "block", "why": "other"}, {"action": "melt"}):
        answer = call("PUT", f"/api/beds/{wing.beds['A3'].pk}/status", body=body, headers=nurse)
        assert answer.status == 422
    assert call("GET", "/api/bed-bookings", headers=nurse).status == 422


def test_a_stranger_finds_nothing(wing: Wing, nurse: Token) -> None:
    stay = ask(wing, nurse).json["id"]
    far, place = bearer(wing.house.stranger_receptionist), wing.house.facility.pk
    for path in (
        f"/api/hospitals/{place}/beds", f"/api/hospitals/{place}/beds/availability", f"/api/bed-bookings/{stay}",
        f"/api/bed-bookings?hospitalId={place}", f"/api/bed-bookings?patientId={wing.house.patient.pk}",
        f"/api/bed-bookings/{stay}/suggestions", f"/api/beds/{wing.beds['A1'].pk}",
    ):  # fmt: skip
        assert call("GET", path, headers=far).status == 404, path
    assert step(far, stay, "cancel", reason="x").status == 404
    assert ask(wing, far).status in (403, 404)


def test_seed_b_hears_of_beds_by_its_own_name() -> None:
    named = {kind for kind in wire.SOCKET_NAMES if kind.startswith("bed.")}
    assert len(named) == 10
    assert {wire.SOCKET_NAMES[kind] for kind in named} == {("bed:updated",)}
    assert {wire.STREAM_NAMES[kind] for kind in named} == {"bed"}
