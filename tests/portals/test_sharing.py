"""Sharing, acting for others and privacy requests, as people send the forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from polyclinic.consent.models import Consent, Delegation
from polyclinic.factors.models import Passkey
from polyclinic.privacy.models import PrivacyRequest
from polyclinic.scheduling.models import Appointment
from polyclinic.web import stepup
from tests.house import House
from tests.portals.conftest import send

Browser = Callable[[Any], Client]
DOB = {"born_day": "17", "born_month": "May", "born_year": "1980"}


def text(answer: Any) -> str:
    return str(answer.content.decode())


def share(client: Client, house: House, **changes: Any) -> Any:
    given = {"grantee": f"facility:{house.elsewhere.pk}", "purpose": "treatment", "categories": ["all"], **changes}
    return send(client, client.get("/my/sharing"), "/my/sharing", **given)


def test_shared_seen_withdrawn_gone(house: House, browser_of: Browser) -> None:
    """The withdrawal holds for the very next request."""
    patient, doctor = browser_of(house.patient), browser_of(house.stranger_doctor)
    address = f"/records/{house.patient.pk}"
    missing = doctor.get(f"/records/{house.facility.pk}")
    assert doctor.get(address).status_code == missing.status_code == 404
    assert share(patient, house).status_code == 303
    assert "PILLAI, Meera" in text(doctor.get(address))
    page = patient.get("/my/sharing")
    assert "Hilltop Hospital" in text(page)
    row = Consent.objects.get()
    assert send(patient, page, f"/my/sharing/{row.pk}/withdraw").status_code == 303
    assert doctor.get(address).status_code == 404
    assert "not open to you any more" in text(doctor.get(f"{address}/state"))
    assert "PILLAI" not in text(doctor.get(f"{address}/state"))
    assert "Withdrawn" in text(patient.get("/my/sharing"))


def test_a_record_is_found_by_two_identifiers_and_missed_alike(house: House, browser_of: Browser) -> None:
    doctor = browser_of(house.stranger_doctor)
    asked = {"mrn": house.patient.mrn, **DOB}
    page = doctor.get("/records")
    foreign = send(doctor, page, "/records", **asked)
    absent = send(doctor, page, "/records", **{**asked, "mrn": "MRN9999999"})
    assert foreign.status_code == absent.status_code == 404
    masked = [re.sub(r'value="[^"]*"', "", text(one)) for one in (foreign, absent)]
    assert masked[0] == masked[1]
    share(browser_of(house.patient), house)
    for wish in (asked, {"family_name": "pillai", "given_name": "Meera", **DOB}):
        found = send(doctor, page, "/records", **wish)
        assert (found.status_code, found.headers["Location"]) == (303, f"/records/{house.patient.pk}")


def test_the_statements_of_a_miss_do_not_tell_foreign_from_missing(
    house: House, browser_of: Browser, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    doctor = browser_of(house.stranger_doctor)
    page = doctor.get("/records")
    counts = []
    for number in (house.patient.mrn, "MRN9999999", house.patient.mrn, "MRN9999999"):
        with CaptureQueriesContext(connection) as seen:
            send(doctor, page, "/records", mrn=number, **DOB)
        counts.append(len(seen))
    assert counts[2] == counts[3]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"mrn": ""}, 422), ({"born_month": "Smarch"}, 422), ({"born_year": "x"}, 422), ({"born_day": "31"}, 404)],
)
def test_bad_identifiers_are_explained(house: House, browser_of: Browser, changes: dict[str, str], status: int) -> None:
    desk = browser_of(house.receptionist)
    answer = send(desk, desk.get("/records"), "/records", **{"mrn": "MRN0000001", **DOB, **changes})
    assert answer.status_code == status


def confirm(client: Client) -> None:
    """As the step-up page does once a factor was shown."""
    stepup.mark(client.cookies["polyclinic_session"].value, 2)


def test_break_glass_leads_who_has_no_second_factor_to_adding_one(house: House, browser_of: Browser) -> None:
    doctor = browser_of(house.other_doctor)
    stepup.mark(doctor.cookies["polyclinic_session"].value, 1)
    away = doctor.get("/records/break-glass")
    assert (away.status_code, away.headers["Location"]) == (303, "/account/security")
    assert "you need a second step" in text(doctor.get("/account/security"))


def test_break_glass_asks_to_confirm_first_and_then_opens(house: House, browser_of: Browser) -> None:
    doctor = browser_of(house.other_doctor)
    Passkey.objects.create(account=house.other_doctor.account, name="Key", credential_id="AAAA", public_key="AAAA")
    away = doctor.get("/records/break-glass")
    assert (away.status_code, away.headers["Location"]) == (303, "/step-up?next=%2Frecords%2Fbreak-glass")
    confirm(doctor)
    page = doctor.get("/records/break-glass")
    asked = {"mrn": house.patient.mrn, "reason": "Found unconscious in the street", **DOB}
    bad = send(doctor, page, "/records/break-glass", **{**asked, "reason": "x"})
    assert (bad.status_code, "why you need this record" in text(bad)) == (422, True)
    none = send(doctor, page, "/records/break-glass", **{**asked, "mrn": "MRN9999999"})
    assert (none.status_code, "no record with these identifiers" in text(none)) == (404, True)
    opened = send(doctor, page, "/records/break-glass", **asked)
    assert (opened.status_code, opened.headers["Location"]) == (303, f"/records/{house.patient.pk}")
    record = doctor.get(opened.headers["Location"])
    assert "data-glass-until" in text(record)
    again = send(doctor, page, "/records/break-glass", **asked)
    assert again.headers["Location"] == f"/records/{house.patient.pk}"
    assert "Opened in an emergency" in text(browser_of(house.patient).get("/my/sharing"))

    closed = send(doctor, record, f"/records/{house.patient.pk}/close")
    assert closed.headers["Location"] == "/records"
    assert doctor.get(f"/records/{house.patient.pk}").status_code == 404
    officer = browser_of(house.staff["privacy_officer"])
    queue = officer.get("/privacy")
    assert "Found unconscious in the street" in text(queue)
    link = re.search(r'href="(/privacy/openings/[^"]+)"', text(queue))
    assert link
    page = officer.get(link[1])
    assert "two factors" in text(page)
    assert "emergency_access.open" in text(page)
    nothing = send(officer, page, link[1])
    assert nothing.status_code == 422
    unexplained = send(officer, page, link[1], outcome="unjustified")
    assert (unexplained.status_code, "Say why" in text(unexplained)) == (422, True)
    assert send(officer, page, link[1], outcome="justified").headers["Location"] == "/privacy"
    assert "Nothing to judge" in text(officer.get("/privacy"))


def test_a_carer_is_asked_takes_it_up_books_and_is_ended(house: House, browser_of: Browser) -> None:
    patient, carer = browser_of(house.patient), browser_of(house.other_patient)
    answer = send(
        patient, patient.get("/my/people"), "/my/people/invite", email="BENTO@example.org", kind="carer", rights="book"
    )
    assert answer.status_code == 201
    code = re.search(r'<bdi dir="ltr">([A-Z0-9-]+)</bdi>', text(answer))
    assert code
    assert code[1] not in text(patient.get("/my/people"))
    wrong = send(carer, carer.get("/my/people"), "/my/people/accept", code="ABCDE-FGHJK")
    assert (wrong.status_code, "does not fit" in text(wrong)) == (422, True)
    thief = browser_of(house.stranger_patient)
    assert send(thief, thief.get("/my/people"), "/my/people/accept", code=code[1]).status_code == 422
    assert send(carer, carer.get("/my/people"), "/my/people/accept", code=code[1].lower()).status_code == 303
    assert "Meera Pillai" in text(carer.get("/my/people"))

    slot = f"{house.schedule.pk}@{house.slot(2).isoformat()}"
    time = carer.get(f"/book/time?service={house.service.pk}&doctor={house.doctor.pk}&for={house.patient.pk}")
    held = send(carer, time, "/book/hold", slot=slot)
    assert held.headers["Location"].endswith(f"?for={house.patient.pk}")
    check = carer.get(held.headers["Location"])
    assert "For whom?" in text(check)
    done = send(carer, check, held.headers["Location"].split("?")[0], patient=str(house.patient.pk))
    assert done.headers["Location"].endswith("/booked")
    assert Appointment.objects.get().patient_id == house.patient.pk
    assert "PILLAI, Meera" in text(carer.get(done.headers["Location"]))
    assert "Meera Pillai" in text(carer.get("/my"))

    row = Delegation.objects.get()
    assert send(patient, patient.get("/my/people"), f"/my/people/{row.pk}/end").status_code == 303
    assert carer.get(f"/my/appointments/{Appointment.objects.get().pk}").status_code == 404


def test_whom_one_may_not_book_for_does_not_exist(house: House, browser_of: Browser) -> None:
    patient = browser_of(house.patient)
    slot = f"{house.schedule.pk}@{house.slot(2).isoformat()}"
    time = patient.get(f"/book/time?service={house.service.pk}&doctor={house.doctor.pk}&for={house.other_patient.pk}")
    held = send(patient, time, "/book/hold", slot=slot)
    address = held.headers["Location"].split("?")[0]
    check = patient.get(held.headers["Location"])
    assert "For whom?" not in text(check)
    assert send(patient, check, address, patient=str(house.other_patient.pk)).status_code == 404
    assert not Appointment.objects.exists()


def test_the_desk_appoints_a_parent_who_decides_for_the_child(house: House, browser_of: Browser) -> None:
    from polyclinic.people.models import Patient

    Patient.objects.filter(pk=house.other_patient.pk).update(born="2020-05-17", account=None)
    desk, parent = browser_of(house.receptionist), browser_of(house.patient)
    asked = {"mrn": house.other_patient.mrn, "email": "meera@example.org", "kind": "parent", "rights": "book",
             **DOB, "born_year": "2020"}  # fmt: skip
    page = desk.get("/records/carers")
    assert send(desk, page, "/records/carers", **{**asked, "born_year": "2021"}).status_code == 422
    assert send(desk, page, "/records/carers", **asked).status_code == 303
    child = house.other_patient.pk
    shared = send(
        parent, parent.get(f"/my/sharing?for={child}"), "/my/sharing", grantee=f"facility:{house.elsewhere.pk}",
        purpose="treatment", categories="all",
    )  # fmt: skip
    assert (shared.status_code, shared.headers["Location"]) == (303, f"/my/sharing?for={child}")
    assert Consent.objects.get().patient_id == child
    assert parent.get(f"/my/privacy?for={child}").status_code == 200
    assert parent.get(f"/my/sharing?for={house.stranger_patient.pk}").status_code == 404


def test_a_copy_is_asked_for_answered_and_fetched(house: House, browser_of: Browser) -> None:
    patient, officer = browser_of(house.patient), browser_of(house.staff["privacy_officer"])
    made = send(
        patient, patient.get("/my/privacy"), "/my/privacy", kind="access", facility=str(house.facility.pk),
    )  # fmt: skip
    row = PrivacyRequest.objects.get()
    assert made.headers["Location"] == f"/my/privacy/{row.pk}"
    twice = send(patient, patient.get("/my/privacy"), "/my/privacy", kind="access", facility=str(house.facility.pk))
    assert twice.status_code == 409
    address = f"/privacy/requests/{row.pk}"
    assert "Meera" in text(officer.get("/privacy"))
    assert send(officer, officer.get(address), address, step="take").headers["Location"] == address
    confirm(patient)
    assert patient.get(f"/my/privacy/{row.pk}/copy/json").status_code == 409
    assert send(officer, officer.get(address), address, step="answer").status_code == 303
    again = browser_of(house.patient)
    assert again.get(f"/my/privacy/{row.pk}/copy/json").headers["Location"].startswith("/step-up?next=")
    copy = patient.get(f"/my/privacy/{row.pk}/copy/json")
    told = copy.json()
    assert told["patient"]["mrn"] == house.patient.mrn
    assert [one["kind"] for one in told["privacyRequests"]] == ["access"]
    assert "privacy_request.request" in {one["action"] for one in told["accesses"]}
    assert "Meera" in text(patient.get(f"/my/privacy/{row.pk}/copy/html"))
    assert browser_of(house.other_patient).get(f"/my/privacy/{row.pk}").status_code == 404


def test_a_correction_is_shown_and_made(house: House, browser_of: Browser) -> None:
    patient, officer = browser_of(house.patient), browser_of(house.staff["privacy_officer"])
    asked = {"kind": "correction", "facility": str(house.facility.pk), "field": "family_name", "after": "Pillay"}
    page = patient.get("/my/privacy")
    assert send(patient, page, "/my/privacy", **{**asked, "after": ""}).status_code == 422
    assert send(patient, page, "/my/privacy", **asked).status_code == 303
    row = PrivacyRequest.objects.get()
    shown = text(officer.get(f"/privacy/requests/{row.pk}"))
    assert "Pillai" in shown
    assert "Pillay" in shown
    address = f"/privacy/requests/{row.pk}"
    assert send(officer, officer.get(address), address, step="refuse").status_code == 422
    assert send(officer, officer.get(address), address, step="answer").status_code == 303
    house.patient.refresh_from_db()
    assert house.patient.family_name == "Pillay"
    assert "Answered" in text(patient.get(f"/my/privacy/{row.pk}"))
