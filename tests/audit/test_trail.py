"""The auditor's search, export and proof; the patient's "who opened my record"."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock, context
from polyclinic.core.actors import Anonymous, Person, SystemActor
from polyclinic.core.audit import reads
from polyclinic.core.errors import Invalid, NotFound, Problem
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry
from polyclinic.facilities.models import Membership
from polyclinic.scheduling import actions, selectors
from polyclinic.trail import selectors as trail
from polyclinic.trail.rows import EntryRow
from polyclinic.trail.selectors import Search
from tests.api.calling import Answer, bearer, call, cookies
from tests.core.tampering import open_audit, sql
from tests.house import House, account


@pytest.fixture
def auditor(house: House) -> Person:
    return house.person(house.staff["auditor"])


@pytest.fixture
def far_auditor(house: House) -> Person:
    one = account("far.auditor@example.com", "Far Auditor")
    Membership.objects.create(account=one, facility=house.elsewhere, role="auditor")
    return house.person(one)


@pytest.fixture
def visit(house: House) -> Any:
    made = actions.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(0), reason="A private reason",
    )  # fmt: skip
    actions.take(actor=house.person(house.doctor), appointment_id=made.pk, action="confirm", reason="Quite all right")
    selectors.doctor_day(house.person(house.doctor), house.doctor.pk, house.workday())
    return made


def found(viewer: Person, **wanted: Any) -> list[EntryRow]:
    return trail.entries(viewer, Search(**wanted)).rows


def test_an_auditor_sees_what_was_done_and_looked_at(house: House, auditor: Person, visit: Any) -> None:
    rows = found(auditor)
    assert [row.action for row in rows] == ["appointment.list", "appointment.confirm", "appointment.book"]
    assert rows[1].reason == "Quite all right"
    assert (rows[0].actor_name, rows[0].mrn, rows[0].facility_name) == ("Dr Anil Rao", "MRN0000001", "Riverside Clinic")
    # Looking is on record, and seen next time.
    assert found(auditor)[0].action == "audit.list"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (lambda h, v: {"person_id": h.patient.account.pk}, ["appointment.book"]),
        (lambda h, v: {"patient_id": h.other_patient.pk}, []),
        (lambda h, v: {"patient_id": h.patient.pk, "action": "appointment.confirm"}, ["appointment.confirm"]),
        (lambda h, v: {"subject": str(v.pk)}, ["appointment.confirm", "appointment.book"]),
        (lambda h, v: {"facility_id": h.facility.pk, "action": "appointment.book"}, ["appointment.book"]),
        (lambda h, v: {"until": clock.now() - timedelta(hours=1)}, []),
        (lambda h, v: {"from_": clock.now() + timedelta(hours=1)}, []),
        (lambda h, v: {"via": "cli"}, []),
        (lambda h, v: {"request_id": "nobody's"}, []),
        (lambda h, v: {"person_id": new_id()}, []),
    ],
)  # fmt: skip
def test_each_part_of_the_search_narrows(
    house: House, auditor: Person, visit: Any, wanted: Callable[..., dict[str, Any]], expected: list[str]
) -> None:
    assert [row.action for row in found(auditor, **wanted(house, visit))] == expected


def test_a_patient_is_found_in_the_lists_they_stood_in(house: House, auditor: Person) -> None:
    both = [(one.pk, house.facility.pk) for one in (house.patient, house.other_patient)]
    reads.listed(SystemActor("demo"), "appointment", None, both)
    (row,) = found(auditor, patient_id=house.other_patient.pk)
    assert (row.action, row.patients, row.mrn) == ("appointment.list", 2, "")
    assert trail.entry(auditor, row.id).mrns == ["MRN0000001", "MRN0000002"]


def test_another_hospitals_entries_do_not_exist(house: House, auditor: Person, far_auditor: Person, visit: Any) -> None:
    assert found(far_auditor) == []
    mine = found(auditor)[0]
    with pytest.raises(NotFound):
        trail.entry(far_auditor, mine.id)
    with pytest.raises(NotFound):
        found(far_auditor, facility_id=house.facility.pk)
    with pytest.raises(NotFound):
        trail.begin_export(far_auditor, Search(facility_id=house.facility.pk))
    assert list(trail.export(far_auditor, Search())) == []
    assert trail.places(far_auditor) == [(house.elsewhere.pk, "Hilltop Hospital")]


def test_whoever_has_no_right_finds_nothing_there(house: House, visit: Any) -> None:
    for who in (house.patient, house.doctor, house.receptionist, house.manager):
        viewer = house.person(who)
        for call_ in (lambda v: found(v), trail.places, trail.verified, lambda v: trail.entry(v, 1)):
            with pytest.raises(Problem):
                call_(viewer)
    with pytest.raises(Problem):
        trail.entries(Anonymous(), Search())


def test_pages_follow_each_other_without_gap_or_repeat(house: House, auditor: Person) -> None:
    moment = clock.now()
    with clock.fixed(moment):
        for _ in range(45):
            reads.opened(SystemActor("demo"), "x", new_id(), patient_id=new_id(), facility_id=house.facility.pk)
    seen: list[int] = []
    cursor = ""
    while True:
        page = trail.entries(auditor, Search(action="x.read"), cursor=cursor, limit=10)
        seen += [row.id for row in page.rows]
        cursor = page.next
        if not cursor:
            break
    assert len(seen) == 45
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize("cursor", ["x", "1_", "_1", "1e400_1", "nan_1", "1_x"])
def test_a_cursor_of_nowhere_is_refused(auditor: Person, cursor: str) -> None:
    with pytest.raises(Invalid):
        trail.entries(auditor, Search(), cursor=cursor)


def test_a_page_costs_a_few_statements_however_long(house: House, auditor: Person) -> None:
    for _ in range(30):
        reads.opened(SystemActor("demo"), "x", new_id(), patient_id=new_id(), facility_id=house.facility.pk)
    with reads.gathering(), CaptureQueriesContext(connection) as seen:
        trail.entries(auditor, Search())
    assert len(seen) <= 6


def test_an_entry_comes_with_its_proof_and_says_when_it_does_not_hold(
    house: House, auditor: Person, visit: Any
) -> None:
    middle = found(auditor, action="appointment.confirm")[0]
    proof = trail.entry(auditor, middle.id).proof
    assert proof.holds
    assert proof.previous
    assert proof.digest
    assert proof.following
    with open_audit():
        sql(f"UPDATE core_auditentry SET action = 'appointment.nothing' WHERE id = {middle.id}")
    assert not trail.entry(auditor, middle.id).proof.holds


def export(house: House, **form: str) -> Answer:
    headers = {**cookies(house.staff["auditor"]), "Content-Type": "application/x-www-form-urlencoded"}
    return call("POST", "/audit/export", body=urlencode(form).encode(), headers=headers)


def test_an_export_is_whole_recorded_and_runs_no_formula(house: House, visit: Any) -> None:
    actions.take(actor=house.person(house.doctor), appointment_id=visit.pk, action="cancel", reason="=HYPERLINK(1)")
    answer = export(house, format="csv")
    assert answer.status == 200, answer
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["action"] for row in rows][-3:] == ["appointment.list", "appointment.confirm", "appointment.book"]
    assert [row["reason"] for row in rows if row["action"] == "appointment.cancel"] == ["'=HYPERLINK(1)"]
    assert AuditEntry.objects.filter(action="audit.export", facility_id=house.facility.pk).count() == 1
    lines = export(house, format="jsonl", action="appointment.book").body.splitlines()
    assert [orjson.loads(line)["action"] for line in lines] == ["appointment.book"]


def test_the_form_puts_no_name_into_an_address(house: House, visit: Any) -> None:
    headers = {**cookies(house.staff["auditor"]), "Content-Type": "application/x-www-form-urlencoded"}
    form = {"person": "meera@example.org", "patient": "mrn0000001", "action": "appointment.book", "until": ""}
    answer = call("POST", "/audit", body=urlencode(form).encode(), headers=headers)
    target = answer.headers["location"]
    assert "meera" not in target
    assert "mrn0" not in target.lower()
    page = call("GET", target, headers=headers)
    assert page.body.count(b"<code>appointment.book</code>") == 1
    nobody = call("POST", "/audit", body=urlencode({"patient": "MRN9999999"}).encode(), headers=headers)
    assert b"Nothing found" in call("GET", nobody.headers["location"], headers=headers).body


def test_the_api_pages_by_address(house: House, visit: Any) -> None:
    first = call("GET", "/api/audit?limit=2", headers=bearer(house.staff["auditor"])).json
    assert len(first["data"]) == 2
    again = call("GET", first["pagination"]["next"], headers=bearer(house.staff["auditor"])).json
    assert [row["action"] for row in again["data"]] == ["appointment.book"]
    assert again["pagination"]["next"] is None
    assert call("GET", "/api/audit?cursor=zzz", headers=bearer(house.staff["auditor"])).status == 422


def test_a_patient_reads_who_opened_their_record(house: House, visit: Any) -> None:
    answer = call("GET", "/my/record/access", headers=cookies(house.patient))
    text = answer.body.decode()
    assert answer.status == 200
    for words in ("Dr Anil Rao", "Riverside Clinic", "Confirmed an appointment", "Quite all right", "You yourself"):
        assert words in text
    rows = trail.accesses(house.person(house.patient), house.patient.pk).rows
    assert [(row.who, row.own, row.role) for row in rows if row.action == "appointment.book"] == [
        ("Meera Pillai", True, "")
    ]
    assert "Meera" not in call("GET", "/my/record/access", headers=cookies(house.other_patient)).body.decode()


def test_around_midnight_each_day_of_the_list_is_shown_once(house: House, visit: Any) -> None:
    """What is the next day already in Berlin is still the day before elsewhere; both come by turns."""
    late = (clock.now() + timedelta(days=1)).replace(hour=23, minute=30)
    with time_machine.travel(late):
        for who in (house.doctor, house.patient, house.doctor, house.patient):
            reads.opened(house.person(who), "patient", house.patient.pk, patient_id=house.patient.pk)
        told = call("GET", "/my/record/access", headers=cookies(house.patient)).body.decode()
    days = re.findall('<h2 id="day-([0-9-]+)"', told)
    assert days[:2] == [str(late.date() + timedelta(days=1)), str(late.date())]
    assert days == sorted(set(days), reverse=True)


def test_nobody_reads_who_opened_anothers_record(house: House, visit: Any) -> None:
    for who in (house.other_patient, house.doctor, house.manager, house.staff["auditor"]):
        with pytest.raises(NotFound):
            trail.accesses(house.person(who), house.patient.pk)
    asked = f"/my/record/access?for={house.patient.pk}"
    assert call("GET", asked, headers=cookies(house.other_patient)).status == 404
    assert call("GET", f"/my/record/access?for={new_id()}", headers=cookies(house.other_patient)).status == 404


def test_a_carer_reads_it_for_whom_they_act(house: House, visit: Any) -> None:
    from dataclasses import replace

    carer = replace(house.person(house.other_patient), delegated=frozenset({house.patient.pk}))
    rows = trail.accesses(carer, house.patient.pk).rows
    assert "appointment.confirm" in [row.action for row in rows]
    assert not any(row.own for row in rows)


def test_a_request_is_looked_for_around_the_moment_in_its_id(house: House, auditor: Person) -> None:
    ours, theirs = new_id().hex, "a-callers-own"
    for name in (ours, theirs):
        token = context.request_id.set(name)
        reads.opened(house.person(house.doctor), "patient", house.patient.pk, patient_id=house.patient.pk)
        context.request_id.reset(token)
    assert [row.request_id for row in found(auditor, request_id=ours)] == [ours]
    assert [row.request_id for row in found(auditor, request_id=theirs)] == [theirs]
    with clock.fixed(clock.now() + timedelta(days=31)):
        # A caller's own name says nothing about when.
        assert len(found(auditor, request_id=ours)) == 1
        assert found(auditor, request_id=theirs) == []
