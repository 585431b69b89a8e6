"""The pages of lists, as a manager without JavaScript uses them, and the same over the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity
from polyclinic.imports import working
from polyclinic.imports.models import Import
from polyclinic.people.models import Patient
from polyclinic.people.sessions import SessionStore
from polyclinic.visits import known
from tests.api.calling import bearer, call, upload
from tests.house import House
from tests.imports.lists import PATIENTS, Desk
from tests.portals.conftest import form, send

Browser = Callable[[Any], Client]


@pytest.fixture
def boss(house: House, browser_of: Browser) -> Client:
    return browser_of(house.manager)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())).replace("\u00a0", " ")


def give(boss: Client, data: bytes, kind: str = "patients") -> Any:
    page = boss.get("/imports")
    fields = {**form(page, "/imports")["fields"], "kind": kind, "file": SimpleUploadedFile("list.csv", data)}
    return boss.post("/imports", fields)


def test_a_list_from_the_upload_to_the_report(house: House, boss: Client) -> None:
    answer = give(boss, PATIENTS.replace(b"Surname", b"Who"))
    assert answer.status_code == 303
    page = boss.get(answer["location"])
    assert "columns parted by: Semicolon" in text(page)
    assert "Lindqvist" in text(page)
    columns = {"given_name": "1", "born": "2", "sex": "3", "phone": "4", "dates": "iso"}
    refused = send(boss, page, "/columns", **columns)
    assert (refused.status_code, "Choose the column that holds this." in text(refused)) == (422, True)
    answer = send(boss, page, "/columns", family_name="0", **columns)
    assert answer.status_code == 303
    working.work()
    page = boss.get(answer["location"])
    assert "This is no date as the file writes them." in text(page)
    assert "Leave out 2 wrong rows" in text(page)
    assert "Novak" not in text(page)
    # The box is left empty: nothing is written.
    told = boss.get(send(boss, page, "/apply")["location"])
    assert "2 rows are wrong." in text(told)
    table = send(boss, page, "/errors")
    assert b"".join(table.streaming_content).decode("utf-8-sig").splitlines()[1].startswith("3,Date of birth,")
    before = Patient.objects.count()
    assert send(boss, boss.get(f"/imports/{Import.objects.get().pk}"), "/apply", skip_bad="yes").status_code == 303
    working.work()
    page = boss.get(f"/imports/{Import.objects.get().pk}/state")
    assert "Imported" in text(page)
    assert Patient.objects.count() == before + 2
    assert "2 of 4 are in" in text(boss.get("/imports/list"))


def test_what_is_no_list_is_refused_beside_the_field(boss: Client) -> None:
    answer = give(boss, b"PK\x03\x04")
    assert (answer.status_code, "Save the sheet as CSV" in text(answer)) == (422, True)
    answer = send(boss, boss.get("/imports"), "/imports")
    assert (answer.status_code, "Choose a file first." in text(answer)) == (422, True)


def test_it_is_cancelled_and_lists_do_not_grow_in_questions(house: House, boss: Client) -> None:
    row = Desk(house).check(PATIENTS)
    page = boss.get(f"/imports/{row.pk}")
    assert send(boss, page, "/cancel").status_code == 303
    assert "Cancelled" in text(boss.get(f"/imports/{row.pk}"))
    assert "Nothing was done" not in text(boss.get("/imports"))
    from django.db import connection

    with CaptureQueriesContext(connection) as few:
        boss.get("/imports/list")
    for _more in range(3):
        Desk(house).upload(PATIENTS)
    with CaptureQueriesContext(connection) as many:
        boss.get("/imports/list")
    assert len(many) <= len(few)


def test_the_same_over_the_api(house: House) -> None:
    boss, place = bearer(house.manager), str(house.facility.pk)
    sent = upload(PATIENTS, "text/csv", name="list.csv", more={"hospitalId": place, "kind": "patients"})
    made = call("POST", "/api/imports", body=sent, headers=boss)
    assert (made.status, made.json["stage"], made.json["columns"]["family_name"]) == (201, "uploaded", 0)
    where = f"/api/imports/{made.json['id']}"
    step = {"action": "check", "columns": made.json["columns"], "version": made.json["version"]}
    assert call("PUT", f"{where}/status", body=step, headers=boss).json["stage"] == "checking"
    working.work()
    rows = call("GET", f"{where}/problems?limit=1", headers=boss).json
    assert (rows["data"][0]["number"], rows["data"][0]["field"], rows["pagination"]["pages"]) == (3, "born", 2)
    assert call("PUT", f"{where}/status", body={"action": "apply"}, headers=boss).code == "bad_rows"
    assert call("PUT", f"{where}/status", body={"action": "dance"}, headers=boss).code == "unknown_action"
    body = {"action": "apply", "skipBad": True}
    assert call("PUT", f"{where}/status", body=body, headers=boss).json["stage"] == "applying"
    assert call("PUT", f"{where}/status", body={"action": "cancel"}, headers=boss).json["stage"] == "cancelled"
    listed = call("GET", f"/api/imports?hospitalId={place}", headers=boss).json["data"]
    assert [one["id"] for one in listed] == [made.json["id"]]
    for who in (house.receptionist, house.doctor, house.stranger_receptionist):
        assert call("GET", where, headers=bearer(who)).status == 403


def shown(boss: Client, when: str) -> None:
    """This session's person showed a factor then."""
    store = SessionStore(boss.cookies["polyclinic_session"].value)
    store["stepped_up_at"] = when
    store.save()
    identity.forget()


def test_a_list_goes_out_after_a_step_up_and_with_a_reason(house: House, boss: Client) -> None:
    known.remember(house.patient.pk, house.facility.pk)
    page = boss.get("/exports")
    given = {"kind": "patients", "reason": "Moving house"}
    shown(boss, "")
    assert send(boss, page, "/exports", **given).status_code == 303
    assert not AuditEntry.objects.filter(action="list.export").exists()
    shown(boss, clock.now().isoformat())
    refused = send(boss, page, "/exports", kind="patients", reason=" ")
    assert (refused.status_code, "Say what the list is for" in text(refused)) == (422, True)
    answer = send(boss, page, "/exports", **given)
    assert answer["content-disposition"] == 'attachment; filename="patients.csv"'
    assert house.patient.mrn in b"".join(answer.streaming_content).decode()
    assert AuditEntry.objects.filter(action="list.export").count() == 1
