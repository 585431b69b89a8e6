"""Invitations to doctors, leave, the house's doctors and its week over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from polyclinic.core import clock
from polyclinic.facilities import identity
from polyclinic.people.models import Session
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import DoctorInvitation, Schedule
from tests.api.calling import Answer, bearer, call
from tests.house import House

WEEK = [{"weekday": day, "starts": "09:00", "ends": "17:00"} for day in range(5)]


def fresh(who: Any) -> dict[str, str]:
    """A token of somebody who has just shown who they are."""
    headers = bearer(who)
    Session.objects.filter(account_id=getattr(who, "account_id", who.pk)).update(stepped_up_at=clock.now(), aal=2)
    identity.forget()
    return headers


def invite(house: House, **more: Any) -> Answer:
    body = {"hospitalId": str(house.facility.pk), "doctorId": str(house.stranger_doctor.pk), "weekly": WEEK, **more}
    return call("POST", "/api/doctor-invitations", body=body, headers=fresh(house.manager))


def test_invite_and_respond(house: House) -> None:
    made = invite(house)
    assert made.status == 201
    row = made.json
    assert (row["status"], row["hospitalName"], row["doctorName"]) == ("sent", "Riverside Clinic", "Dr Sam Stranger")
    doctor = bearer(house.stranger_doctor)
    for who in (doctor, bearer(house.manager)):
        listed = call("GET", "/api/doctor-invitations?state=sent", headers=who).json
        assert [one["id"] for one in listed["data"]] == [row["id"]]
    address = f"/api/doctor-invitations/{row['id']}"
    key = {**doctor, "Idempotency-Key": "answer-once"}
    done = call("POST", f"{address}/respond", body={"response": "accepted"}, headers=key)
    assert done.status == 200
    assert done.json["status"] == "accepted"
    again = call("POST", f"{address}/respond", body={"response": "accepted"}, headers=key)
    assert (again.status, again.json) == (200, done.json)
    schedule = Schedule.objects.get(doctor=house.stranger_doctor, facility=house.facility)
    assert done.json["scheduleId"] == str(schedule.pk)
    slots = call("GET", f"/api/slots?doctorId={house.stranger_doctor.pk}&hospitalId={house.facility.pk}").json["data"]
    assert slots[0]["scheduleId"] == str(schedule.pk)
    body = {"scheduleId": slots[0]["scheduleId"], "starts": slots[0]["starts"]}
    assert call("POST", "/api/appointments", body=body, headers=bearer(house.patient)).status == 201


def test_inviting_asks_who_one_is_first(house: House) -> None:
    body = {"hospitalId": str(house.facility.pk), "doctorId": str(house.stranger_doctor.pk), "weekly": WEEK}
    refused = call("POST", "/api/doctor-invitations", body=body, headers=bearer(house.manager))
    assert (refused.status, refused.code) == (403, "step_up_needed")
    assert not DoctorInvitation.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"weekly": []}, 422, "weekly"),
        ({"weekly": [{"weekday": 8, "starts": "09:00", "ends": "10:00"}]}, 422, "weekly.0.weekday"),
        ({"weekly": [{"weekday": 1, "starts": "09:00", "ends": "08:00"}]}, 422, "weekly.0.ends"),
        ({"slotMinutes": 2}, 422, "slotMinutes"),
    ],
    ids=["empty", "weekday", "order", "slot"],
)
def test_bad_input_names_the_field(house: House, wrong: dict[str, Any], status: int, field: str) -> None:
    refused = invite(house, **wrong)
    assert (refused.status, refused.json["field"]) == (status, field)


def test_remind_revoke_and_versions(house: House) -> None:
    address = f"/api/doctor-invitations/{invite(house).json['id']}"
    manager = bearer(house.manager)
    assert call("POST", f"{address}/remind", body={}, headers=manager).code == "reminded_lately"
    with clock.fixed(clock.now() + timedelta(days=2)):
        assert call("POST", f"{address}/remind", body={}, headers=bearer(house.manager)).json["reminders"] == 1
    assert call("DELETE", address, headers={**bearer(house.manager), "If-Match": '"1"'}).status == 412
    assert call("DELETE", address, headers={**bearer(house.manager), "If-Match": '"2"'}).status == 204
    late = call("POST", f"{address}/respond", body={"response": "accept"}, headers=bearer(house.stranger_doctor))
    assert late.status == 409
    assert late.json["possible"] == []


def test_leave_over_the_wire(house: House) -> None:
    booked = actions.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(),
    )  # fmt: skip
    day = house.workday()
    body = {
        "scheduleId": str(house.schedule.pk), "kind": "study", "starts": house.local(day, 9).isoformat(),
        "ends": house.local(day, 17).isoformat(), "note": "Congress",
    }  # fmt: skip
    made = call("POST", "/api/leave-requests", body=body, headers=bearer(house.doctor))
    assert (made.status, made.json["status"]) == (201, "asked")
    address = f"/api/leave-requests/{made.json['id']}"
    manager = bearer(house.manager)
    assert [one["note"] for one in call("GET", "/api/leave-requests", headers=manager).json["data"]] == ["Congress"]
    # A refusal takes back the transaction it happens in; here that is a part of the test's own.
    with transaction.atomic():
        refused = call("POST", f"{address}/approve", body={}, headers=manager)
        transaction.set_rollback(True)
    assert (refused.status, refused.code) == (409, "patients_stranded")
    assert [one["id"] for one in refused.json["appointments"]] == [str(booked.pk)]
    given = {"acknowledged": [str(booked.pk)], "resolution": "cancel", "answer": "Bring back notes"}
    done = call("POST", f"{address}/approve", body=given, headers=manager)
    assert (done.status, done.json["status"], done.json["answer"]) == (200, "approved", "Bring back notes")
    assert call("POST", f"{address}/withdraw", body={}, headers=bearer(house.doctor)).status == 409
    assert call("POST", f"{address}/forget", body={}, headers=manager).status == 404


def test_members_week_and_travel(house: House) -> None:
    manager = bearer(house.manager)
    members = call("GET", f"/api/hospitals/{house.facility.pk}/members", headers=manager).json["data"]
    assert {row["name"] for row in members} == {"Dr Anil Rao", "Dr Grace Okafor"}
    assert all(row["nextFree"] for row in members)
    week = call("GET", f"/api/hospitals/{house.facility.pk}/rota?day={house.workday()}", headers=manager).json
    assert len(week["rows"][0]["days"]) == 7
    doctor = bearer(house.doctor)
    address = f"/api/doctors/{house.doctor.pk}/travel"
    assert call("PUT", address, body={"minutes": 40}, headers=doctor).json["minutes"] == 40
    assert call("GET", address, headers=doctor).json["minutes"] == 40
    assert call("PUT", address, body={"minutes": 500}, headers=doctor).status == 422
    assert call("GET", address, headers=bearer(house.other_doctor)).status == 404
