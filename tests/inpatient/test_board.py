"""What the board shows to whom, the census and the days to come."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.models import AuditEntry
from polyclinic.inpatient import actions, beds, census, selectors
from polyclinic.inpatient.models import BedStay
from polyclinic.people.models import Patient
from polyclinic.privacy import closing, retention
from polyclinic.privacy.models import Restriction
from tests.inpatient.wing import Wing


def test_names_are_for_who_may_see_them(wing: Wing) -> None:
    place = wing.house.facility.pk
    day = clock.now().date() + timedelta(days=1)
    wing.put("A1", expected_on=day, reason="Pneumonia")
    row = selectors.board(wing.nurse, place)[0]
    assert row.stay is not None
    assert (row.stay.patient_name, row.stay.reason, row.expected_on) == ("PILLAI, Meera", "Pneumonia", day)
    boss = selectors.board(wing.house.person(wing.house.manager), place)[0]
    assert (boss.stay, boss.state, boss.expected_on) == (None, "occupied", day)
    for nobody in (wing.house.stranger_receptionist, wing.house.patient, wing.house.doctor):
        with pytest.raises(NotFound):
            selectors.board(wing.house.person(nobody), place)
    # Their doctor sees the stay, and no board; so does the patient.
    (own,) = selectors.stays_of(wing.house.person(wing.house.patient), wing.house.patient.pk)
    assert selectors.stay(wing.house.person(wing.house.doctor), own.id).bed_name == "A1"
    with pytest.raises(NotFound):
        selectors.stays_of(wing.house.person(wing.house.other_patient), wing.house.patient.pk)


def test_reading_the_board_is_on_record_once(wing: Wing) -> None:
    wing.put("A1")
    wing.put("I1", wing.house.other_patient)
    before = AuditEntry.objects.count()
    selectors.board(SystemActor("demo"), wing.house.facility.pk)
    fresh = list(AuditEntry.objects.order_by("pk")[before:])
    assert [one.action for one in fresh] == ["bed_stay.list"]


def test_the_board_asks_the_same_however_many_beds(wing: Wing) -> None:
    place = wing.house.facility.pk

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            selectors.board(wing.house.person(wing.house.manager), place)
        return len(found)

    asked()
    empty = asked()
    wing.put("A1")
    wing.put("I1", wing.house.other_patient)
    assert asked() == empty


def test_the_board_is_narrowed(wing: Wing) -> None:
    place = wing.house.facility.pk
    stay = wing.put("A1")
    actions.order_discharge(actor=wing.head, stay_id=stay.pk)

    def names(**more: str) -> list[str]:
        return [row.name for row in selectors.board(wing.nurse, place, **more)]

    assert names() == ["A1", "A2", "A3", "I1"]
    assert names(state="available") == ["A2", "A3", "I1"]
    assert names(state="available", feature="oxygen") == ["A3", "I1"]
    assert names(feature="leaving") == ["A1"]
    assert [row.name for row in selectors.board(wing.nurse, place, ward_id=wing.intensive.pk)] == ["I1"]
    for wrong in ({"state": "retired"}, {"feature": "sea view"}):
        with pytest.raises(Invalid):
            names(**wrong)


def test_beds_stand_as_people_count(wing: Wing) -> None:
    rows = selectors.board(wing.nurse, wing.house.facility.pk)
    two, ten = (selectors.sort_key(type(rows[0])(**{**_fields(rows[0]), "name": name})) for name in ("A2", "A10"))
    assert two < ten


def _fields(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in type(row).__struct_fields__}  # type: ignore[attr-defined]


def test_who_waits_stands_by_urgency_and_then_by_time(wing: Wing) -> None:
    wing.ask(priority="urgent")
    wing.ask(wing.house.other_patient, priority="emergency")
    rows = selectors.waiting(wing.nurse, wing.house.facility.pk)
    assert [row.priority for row in rows] == ["emergency", "urgent"]
    assert selectors.waiting(wing.house.person(wing.house.manager), wing.house.facility.pk) == []


def test_census_and_forecast(wing: Wing) -> None:
    place, boss = wing.house.facility.pk, wing.house.person(wing.house.manager)
    today = clock.now().date()
    stay = wing.put("A1", expected_on=today + timedelta(days=2))
    wing.ask(wing.house.other_patient)
    beds.block(actor=wing.nurse, bed_id=wing.beds["A3"].pk, why="repair")
    found = census.census(boss, place)
    assert (found.total.total, found.total.available, found.total.occupied, found.total.blocked) == (4, 2, 1, 1)
    # One of the three beds that are not blocked.
    assert (found.total.occupancy, found.waiting, found.undated, found.turnaround) == (33, 1, 0, None)
    assert [row.ward_name for row in found.wards] == ["Ward A", "Ward I"]
    assert [(row.leaving, row.free) for row in found.days] == [(0, 1), (0, 1), (1, 2), (0, 2), (0, 2)]
    actions.order_discharge(actor=wing.head, stay_id=stay.pk)
    assert [row.leaving for row in census.census(boss, place).days] == [1, 0, 0, 0, 0]
    actions.depart(actor=wing.nurse, stay_id=stay.pk)
    with clock.fixed(clock.now() + timedelta(minutes=30)):
        wing.clean("A1")
        assert census.census(boss, place).turnaround == 30
    with pytest.raises(NotFound):
        census.census(wing.house.person(wing.house.stranger_receptionist), place)


def test_a_bed_blocked_while_it_was_to_be_cleaned_was_not_turned_round(wing: Wing) -> None:
    stay, now = wing.put("A1"), clock.now()
    actions.depart(actor=wing.nurse, stay_id=stay.pk, reason="Home")
    beds.block(actor=wing.nurse, bed_id=wing.beds["A1"].pk, why="repair")
    assert beds.turnarounds(wing.house.facility.pk, now - timedelta(days=1)) == []


def test_a_stay_keeps_a_restricted_record_open_to_the_ward(wing: Wing) -> None:
    stay = wing.put("A1")
    house = wing.house
    Restriction.objects.create(patient=house.patient, facility=house.facility, agreed_by="test")
    closing.forget()
    assert selectors.stay(wing.nurse, stay.pk).patient_name == "PILLAI, Meera"
    actions.depart(actor=wing.nurse, stay_id=stay.pk, reason="Home")
    closing.forget()
    with pytest.raises(NotFound):
        selectors.stay(wing.nurse, stay.pk)


def test_a_stay_counts_as_contact_for_how_long_a_record_is_kept(wing: Wing) -> None:
    """Of somebody who was never booked and had no visit; and while they lie in bed nothing is due."""
    stay = wing.put("A1")
    own = Patient.objects.filter(pk=stay.patient_id)
    assert retention.with_last_contact(own).get().latest == stay.requested_at
    gone = clock.now() + timedelta(days=3)
    with clock.fixed(gone):
        actions.depart(actor=wing.nurse, stay_id=stay.pk, reason="Home")
    assert retention.with_last_contact(own).get().latest == gone
    officer = wing.house.person(wing.house.staff["privacy_officer"])
    with clock.fixed(gone + timedelta(days=365 * 11)):
        assert [row.patient_id for row in retention.due(officer)] == [stay.patient_id]
        BedStay.objects.filter(pk=stay.pk).update(state="admitted", ended_at=None)
        assert retention.due(officer) == []
