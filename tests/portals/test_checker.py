"""The first check on pages: the queue, the signs, allergies, notes with drafts, and who may be there."""

from __future__ import annotations

from typing import Any

import pytest

from polyclinic.core.audit import reads
from polyclinic.records import actions, drafts, notes, selectors
from polyclinic.records.models import Draft, Note, VitalSet
from polyclinic.visits import actions as visits
from tests.house import House, missing
from tests.portals.conftest import send
from tests.records.conftest import Ward, paid, ward_of

SIGNS = {
    "respiration": "22", "spo2": "93", "systolic": "105", "diastolic": "70", "pulse": "118", "temperature": "38,6",
    "oxygen": "air", "consciousness": "A",
}  # fmt: skip


@pytest.fixture
def ward(house: House) -> Ward:
    return ward_of(house)


def at(ward: Ward) -> str:
    return f"/checker/visits/{ward.visit.pk}"


def test_the_queue_shows_who_waits_and_who_is_under_way(ward: Ward, browser_of: Any) -> None:
    house = ward.house
    second = paid(house, house.other_patient)
    client = browser_of(house.staff["checker_doctor"])
    text = client.get("/checker").content.decode()
    first, later = f'id="first-{ward.visit.pk}"', f'id="later-{second.pk}"'
    assert first in text
    assert later not in text
    assert "PILLAI, Meera" in text
    assert "17-May-1980" in text
    assert "MRN0000001" in text
    visits.check(actor=ward.checker, visit_id=second.pk)
    assert later in client.get("/checker").content.decode()
    place = house.facility.pk
    assert client.get(f"/checker/row/{second.pk}?list=later&place={place}").status_code == 200
    assert client.get(f"/checker/row/{second.pk}?list=first&place={place}").status_code == 204
    assert client.get("/home").headers["Location"] == "/checker"


def test_an_emergency_is_there_before_its_fee(house: House, browser_of: Any) -> None:
    desk = house.person(house.receptionist)
    made = visits.register(actor=desk, facility_id=house.facility.pk, patient_id=house.patient.pk, priority="emergency")
    calm = visits.register(actor=desk, facility_id=house.facility.pk, patient_id=house.other_patient.pk)
    text = browser_of(house.staff["nurse"]).get("/checker").content.decode()
    assert f'id="first-{made.pk}"' in text
    assert str(calm.pk) not in text


def test_signs_are_written_down_and_drawn(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["nurse"])
    page = client.get(at(ward))
    assert "Not asked" in page.content.decode()
    answer = send(client, page, "/vitals", **SIGNS)
    assert answer.status_code == 303
    text = client.get(at(ward)).content.decode()
    assert 'class="news-chart"' in text
    assert "38.6 °C" in text
    # Breathing 2, saturation 2, blood pressure 1, pulse 2, temperature 1.
    assert '<span class="sr">NEWS2 total </span>8' in text
    assert "High risk: emergency" in text
    assert client.get(f"{at(ward)}/vitals").content.decode().count("<circle") == 7


def test_the_unusual_comes_back_with_a_box_and_all_that_was_typed(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["nurse"])
    answer = send(client, client.get(at(ward)), "/vitals", **{**SIGNS, "pulse": "190"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'name="confirmed" value="pulse"' in text
    assert 'value="38,6"' in text
    assert VitalSet.objects.count() == 0
    send(client, answer, "/vitals", **{**SIGNS, "pulse": "190", "confirmed": "pulse"})
    assert VitalSet.objects.count() == 1


def test_a_set_is_marked_as_an_error_with_the_reason(ward: Ward, browser_of: Any) -> None:
    made = actions.record_vitals(actor=ward.nurse, visit_id=ward.visit.pk, values={"pulse": "80"})
    client = browser_of(ward.house.staff["nurse"])
    page = client.get(f"{at(ward)}/vitals/{made.pk}/withdraw")
    assert send(client, page, "", reason=" ").status_code == 422
    send(client, page, "", reason="Wrong patient")
    assert VitalSet.objects.get().state == "withdrawn"
    assert "Entered in error" in client.get(at(ward)).content.decode()
    assert client.get(f"{at(ward)}/vitals/{missing()}/withdraw").status_code == 404


def test_allergies_on_the_page(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["nurse"])
    send(client, client.get(at(ward)), "/none-known")
    assert "None known" in client.get(f"{at(ward)}/banner").content.decode()
    answer = send(client, client.get(at(ward)), f"{at(ward)}/allergies", substance="<b>Latex</b>", severity="severe")
    assert answer.status_code == 303
    banner = client.get(f"{at(ward)}/banner").content.decode()
    assert "&lt;b&gt;Latex&lt;/b&gt;" in banner
    page = client.get(at(ward))
    assert send(client, page, "/remove", reason="").status_code == 422
    send(client, page, "/remove", reason="Not latex but powder")
    assert "Not asked" in client.get(f"{at(ward)}/banner").content.decode()


def test_two_editors_see_each_other_and_neither_is_lost(ward: Ward, browser_of: Any) -> None:
    nurse, checker = (browser_of(ward.house.staff[role]) for role in ("nurse", "checker_doctor"))
    pages = [one.get(at(ward)) for one in (nurse, checker)]
    assert send(nurse, pages[0], "/notes/complaint", complaint="Cough for a week").status_code == 303
    refused = send(checker, pages[1], "/notes/complaint", complaint="Fever since Monday")
    text = refused.content.decode()
    assert refused.status_code == 412
    assert "Cough for a week" in text
    assert "Fever since Monday" in text
    assert Note.objects.get().version == 1
    assert send(checker, refused, "/notes/complaint", complaint="Cough and fever").status_code == 303
    assert selectors.note(ward.nurse, ward.visit.pk, "complaint").fields == {"complaint": "Cough and fever"}
    assert [row.version for row in selectors.note_versions(ward.nurse, ward.visit.pk, "complaint")] == [2, 1]


def test_drafts_are_kept_come_back_and_say_when_they_are_stale(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["nurse"])
    page = client.get(at(ward))
    kept = send(client, page, "/notes/history", complaint="x").status_code
    assert kept == 422  # nothing of that form was filled in
    address = f"{at(ward)}/notes/history"
    answer = send(client, client.get(at(ward)), address, illnesses="Asthma")
    assert answer.status_code == 303
    first = keep(client, ward, "exam", lungs="Clear")
    assert first.json() == {"version": 1, "stale": False}
    assert 'value="Clear"' in client.get(at(ward)).content.decode()
    # The same text from a second window of theirs, opened before: refused, and told in the terms of a program.
    refused = keep(client, ward, "exam", lungs="Crackles")
    assert (refused.status_code, refused.json()["code"]) == (412, "stale")
    notes.save(actor=ward.checker, visit_id=ward.visit.pk, kind="exam", fields={"lungs": "Wheeze"}, version=0)
    assert keep(client, ward, "exam", lungs="Clear, really", draft="1").json() == {"version": 2, "stale": True}
    beside = client.get(f"{at(ward)}/notes/exam/beside").content.decode()
    assert "Wheeze" in beside
    assert "Clear, really" in beside
    send(client, client.get(at(ward)), "/notes/exam/draft/discard")
    assert Draft.objects.count() == 0


def keep(client: Any, ward: Ward, kind: str, **fields: str) -> Any:
    """An autosave as the browser sends it."""
    client.get(at(ward))
    given = {"version": "0", "draft": "0", "csrfmiddlewaretoken": client.cookies["polyclinic_csrf"].value, **fields}
    return client.post(f"{at(ward)}/notes/{kind}/draft", given, headers={"Accept": "application/json"})


def test_a_draft_is_shown_to_nobody_else(ward: Ward, browser_of: Any) -> None:
    drafts.keep(
        actor=ward.nurse, visit_id=ward.visit.pk, kind="plan", fields={"plan": "Half a thought"}, base=0, version=0
    )
    assert "Half a thought" in browser_of(ward.house.staff["nurse"]).get(at(ward)).content.decode()
    assert "Half a thought" not in browser_of(ward.house.staff["checker_doctor"]).get(at(ward)).content.decode()


def test_tests_are_ordered_and_the_visit_moves(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["checker_doctor"])
    answer = send(client, client.get(at(ward)), f"{at(ward)}/tests", codes="cbc")
    assert answer.status_code == 303
    ward.visit.refresh_from_db()
    assert ward.visit.state == "lab_pending"
    text = client.get(at(ward)).content.decode()
    assert "Ordered " in text
    assert f"{at(ward)}/done" not in text


def test_a_check_without_tests_goes_to_the_doctor(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["nurse"])
    page = client.get(at(ward))
    assert send(client, page, "/done").headers["Location"] == "/checker"
    ward.visit.refresh_from_db()
    assert ward.visit.state == "checked"
    again = send(client, page, "/done")
    assert again.status_code == 409


def test_a_look_at_the_page_is_on_record_once(ward: Ward, browser_of: Any) -> None:
    client = browser_of(ward.house.staff["nurse"])
    with reads.gathering() as found:
        answer = client.get(at(ward))
    told = found.told(answer.status_code)
    assert sorted(one.action for one in told) == ["chart.read", "visit.read"]
    assert all(one.patients == {ward.house.patient.pk} for one in told)


def test_strangers_find_nothing(ward: Ward, browser_of: Any) -> None:
    house = ward.house
    for who, status in (
        (house.stranger_receptionist, 403), (house.patient, 403), (house.receptionist, 403), (house.other_doctor, 404),
    ):  # fmt: skip
        assert browser_of(who).get(at(ward)).status_code == status
