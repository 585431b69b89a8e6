"""Prescriptions over the API: searching, checking, signing once and with a fresh factor, reading, cancelling."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.prescribing import actions
from polyclinic.prescribing.models import Prescription
from tests.api.calling import bearer, call, cookies
from tests.house import House, missing
from tests.prescribing.ward import Ward


@pytest.fixture
def ward(house: House) -> Ward:
    return Ward(house)


def body(ward: Ward, **more: Any) -> dict[str, Any]:
    line = {
        "medicineId": str(ward.medicine("amoxicillin-500-mg-capsule")), "dose": "1", "frequency": "three", "days": 7,
    }  # fmt: skip
    return {"lines": [line], **more}


def test_the_formulary_is_searched_by_whoever_is_signed_in(ward: Ward) -> None:
    someone = bearer(ward.house.patient)
    found = call("GET", "/api/medicines?q=amox+500", headers=someone).json
    assert found["data"][0]["generic"] == "amoxicillin"
    assert found["data"][0]["shown"] == "amoxicillin"
    assert call("GET", "/api/medicines?limit=200", headers=someone).json["pagination"]["total"] >= 120
    assert call("GET", f"/api/medicines/{missing()}", headers=someone).status == 404
    assert call("GET", "/api/medicines").status == 401


def test_signing_asks_for_a_fresh_factor_and_happens_once(ward: Ward) -> None:
    ward.no_allergies()
    path = f"/api/visits/{ward.visit}/prescriptions"
    account = ward.house.staff["main_doctor"]
    refused = call("POST", path, body=body(ward), headers=bearer(account))
    assert (refused.status, refused.json["code"]) == (403, "step_up_needed")
    fresh = {**cookies(account), "Idempotency-Key": "one-signature"}
    made = call("POST", path, body=body(ward, diagnoses=[{"text": "Sore throat"}]), headers=fresh)
    assert made.status == 201
    again = call("POST", path, body=body(ward, diagnoses=[{"text": "Sore throat"}]), headers=fresh)
    assert again.json["id"] == made.json["id"]
    assert Prescription.objects.count() == 1
    key = made.json["id"]
    read = call("GET", f"/api/prescriptions/{key}", headers=bearer(ward.house.staff["pharmacist"])).json
    assert read["lines"][0]["sentence"].startswith("amoxicillin")
    assert call("GET", f"/api/prescriptions/{key}", headers=bearer(ward.house.other_patient)).status == 404
    cancelled = call("POST", f"/api/prescriptions/{key}/cancel", body={"reason": "Wrong"}, headers=cookies(account))
    assert cancelled.json["state"] == "cancelled"


def test_a_grave_warning_is_told_with_its_key_and_needs_a_reason(ward: Ward) -> None:
    ward.allergic("Penicillin")
    account = ward.house.staff["main_doctor"]
    path = f"/api/visits/{ward.visit}/prescriptions"
    told = call("POST", f"{path}/check", body=body(ward), headers=bearer(account)).json["data"]
    assert [(one["tier"], one["interrupts"]) for one in told] == [("contraindicated", True)]
    refused = call("POST", path, body=body(ward), headers=cookies(account))
    assert (refused.status, refused.json["code"]) == (409, "warnings")
    assert refused.json["warnings"][0]["key"] == told[0]["key"]
    reason = {told[0]["key"]: "Tolerated before"}
    assert call("POST", path, body=body(ward, overrides=reason), headers=cookies(account)).status == 201


@pytest.mark.parametrize(
    "change", [{"dose": "0"}, {"dose": "NaN"}, {"days": 0}, {"frequency": "hourly"}, {"route": "magic"}, {"days": 9999}]
)
def test_a_line_that_cannot_be_is_named(ward: Ward, change: dict[str, Any]) -> None:
    sent = body(ward)
    sent["lines"][0] |= change
    answer = call(
        "POST", f"/api/visits/{ward.visit}/prescriptions", body=sent, headers=cookies(ward.house.staff["main_doctor"])
    )
    assert answer.status in (400, 422)
    assert next(iter(change)) in answer.json.get("field", "") + str(answer.json)
    assert not Prescription.objects.exists()


def test_a_repeat_over_the_api_asks_for_a_fresh_factor_and_happens_once(ward: Ward) -> None:
    ward.no_allergies()
    doctor, patient = ward.house.staff["main_doctor"], bearer(ward.house.patient)
    path = f"/api/visits/{ward.visit}/prescriptions"
    assert call("POST", path, body=body(ward, repeats=12), headers=cookies(doctor)).status == 422
    made = call("POST", path, body=body(ward, repeats=2, repeatMonths=12), headers=cookies(doctor)).json
    assert (made["repeats"], made["repeatsUsed"], made["repeatOf"]) == (2, 0, None)
    again = f"/api/prescriptions/{made['id']}/refills"
    early = call("POST", again, body={}, headers=patient)
    assert (early.status, early.json["code"]) == (409, "not_picked_up")
    row = Prescription.objects.get()
    given = {line.pk: line.quantity for line in row.lines.all()}
    actions.dispensed(actor=ward.pharmacist, prescription_id=row.pk, quantities=given)
    assert call("POST", again, body={"note": "x" * 201}, headers=patient).status == 422
    once = {**patient, "Idempotency-Key": "one-request"}
    asked = call("POST", again, body={"note": "Two left"}, headers=once)
    assert (asked.status, asked.json["state"]) == (201, "asked")
    assert call("POST", again, body={"note": "Two left"}, headers=once).json["id"] == asked.json["id"]
    [waits] = call("GET", "/api/refills", headers=bearer(doctor)).json["data"]
    refill = f"/api/refills/{waits['id']}"
    refused = call("POST", f"{refill}/approve", body={}, headers=bearer(doctor))
    assert (refused.status, refused.json["code"]) == (403, "step_up_needed")
    assert call("POST", f"{refill}/decline", body={"reason": ""}, headers=bearer(doctor)).status == 422
    signed = call("POST", f"{refill}/approve", body={"version": 1}, headers=cookies(doctor))
    assert (signed.status, signed.json["repeatOf"]) == (201, made["id"])
    assert call("POST", f"{refill}/approve", body={}, headers=cookies(doctor)).status == 409
    assert call("POST", f"{refill}/withdraw", body={}, headers=patient).status == 409
    assert call("GET", refill, headers=patient).json["madeId"] == signed.json["id"]
