"""How the API speaks: ETags, fields, pages, repeated POSTs, other origins, limits, signing in and its own page."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from tests.api.calling import bearer, call, counts
from tests.house import PASSWORD, House

Token = dict[str, str]
ORIGIN = "http://localhost:5173"


@pytest.fixture
def listed(house: House) -> list[Appointment]:
    """Five appointments of `patient`, by time."""
    actor = house.person(house.patient)
    return [
        actions.book(
            actor=actor, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=house.slot(2 * nth)
        )
        for nth in range(5)
    ]


def test_what_has_not_changed_is_not_sent_again(booked: Appointment, patient: Token, doctor: Token) -> None:
    address = f"/api/appointments/{booked.pk}"
    first = call("GET", address, headers=patient)
    assert (first.status, first.headers["etag"]) == (200, '"1"')
    for known in ('"1"', 'W/"1"', '"0", "1"', "*"):
        again = call("GET", address, headers={**patient, "If-None-Match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", '"1"'), known
    changed = call("PUT", f"{address}/status", body={"status": "accepted"}, headers={**doctor, "If-Match": '"1"'})
    assert (changed.status, changed.json["status"], changed.headers["etag"]) == (200, "confirmed", '"2"')
    assert call("GET", address, headers={**patient, "If-None-Match": '"1"'}).json["version"] == 2


@pytest.mark.parametrize("match", ['"1"', 'W/"1"', "*"])
def test_an_edit_of_the_present_version_is_done(booked: Appointment, patient: Token, match: str) -> None:
    answer = call("DELETE", f"/api/appointments/{booked.pk}", headers={**patient, "If-Match": match})
    assert (answer.status, answer.json["status"]) == (200, "cancelled")


def test_a_patch_moves_an_appointment(house: House, booked: Appointment, patient: Token) -> None:
    to = house.slot(6)
    answer = call("PATCH", f"/api/appointments/{booked.pk}", body={"starts": to, "version": 1}, headers=patient)
    assert (answer.status, answer.headers["etag"]) == (200, '"2"')
    booked.refresh_from_db()
    assert booked.starts == to


def test_only_the_fields_asked_for(listed: list[Appointment], patient: Token) -> None:
    for address in ("/api/appointments?fields=id,starts", "/api/appointments?fields=starts,%20id"):
        assert {tuple(sorted(row)) for row in call("GET", address, headers=patient).json["data"]} == {("id", "starts")}
    one = call("GET", f"/api/appointments/{listed[0].pk}?fields=mrn", headers=patient)
    assert one.json == {"mrn": "MRN0000001"}
    refused = call("GET", f"/api/appointments/{listed[0].pk}?fields=mrn,password", headers=patient)
    assert (refused.status, refused.code, refused.json["field"]) == (422, "unknown_field", "fields")


def test_pages_hold_everything_once(listed: list[Appointment], patient: Token) -> None:
    seen, address = [], "/api/appointments?limit=2&fields=id"
    while address:
        page = call("GET", address, headers=patient).json
        seen += [row["id"] for row in page["data"]]
        assert page["pagination"]["total"] == 5
        assert page["pagination"]["pages"] == 3
        address = page["pagination"]["next"]
    assert seen == [str(row.pk) for row in listed]


@pytest.mark.parametrize(
    ("query", "rows", "page"),
    [("page=3&limit=2", 1, 3), ("page=4&limit=2", 0, 4), ("limit=200", 5, 1), ("page=1000000&limit=200", 0, 1000000)],
)
def test_the_edges_of_pages(listed: list[Appointment], patient: Token, query: str, rows: int, page: int) -> None:
    answer = call("GET", f"/api/appointments?{query}", headers=patient).json
    assert (len(answer["data"]), answer["pagination"]["page"]) == (rows, page)
    assert answer["pagination"]["next"] is None


def test_an_empty_list_is_a_page_of_nothing(house: House) -> None:
    answer = call("GET", "/api/appointments", headers=bearer(house.other_patient)).json
    assert answer == {"data": [], "pagination": {"total": 0, "page": 1, "pages": 1, "next": None}}


def test_filters_narrow_and_never_widen(house: House, listed: list[Appointment], patient: Token) -> None:
    def found(query: str, who: Token = patient) -> int:
        return int(call("GET", f"/api/appointments?{query}", headers=who).json["pagination"]["total"])

    start = listed[2].starts.isoformat().replace("+", "%2B")
    assert found(f"from={start}") == 3
    assert found(f"until={start}") == 2
    assert found("status=booked") == 5
    assert found("status=cancelled") == 0
    assert found(f"hospitalId={house.elsewhere.pk}") == 0
    assert found(f"patientId={house.patient.pk}", bearer(house.other_patient)) == 0
    assert found(f"doctorId={house.doctor.pk}", bearer(house.receptionist)) == 5
    assert found(f"doctorId={house.doctor.pk}", bearer(house.stranger_receptionist)) == 0


def test_a_repeated_post_says_that_it_is_one(booking: dict[str, Any], patient: Token) -> None:
    keyed = {**patient, "Idempotency-Key": "k1"}
    first = call("POST", "/api/appointments", body=booking, headers=keyed)
    again = call("POST", "/api/appointments", body=booking, headers=keyed)
    assert (first.status, again.status) == (201, 201)
    assert (first.body, first.headers["etag"]) == (again.body, again.headers["etag"])
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = call("POST", "/api/appointments", body={**booking, "reason": "Cough"}, headers=keyed)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert call("POST", "/api/holds", body=booking, headers=keyed).code == "idempotency_key_reused"
    assert call("POST", "/api/appointments", body=booking, headers={**patient, "Idempotency-Key": ""}).status == 422


@pytest.fixture
def allowed(settings: Any) -> None:
    settings.CORS_ORIGINS = [ORIGIN]


def test_a_listed_origin_may_call_with_cookies(house: House, allowed: None) -> None:
    wish = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match"}
    before = call("OPTIONS", "/api/appointments", headers=wish)
    assert before.status == 204
    assert before.headers["access-control-allow-origin"] == ORIGIN
    assert before.headers["access-control-allow-credentials"] == "true"
    assert "PUT" in before.headers["access-control-allow-methods"]
    assert {"If-Match", "Idempotency-Key", "Authorization"} <= set(
        before.headers["access-control-allow-headers"].split(", ")
    )
    for address, status in (("/api/services", 200), ("/api/appointments", 401), ("/api/nothing", 404)):
        answer = call("GET", address, headers={"Origin": ORIGIN})
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, ORIGIN)
        assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", ORIGIN + ".evil.example", "null", ORIGIN.upper(), ""])
def test_any_other_origin_gets_no_header(house: House, allowed: None, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = call(method, "/api/services", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_too_many_calls_are_told_when_to_come_back(house: House, limits: None) -> None:
    wrong = {"email": "meera@example.org", "password": "wrong"}
    assert {call("POST", "/api/auth/login", body=wrong).status for _ in range(5)} == {401}
    refused = call("POST", "/api/auth/login", body=wrong)
    assert (refused.status, refused.code) == (429, "sign_in_locked")
    assert 1 <= int(refused.headers["retry-after"]) <= 900
    # Guessing one name does not lock another one out, and the right password of this one has to wait as well.
    assert call("POST", "/api/auth/login", body={**wrong, "email": "bento@example.org"}).status == 401
    assert call("POST", "/api/auth/login", body={**wrong, "password": PASSWORD}).status == 429


def test_a_caller_has_so_many_bookings_a_minute(house: House, patient: Token, limits: None) -> None:
    before, statuses = counts(), []
    for _ in range(61):
        statuses.append(call("POST", "/api/appointments", body={"scheduleId": str(house.schedule.pk)}, headers=patient))
    assert {answer.status for answer in statuses[:60]} == {422}
    assert (statuses[60].status, counts()) == (429, before)


def test_an_unknown_name_and_a_wrong_password_sound_the_same(house: House) -> None:
    answers = [
        call("POST", "/api/auth/login", body={"email": email, "password": password})
        for email, password in (
            ("meera@example.org", "wrong"),
            ("nobody@example.org", "wrong"),
            ("", ""),
            ("x" * 254, ""),
        )
    ]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].code == "wrong_credentials"


def test_signing_in_and_out(house: House) -> None:
    issued = call("POST", "/api/auth/login", body={"email": "MEERA@example.org", "password": PASSWORD})
    assert (issued.status, issued.json["tokenType"], issued.json["expiresIn"]) == (200, "Bearer", 900)
    token = {"Authorization": f"Bearer {issued.json['accessToken']}"}
    me = call("GET", "/api/auth/me", headers=token).json
    assert me["patientId"] == str(house.patient.pk)
    assert [grant["role"] for grant in me["grants"]] == ["patient"]
    assert call("POST", "/api/auth/logout", headers=token).status == 204
    assert call("GET", "/api/auth/me", headers=token).code == "invalid_token"


def test_v1_answers_like_the_plain_address(booked: Appointment, patient: Token) -> None:
    one, two = (call("GET", f"/api{v}/appointments/{booked.pk}", headers=patient) for v in ("", "/v1"))
    assert one == two


def test_what_is_private_is_kept_by_no_cache(booked: Appointment, patient: Token) -> None:
    assert call("GET", f"/api/appointments/{booked.pk}", headers=patient).headers["cache-control"] == "no-store"


def test_a_hospitals_day_counts_its_rows(house: House, listed: list[Appointment]) -> None:
    address = f"/api/hospitals/{house.facility.pk}/stats?date={house.workday()}"
    told = call("GET", address, headers=bearer(house.manager)).json
    assert "5" in str(told.values())


def test_the_page_about_the_api_names_every_operation(db: None) -> None:
    page, document = call("GET", "/api-docs"), call("GET", "/api/openapi.json").json
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = page.body.decode()
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in text
    assert "appointment.booked" in text
    assert "<script>" not in text
    assert "style=" not in text
