"""Fields that need a right of their own: the table cell by cell, and the answers that leave them out."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from polyclinic.core import clock
from polyclinic.core.access import fields, policy
from polyclinic.core.access.fields import FIELDS, FieldRule
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import Relation, Role
from polyclinic.facilities.models import Membership
from polyclinic.inpatient.rows import StayRow
from polyclinic.people.models import Account
from polyclinic.people.selectors import PatientRecord
from polyclinic.scheduling import actions, selectors
from polyclinic.scheduling.rows import AppointmentRow, PatientRow
from polyclinic.transport.rows import TripRow
from polyclinic.visits.rows import VisitRow
from tests.api.calling import bearer, call
from tests.core.test_access import CAST, SUBJECT
from tests.house import House

# A patient may share what a right is about: whoever asks about rights asks the consents, too.
pytestmark = pytest.mark.django_db

ROWS: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "appointment": (AppointmentRow,),
    "patient": (PatientRow, PatientRecord),
    "visit": (VisitRow,),
    "bed_stay": (StayRow,),
    "trip": (TripRow,),
}


@pytest.mark.parametrize("rule", FIELDS, ids=lambda rule: f"{rule.kind}.{rule.field}")
def test_every_field_is_shown_to_whoever_holds_its_right_and_to_nobody_else(rule: FieldRule) -> None:
    for (role, relation), who in CAST.items():
        allowed = policy.allowed(who, rule.right, SUBJECT)
        assert (rule not in fields.withheld(who, rule.kind, SUBJECT)) is allowed, (role, relation)


@pytest.mark.parametrize("rule", FIELDS, ids=lambda rule: f"{rule.kind}.{rule.field}")
def test_every_row_of_the_table_is_about_a_field_that_exists(rule: FieldRule) -> None:
    assert policy.known(rule.right)
    holders = [row for row in ROWS[rule.kind] if rule.field in row.__struct_fields__]
    assert holders
    assert all(not rule.instead or rule.instead in row.__struct_fields__ for row in holders)


@pytest.mark.parametrize(
    ("role", "hidden"),
    [
        (Role.MANAGER, {"appointment": {"reason", "born", "mrn"}, "trip": {"born", "mrn"}}),
        (Role.LAB_TECHNICIAN, {"patient": {"phone", "email", "next_starts", "last_starts"}}),
        (Role.PHARMACIST, {"patient": {"phone", "email", "next_starts", "last_starts"}}),
        (Role.AMBULANCE_CREW, {"patient": {"next_starts", "last_starts"}, "trip": set()}),
        (Role.NURSE, {"patient": set(), "appointment": set()}),
        (Role.RECEPTIONIST, {"patient": set(), "appointment": set()}),
    ],
)
def test_what_each_role_is_not_shown_at_its_facility(role: Role, hidden: dict[str, set[str]]) -> None:
    """The table in words: least privilege as somebody meant it, and not only a table that agrees with itself."""
    who = CAST[role, Relation.FACILITY]
    for kind, expected in hidden.items():
        assert {rule.field for rule in fields.withheld(who, kind, SUBJECT)} == expected


def test_age_is_counted_in_completed_years() -> None:
    today = clock.now().date()
    assert fields.years(today.replace(year=today.year - 40)) == 40
    assert fields.years(date(today.year - 40, 12, 31)) == (40 if (today.month, today.day) == (12, 31) else 39)


@pytest.fixture
def visit(house: House) -> Any:
    return actions.book(
        actor=house.person(house.patient), patient_id=house.patient.pk, schedule_id=house.schedule.pk,
        starts=house.slot(0), reason="A private matter",
    )  # fmt: skip


def test_a_manager_reads_an_appointment_without_what_it_is_about(house: House, visit: Any) -> None:
    manager = bearer(house.manager)
    for address in (f"/api/appointments/{visit.pk}", f"/api/appointments?hospitalId={house.facility.pk}"):
        whole = call("GET", address, headers=bearer(house.receptionist)).json
        cut = call("GET", address, headers=manager).json
        whole, cut = (told["data"][0] if "data" in told else told for told in (whole, cut))
        assert (whole["reason"], whole["born"], whole["mrn"]) == ("A private matter", "1980-05-17", house.patient.mrn)
        assert cut.keys() == whole.keys() - {"reason", "born", "mrn"} | {"age"}
        assert cut["age"] == fields.years(house.patient.born)
    day = call("GET", f"/api/doctors/{house.doctor.pk}/appointments?date={house.workday()}", headers=manager)
    assert b"private matter" not in day.body
    assert day.json["data"][0]["age"] == fields.years(house.patient.born)


def test_a_withheld_field_cannot_be_asked_for_by_name(house: House, visit: Any) -> None:
    address = f"/api/appointments/{visit.pk}?fields=id,reason,born"
    assert call("GET", address, headers=bearer(house.manager)).json == {"id": str(visit.pk)}
    assert set(call("GET", address, headers=bearer(house.doctor)).json) == {"id", "reason", "born"}


def test_a_manager_who_is_the_patient_reads_their_own_whole(house: House, visit: Any) -> None:
    account = house.patient.account
    assert isinstance(account, Account)
    Membership.objects.create(account=account, facility=house.facility, role=Role.MANAGER)
    both = house.person(house.patient)
    (own,) = selectors.appointments(both).rows
    assert (own.reason, own.born) == ("A private matter", house.patient.born)
    assert selectors.doctor_day(both, house.doctor.pk, house.workday())[0].reason == "A private matter"


def test_a_pharmacist_lists_patients_without_their_visits(house: House, visit: Any) -> None:
    address = f"/api/doctor/{house.doctor.pk}/patients"
    (row,) = call("GET", address, headers=bearer(house.staff["pharmacist"])).json["data"]
    assert (row["mrn"], row["born"]) == (house.patient.mrn, "1980-05-17")
    assert not {"nextStarts", "lastStarts"} & row.keys()
    (whole,) = call("GET", address, headers=bearer(house.staff["nurse"])).json["data"]
    assert whole["nextStarts"] is not None


def test_nothing_is_withheld_where_nothing_is_written() -> None:
    """Control: the cutting itself, with a rule and without."""
    row = PatientRecord(SUBJECT.patient_id, "M", "F", "G", date(2000, 1, 1), "other", "1", "e", 1)  # type: ignore[arg-type]
    assert fields.cut(row, ()) is row
    assert b"phone" not in msgspec.json.encode(fields.cut(row, (FieldRule("patient", "phone", "patient.view"),)))
    assert fields.shown(CAST[Role.PATIENT, None], "none", Subject(), row) is row
