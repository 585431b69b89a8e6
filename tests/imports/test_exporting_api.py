"""Taking lists out over REST: a fresh factor, a reason on record, no formulas, and nobody else's list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.models import AuditEntry
from polyclinic.facilities import identity
from polyclinic.people.models import Patient, Session
from polyclinic.scheduling import actions
from tests.api.calling import Answer, bearer, call
from tests.house import House


@dataclass
class Caller:
    head: dict[str, str]

    def ask(self, place: Any, kind: str = "patients", reason: str = "Moving house") -> Answer:
        wish = {"hospitalId": str(place), "kind": kind, "reason": reason}
        return call("POST", "/api/exports", body=wish, headers=self.head)


@pytest.fixture
def boss(house: House) -> Caller:
    made = Caller(bearer(house.manager))
    actions.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(),
    )  # fmt: skip
    Session.objects.update(stepped_up_at=clock.now())
    identity.forget()
    return made


def test_the_list_is_the_page_s_with_its_reason_on_record(house: House, boss: Caller) -> None:
    Patient.objects.filter(pk=house.patient.pk).update(family_name="=HYPERLINK(1)")
    told = boss.ask(house.facility.pk)
    assert told.status == 200
    assert told.headers["content-type"].startswith("text/csv")
    assert "patients.csv" in told.headers["content-disposition"]
    text = told.body.decode("utf-8-sig")
    assert "family_name" in text.splitlines()[0]
    assert "=HYPERLINK" in text
    assert not any(cell.lstrip('"').startswith("=") for line in text.splitlines() for cell in line.split(","))
    entry = AuditEntry.objects.get(action="list.export")
    assert entry.facility_id == house.facility.pk


def test_what_is_wrong_is_named_and_nothing_leaves(house: House, boss: Caller) -> None:
    assert boss.ask(house.facility.pk, kind="secrets").json["field"] == "kind"
    assert boss.ask(house.facility.pk, reason="  ").json["field"] == "reason"
    assert boss.ask(house.elsewhere.pk).status == 404
    assert not AuditEntry.objects.filter(action="list.export").exists()


def test_without_a_fresh_factor_it_is_asked_for(house: House, boss: Caller) -> None:
    Session.objects.update(stepped_up_at=None)
    identity.forget()
    assert boss.ask(house.facility.pk).code == "step_up_needed"


def test_where_lists_can_be_taken_is_told(house: House, boss: Caller) -> None:
    rows = call("GET", "/api/exports", headers=boss.head).json["data"]
    assert [row["id"] for row in rows] == [str(house.facility.pk)]
    assert "patients" in rows[0]["kinds"]
