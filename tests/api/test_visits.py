"""Visits and queues over REST: opened once, taken step by step, called, and refused with words."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.billing import prices
from polyclinic.core.actors import SystemActor
from polyclinic.visits.models import Visit
from tests.api.calling import Answer, bearer, call
from tests.house import House

pytestmark = pytest.mark.django_db
Token = dict[str, str]


@pytest.fixture
def desk(house: House) -> Token:
    return bearer(house.receptionist)


def opened(house: House, desk: Token, **more: Any) -> Answer:
    body = {"hospitalId": house.facility.pk, "patientId": house.patient.pk, "complaint": "Cough", **more}
    return call("POST", "/api/visits", body=body, headers=desk)


def step(token: Token, visit: str, action: str, **more: Any) -> Answer:
    return call("PUT", f"/api/visits/{visit}/status", body={"action": action, **more}, headers=token)


def test_a_visit_goes_from_the_door_to_the_end(house: House, desk: Token) -> None:
    made = opened(house, desk, doctorId=house.doctor.pk)
    assert (made.status, made.json["stage"], made.headers["etag"]) == (201, "registered", '"1"')
    visit = made.json["id"]
    who = {role: bearer(account) for role, account in house.staff.items()} | {"doctor": bearer(house.doctor)}
    for token, action, stage in (
        (desk, "pay", "paid"), (who["nurse"], "check", "checked"), (who["doctor"], "diagnose", "diagnosed"),
        (who["pharmacist"], "dispense", "done"),
    ):  # fmt: skip
        answer = step(token, visit, action)
        assert (answer.status, answer.json["stage"]) == (200, stage)
    stages = call("GET", f"/api/visits/{visit}/stages", headers=desk).json["data"]
    assert [row["stage"] for row in stages] == ["registered", "paid", "checked", "diagnosed"]
    assert all(row["leftAt"] for row in stages)
    again = step(desk, visit, "leave", reason="Too late")
    assert (again.status, again.code) == (409, "illegal_transition")


def test_the_same_key_opens_one_visit(house: House, desk: Token) -> None:
    headers = {**desk, "Idempotency-Key": "one-click"}
    first, second = opened(house, headers), opened(house, headers)
    assert first.json == second.json
    assert Visit.objects.count() == 1
    another = opened(house, desk)
    assert (another.status, another.code, another.json["visitId"]) == (409, "visit_open", first.json["id"])


def test_of_two_with_one_version_the_second_is_stale(house: House, desk: Token) -> None:
    visit = opened(house, desk).json["id"]
    assert step({**desk, "If-Match": '"1"'}, visit, "pay").status == 200
    late = step({**desk, "If-Match": '"1"'}, visit, "leave", reason="Went home")
    assert late.status == 412
    assert Visit.objects.get().state == "paid"


@pytest.mark.parametrize(
    ("action", "more", "status", "field"),
    [
        ("fly", {}, 422, "action"),
        ("leave", {}, 422, "reason"),
        ("cancel", {"reason": "  "}, 422, "reason"),
        ("diagnose", {}, 409, None),
    ],
)
def test_bad_steps_are_refused_and_change_nothing(
    house: House, desk: Token, action: str, more: dict[str, str], status: int, field: str | None
) -> None:
    visit = opened(house, desk).json["id"]
    answer = step(desk, visit, action, **more)
    assert (answer.status, answer.json.get("field")) == (status, field)
    assert Visit.objects.get().version == 1


def test_an_open_fee_is_taken_before_the_visit_goes_on(house: House, desk: Token) -> None:
    prices.set_price(
        actor=SystemActor("demo"), facility_id=house.facility.pk, code="consultation", name="Visit",
        kind="consultation", amount_minor=40_00,
    )  # fmt: skip
    visit = opened(house, desk).json["id"]
    assert step(desk, visit, "pay").code == "fee_open"
    assert step(bearer(house.manager), visit, "waive", reason="In need").status == 403
    head = bearer(house.staff["main_doctor"])
    assert step(head, visit, "waive").json["field"] == "reason"
    assert step(head, visit, "waive", reason="In need").json["stage"] == "paid"


def test_the_queue_is_called_and_sorted(house: House, desk: Token) -> None:
    first = opened(house, desk).json
    second = opened(house, desk, patientId=house.other_patient.pk, priority="urgent").json
    board = f"/api/visits?hospitalId={house.facility.pk}&line=desk"
    assert [row["token"] for row in call("GET", board, headers=desk).json["data"]] == [second["token"], first["token"]]
    called = call("POST", f"/api/queue/{first['place']['id']}/call", body={}, headers=desk)
    assert (called.status, called.json["place"]["state"]) == (200, "called")
    assert call("POST", f"/api/queue/{first['place']['id']}/fly", body={}, headers=desk).status == 404
    only = call("GET", f"{board}&fields=token,stage", headers=desk).json["data"]
    assert only[0] == {"token": first["token"], "stage": "registered"}


def test_lists_need_a_hospital_or_a_patient(house: House, desk: Token) -> None:
    answer = call("GET", "/api/visits", headers=desk)
    assert (answer.status, answer.json["field"]) == (422, "hospitalId")
    visit = opened(house, desk).json["id"]
    mine = call("GET", f"/api/visits?patientId={house.patient.pk}", headers=bearer(house.patient))
    assert [row["id"] for row in mine.json["data"]] == [visit]
    theirs = call("GET", f"/api/visits?patientId={house.patient.pk}", headers=bearer(house.other_patient))
    assert theirs.status == 404
