"""What should never have been sent: each a clear message that names the field, and nothing half-written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from polyclinic.core import clock
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from tests.api.calling import Answer, bearer, call, counts
from tests.api.conftest import Ask
from tests.house import House, missing

Token = dict[str, str]


def test_a_good_booking_changes_the_counts(house: House, patient: Token, booking: dict[str, Any]) -> None:
    """Negative control of every test below: the same call without its mistake works and is counted."""
    before = counts()
    assert call("POST", "/api/appointments", body=booking, headers=patient).status == 201
    after = counts()
    assert after["Appointment"] == before["Appointment"] + 1
    assert after["Reservation"] == before["Reservation"] + 3
    assert after["AuditEntry"] > before["AuditEntry"]
    assert after["OutboxEvent"] > before["OutboxEvent"]


def told(answer: Answer, status: int, code: str, field: str | None) -> None:
    """The problem says what it should, with a sentence for a person."""
    assert (answer.status, answer.code, answer.json.get("field")) == (status, code, field)
    assert answer.json["detail"].endswith((".", "?"))


@pytest.mark.parametrize(
    ("starts", "code"),
    [
        ("2020-03-02T09:00:00+01:00", "slot_in_past"),
        ("2190-03-02T09:00:00+01:00", "beyond_horizon"),
        ("2026-02-30T09:00:00+01:00", "invalid"),
        ("2026-03-02T09:00:00", "invalid"),
        ("2026-03-02T25:00:00Z", "invalid"),
        ("0001-01-01T00:00:00+14:00", "invalid"),
        ("9999-12-31T23:59:59-14:00", "invalid"),
        ("tomorrow", "invalid"),
        ("", "invalid"),
        (1767225600, "invalid"),
        (None, "required"),
        (["2026-03-02T09:00:00Z"], "invalid"),
    ],
)
def test_a_time_that_cannot_be(
    house: House, patient: Token, booking: dict[str, Any], refused: Ask, starts: object, code: str
) -> None:
    answer = refused("POST", "/api/appointments", body={**booking, "starts": starts}, headers=patient)
    told(answer, 422, code, "starts")


def test_a_time_in_the_wrong_zone_is_no_slot(
    house: House, patient: Token, booking: dict[str, Any], refused: Ask
) -> None:
    """The wall-clock time of the clinic with another zone's offset is another moment, outside the hours."""
    there = house.slot(0).replace(tzinfo=None).isoformat() + "-09:00"
    answer = refused("POST", "/api/appointments", body={**booking, "starts": there}, headers=patient)
    told(answer, 422, "not_a_slot", "starts")
    assert len(answer.json["slots"]) == 3


def test_a_refused_time_comes_with_free_ones_that_work(
    house: House, booked: Appointment, booking: dict[str, Any], refused: Ask
) -> None:
    other = bearer(house.other_patient)
    answer = refused("POST", "/api/appointments", body={**booking, "starts": booked.starts}, headers=other)
    told(answer, 409, "slot_taken", None)
    free = answer.json["slots"]
    assert len(free) == 3
    again = {"scheduleId": free[0]["scheduleId"], "starts": free[0]["starts"]}
    assert call("POST", "/api/appointments", body=again, headers=other).status == 201


@pytest.mark.parametrize("which", ["foreign", "missing"])
def test_another_patient_cannot_be_booked(
    house: House, patient: Token, booking: dict[str, Any], refused: Ask, which: str
) -> None:
    whom = house.other_patient.pk if which == "foreign" else missing()
    answer = refused("POST", "/api/appointments", body={**booking, "patientId": whom}, headers=patient)
    told(answer, 404, "not_found", "patientId")


@pytest.mark.parametrize(
    "address",
    [
        "/api/doctors/{}", "/api/doctors/{}/availability", "/api/doctors/{}/appointments?date=2026-03-02",
        "/api/doctors/{}/schedules", "/api/doctor/{}/patients",
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["00000000-0000-0000-0000-000000000000", "nobody", "%00", "1", "%F0%9F%A9%BA"])
def test_an_unknown_doctor(doctor: Token, refused: Ask, address: str, key: str) -> None:
    answer = refused("GET", address.format(key), headers=doctor)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30", "today", "1e3", "20260302T00"])
def test_a_day_that_no_calendar_here_has(house: House, doctor: Token, refused: Ask, day: str) -> None:
    for address, name in (("availability", "from"), ("appointments", "date")):
        answer = refused("GET", f"/api/doctors/{house.doctor.pk}/{address}?{name}={day}", headers=doctor)
        told(answer, 422, "invalid", name)
    answer = refused("GET", f"/api/slots?doctorId={house.doctor.pk}&from={day}")
    told(answer, 422, "invalid", "from")


def test_an_unknown_schedule_service_or_hold(
    house: House, patient: Token, booking: dict[str, Any], refused: Ask
) -> None:
    for wrong in ("scheduleId", "serviceId", "holdId"):
        answer = refused("POST", "/api/appointments", body={**booking, wrong: missing()}, headers=patient)
        assert answer.status in (404, 422)
        answer = refused("POST", "/api/appointments", body={**booking, wrong: "x"}, headers=patient)
        told(answer, 422, "invalid", wrong)


def test_a_double_submit_books_once(house: House, patient: Token, booking: dict[str, Any], refused: Ask) -> None:
    first = call("POST", "/api/appointments", body=booking, headers=patient)
    assert first.status == 201
    told(refused("POST", "/api/appointments", body=booking, headers=patient), 409, "slot_taken", None)


def test_a_stale_edit_changes_nothing(house: House, booked: Appointment, doctor: Token, refused: Ask) -> None:
    address = f"/api/appointments/{booked.pk}"
    read = call("GET", address, headers=doctor)
    assert read.headers["etag"] == '"1"'
    assert call("PUT", f"{address}/status", body={"status": "confirmed"}, headers=doctor).status == 200
    late = {**doctor, "If-Match": read.headers["etag"]}
    told(refused("DELETE", address, headers=late), 412, "stale", None)
    told(refused("PATCH", address, body={"starts": house.slot(5)}, headers=late), 412, "stale", None)
    told(
        refused("PUT", f"{address}/status", body={"status": "cancelled", "version": 1}, headers=doctor),
        412,
        "stale",
        None,
    )
    told(refused("DELETE", address, headers={**doctor, "If-Match": '"x"'}), 412, "stale", None)
    contradiction = {**doctor, "If-Match": '"2"'}
    answer = refused("PATCH", address, body={"starts": house.slot(5), "version": 1}, headers=contradiction)
    told(answer, 422, "contradiction", "version")
    booked.refresh_from_db()
    assert (booked.state, booked.version, booked.starts) == ("confirmed", 2, house.slot(0))


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Bearer x.y.z", "Bearer \x00", "Basic dTpw", "x" * 9000, "Bearer é.é.é"]
)
def test_a_malformed_token(house: House, booking: dict[str, Any], refused: Ask, header: str) -> None:
    answer = refused("POST", "/api/appointments", body=booking, headers={"Authorization": header})
    told(answer, 401, "invalid_token", None)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "reason",
    ["🩺 cough 😷", "كحة منذ أسبوع", "\u202eabc", "שיעול", "e\u0301", "'; DROP TABLE x; --", "<script>", "a\nb"],
)
def test_words_of_every_kind_come_back_as_they_were(patient: Token, booking: dict[str, Any], reason: str) -> None:
    made = call("POST", "/api/appointments", body={**booking, "reason": reason}, headers=patient)
    assert made.status == 201
    assert made.json["reason"] == reason
    assert call("GET", f"/api/appointments/{made.json['id']}", headers=patient).json["reason"] == reason


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b"{", 400, "unreadable", None),
        (b"", 422, "invalid", None),
        (b"[]", 422, "invalid", None),
        (b"null", 422, "invalid", None),
        (b'"text"', 422, "invalid", None),
        (b"\xff\xfe", 400, "unreadable", None),
        (b'{"starts": NaN}', 400, "unreadable", None),
        (b"[" * 100_000, 400, "unreadable", None),
        (b'{"reason": "\\u0000"}', 422, "invalid", "reason"),
        (b'{"reason": "\\ud800"}', 400, "unreadable", None),
        (b'{"reason": "' + b"x" * 201 + b'"}', 422, "invalid", "reason"),
        (b'{"patient_id": 1}', 422, "invalid", "patient_id"),
        (b'{"doctor": "x"}', 422, "invalid", "doctor"),
    ],
)
def test_a_body_that_is_not_a_booking(
    patient: Token, refused: Ask, body: bytes, status: int, code: str, field: str | None
) -> None:
    answer = refused("POST", "/api/appointments", body=body, headers={**patient, "Content-Type": "application/json"})
    assert (answer.status, answer.code) == (status, code)
    if field:
        assert answer.json["field"] == field


HOURS = {"weekday": 0, "starts": "09:00", "ends": "12:00"}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"ends": "08:00"}, "weekly.1.ends"),
        ({"ends": "09:00"}, "weekly.1.ends"),
        ({"weekday": 7}, "weekly.1.weekday"),
        ({"weekday": "Monday"}, "weekly.1.weekday"),
        ({"starts": "25:00"}, "weekly.1.starts"),
        ({"starts": "09:00+02:00"}, "weekly.1.starts"),
        ({"starts": 32400}, "weekly.1.starts"),
        ({"kind": "holiday"}, "weekly.1.kind"),
        ({"weekday": 1, "starts": "10:00"}, "weekly.1.starts"),
    ],
)
def test_hours_that_make_no_sense(house: House, doctor: Token, refused: Ask, row: dict[str, Any], field: str) -> None:
    """Among them a schedule that ends before it starts; the last overlaps the row before it."""
    weekly = [{**HOURS, "weekday": 1}, {**HOURS, **row}]
    address = f"/api/doctors/{house.doctor.pk}/schedules/{house.schedule.pk}"
    answer = refused("PUT", address, body={"weekly": weekly, "version": 1}, headers=doctor)
    assert (answer.status, answer.json["field"]) == (422, field)


def test_leave_that_ends_before_it_starts(house: House, doctor: Token, refused: Ask) -> None:
    address = f"/api/doctors/{house.doctor.pk}/schedules/{house.schedule.pk}/exceptions"
    day = house.workday(10)
    leave = {"kind": "leave", "starts": house.local(day, 12), "ends": house.local(day, 9), "version": 1}
    told(refused("POST", address, body=leave, headers=doctor), 422, "order", "ends")
    gone = {"kind": "leave", "starts": clock.now() - timedelta(days=9), "ends": clock.now() - timedelta(days=8)}
    told(refused("POST", address, body={**gone, "version": 1}, headers=doctor), 422, "past", "ends")
    del leave["version"]
    told(refused("POST", address, body=leave, headers=doctor), 422, "required", "version")


def test_stranded_patients_are_listed_and_nothing_is_changed(committed_house: House, refused: Ask) -> None:
    """In real transactions: the change is tried before it is known whom it strands, and must be gone again."""
    house = committed_house
    booked = actions.book(
        actor=house.person(house.patient),
        patient_id=house.patient.pk,
        schedule_id=house.schedule.pk,
        starts=house.slot(0),
    )
    address = f"/api/doctors/{house.doctor.pk}/schedules/{house.schedule.pk}"
    doctor = {**bearer(house.doctor), "If-Match": '"1"'}
    answer = refused("PUT", address, body={"weekly": []}, headers=doctor)
    told(answer, 409, "patients_stranded", None)
    seen = [row["id"] for row in answer.json["appointments"]]
    assert seen == [str(booked.pk)]
    body = {"weekly": [], "acknowledged": seen, "resolution": "cancel"}
    changed = call("PUT", address, body=body, headers=doctor)
    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    booked.refresh_from_db()
    assert booked.state == "cancelled"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"), ("page=x", "page"), ("limit=0", "limit"), ("limit=201", "limit"),
        ("page=99999999999999999999", "page"), ("status=lost", "status"), ("sort=colour", "sort"),
        ("from=2026-02-30T00:00:00Z", "from"), ("until=yesterday", "until"), ("from=2026-03-02T00:00:00", "from"),
        ("doctorId=nobody", "doctorId"), ("fields=secret", "fields"), ("status=%00", "status"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be(booked: Appointment, patient: Token, refused: Ask, query: str, field: str) -> None:
    answer = refused("GET", f"/api/appointments?{query}", headers=patient)
    assert (answer.status, answer.json["field"]) == (422, field)


def test_a_status_nobody_knows(booked: Appointment, doctor: Token, refused: Ask) -> None:
    answer = refused("PUT", f"/api/appointments/{booked.pk}/status", body={"status": "lost"}, headers=doctor)
    told(answer, 422, "invalid", "status")


def test_a_step_that_is_not_possible_names_those_that_are(booked: Appointment, doctor: Token, refused: Ask) -> None:
    answer = refused("PUT", f"/api/appointments/{booked.pk}/status", body={"status": "completed"}, headers=doctor)
    told(answer, 409, "not_begun", None)
    call("DELETE", f"/api/appointments/{booked.pk}", headers=doctor)
    answer = refused("PUT", f"/api/appointments/{booked.pk}/status", body={"status": "confirmed"}, headers=doctor)
    told(answer, 409, "illegal_transition", None)
    assert answer.json["possible"] == []


def test_an_address_and_a_method_that_are_not_there(patient: Token, refused: Ask) -> None:
    told(refused("GET", "/api/nothing", headers=patient), 404, "not_found", None)
    answer = refused("DELETE", "/api/appointments", headers=patient)
    told(answer, 405, "method_not_allowed", None)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}


def test_a_cookie_without_its_csrf_token_writes_nothing(house: House, booking: dict[str, Any], refused: Ask) -> None:
    from tests.api.calling import cookies

    signed_in = cookies(house.patient)
    bare = {"Cookie": signed_in["Cookie"]}
    told(refused("POST", "/api/appointments", body=booking, headers=bare), 403, "csrf_failed", None)
    assert call("POST", "/api/appointments", body=booking, headers=signed_in).status == 201


def test_ids_are_never_echoed_as_something_else(patient: Token, booked: Appointment) -> None:
    """An id in another spelling is the same id, and the answer has the one spelling."""
    answer = call("GET", f"/api/appointments/{{{str(booked.pk).upper()}}}", headers=patient)
    assert answer.status in (200, 404)
    if answer.status == 200:
        assert UUID(answer.json["id"]) == booked.pk
