"""Series and extra patients over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from tests.api.calling import bearer, call
from tests.house import House


def rule(house: House, **more: Any) -> dict[str, Any]:
    starts = house.slot(2).isoformat()
    return {"scheduleId": str(house.schedule.pk), "starts": starts, "every": 1, "unit": "week", "count": 3, **more}


def test_plan_book_read_and_cancel(house: House) -> None:
    patient = bearer(house.patient)
    planned = call("POST", "/api/appointment-series/plan", body=rule(house), headers=patient).json["data"]
    assert [one["free"] for one in planned] == [True, True, True]
    made = call("POST", "/api/appointment-series", body=rule(house), headers=patient)
    assert made.status == 201
    address = f"/api/appointment-series/{made.json['id']}"
    assert len(call("GET", address, headers=bearer(house.doctor)).json["occurrences"]) == 3
    assert call("GET", address, headers=bearer(house.other_patient)).status == 404
    left = call("POST", f"{address}/cancel", body={"first": 2}, headers=patient).json["occurrences"]
    assert [one["status"] for one in left] == ["booked", "cancelled", "cancelled"]


def test_a_key_books_a_series_once(house: House) -> None:
    headers = {**bearer(house.patient), "Idempotency-Key": "series-1"}
    one, two = (call("POST", "/api/appointment-series", body=rule(house), headers=headers) for _ in range(2))
    assert one.json["id"] == two.json["id"]
    assert Appointment.objects.filter(patient=house.patient).count() == 3


def test_a_taken_date_is_named_and_can_be_moved(committed_house: House) -> None:
    house = committed_house
    third = house.slot(2) + timedelta(weeks=2)
    actions.book(
        actor=house.person(house.other_patient), patient_id=house.other_patient.pk, schedule_id=house.schedule.pk,
        starts=third,
    )  # fmt: skip
    refused = call("POST", "/api/appointment-series", body=rule(house), headers=bearer(house.patient))
    assert (refused.status, refused.json["occurrence"], len(refused.json["slots"])) == (409, 3, 3)
    moved = [{"number": 3, "starts": refused.json["slots"][0]["starts"]}]
    made = call("POST", "/api/appointment-series", body=rule(house, exceptions=moved), headers=bearer(house.patient))
    assert made.status == 201, made.json
    assert [one["moved"] for one in made.json["occurrences"]] == [False, False, True]


def test_an_extra_patient_needs_a_limit_and_a_reason(house: House) -> None:
    for one in (house.patient, house.other_patient):
        nth = 0 if one is house.patient else 7
        actions.book(actor=house.person(one), patient_id=one.pk, schedule_id=house.schedule.pk, starts=house.slot(nth))
    doctor = bearer(house.doctor)
    wish = {
        "scheduleId": str(house.schedule.pk),
        "starts": house.slot(0).isoformat(),
        "patientId": str(house.other_patient.pk),
    }
    assert call("POST", "/api/appointments", body=wish, headers=doctor).json["code"] == "slot_taken"
    wish["overbook"] = "Sudden pain"
    assert call("POST", "/api/appointments", body=wish, headers=doctor).json["code"] == "overbooked_enough"
    address = f"/api/doctors/{house.doctor.pk}/schedules/{house.schedule.pk}/overbooking"
    assert call("PUT", address, body={"overbookLimit": 1, "version": 1}, headers=doctor).json["overbookLimit"] == 1
    assert call("POST", "/api/appointments", body=wish, headers=doctor).status == 201
