"""Which bed fits whom, with the reasons, and in which order beds are suggested."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from polyclinic.core import clock
from polyclinic.core.errors import NotFound, Problem
from polyclinic.inpatient import actions, beds, rules, selectors, wards
from polyclinic.inpatient.rules import Need, Place
from tests.house import House, patient
from tests.inpatient.wing import Wing

PLAIN: dict[str, Any] = {
    "ward": 1, "ward_name": "A", "sex": "any", "isolation": False, "oxygen": False, "intensive": False,
    "children": False,
}  # fmt: skip


def born(years: int) -> date:
    today = clock.now().date()
    return today.replace(year=today.year - years, day=1)


def codes(need: dict[str, Any], place: dict[str, Any]) -> set[str]:
    found = rules.judge(Need(**{"sex": "female", "born": born(40), **need}), Place(**{**PLAIN, **place}))
    return {f"{one.kind}:{one.code}" for one in found}


@pytest.mark.parametrize(
    ("need", "place", "expected"),
    [
        ({}, {}, set()),
        ({"oxygen": True}, {}, {"against:no_oxygen"}),
        ({"oxygen": True}, {"oxygen": True}, {"fits:oxygen"}),
        ({}, {"isolation": True, "intensive": True}, {"waste:spare_isolation", "waste:spare_intensive"}),
        ({"sex": "male"}, {"sex": "female"}, {"against:sex"}),
        ({}, {"sex": "female"}, {"fits:sex"}),
        ({"sex": "unknown"}, {"sex": "male"}, {"against:sex"}),
        ({}, {"sex": "room", "others": ("male",)}, {"against:room"}),
        ({}, {"sex": "room", "others": ("female",)}, set()),
        ({}, {"others": ("male",)}, set()),
        ({"born": born(4)}, {}, {"against:adults_only"}),
        ({"born": born(4)}, {"children": True}, {"fits:children"}),
        ({"born": born(17)}, {}, set()),
        ({"born": born(17)}, {"children": True}, {"fits:children"}),
        ({"born": born(40)}, {"children": True}, {"against:children_only"}),
        ({"born": born(4), "intensive": True}, {"intensive": True}, {"fits:intensive", "waste:adults_only"}),
        ({"ward": 1}, {}, {"fits:ward"}),
        ({"ward": 2}, {}, {"waste:other_ward"}),
    ],
    ids=[f"case{number}" for number in range(18)],
)
def test_reasons(need: dict[str, Any], place: dict[str, Any], expected: set[str]) -> None:
    assert codes(need, place) == expected


def test_scarce_beds_are_kept_for_whoever_needs_them(wing: Wing) -> None:
    stay = wing.ask()
    rows = selectors.suggestions(wing.nurse, stay.pk)
    assert [one.bed.name for one in rows] == ["A1", "A2", "A3", "I1"]
    assert all(one.fits and one.ready for one in rows)
    ill = wing.ask(wing.house.other_patient, oxygen=True, intensive=True)
    rows = selectors.suggestions(wing.nurse, ill.pk)
    assert (rows[0].bed.name, rows[0].fits) == ("I1", True)
    assert not any(one.fits for one in rows[1:])
    assert {"no_oxygen", "no_intensive"} <= {why.code for why in rows[-1].reasons}


def test_a_bed_being_cleaned_is_suggested_after_the_free_ones(wing: Wing) -> None:
    other = wing.put("A1", wing.house.other_patient)
    actions.depart(actor=wing.nurse, stay_id=other.pk, reason="Home")
    beds.block(actor=wing.nurse, bed_id=wing.beds["A2"].pk, why="staff")
    stay = wing.ask()
    rows = selectors.suggestions(wing.nurse, stay.pk)
    assert [(one.bed.name, one.ready) for one in rows] == [("A3", True), ("I1", True), ("A1", False)]


def test_a_room_keeps_to_one_sex_unless_somebody_says_why(wing: Wing) -> None:
    wing.put("A1", wing.house.other_patient)
    stay = wing.ask()
    with pytest.raises(Problem) as caught:
        actions.reserve(actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A2"].pk)
    told = caught.value
    assert (told.code, told.status, told.field, told.extra["reasons"]) == ("does_not_fit", 409, "despite", ["room"])
    assert "another sex" in str(told.sentence)
    actions.reserve(
        actor=wing.nurse, stay_id=stay.pk, bed_id=wing.beds["A2"].pk, despite="Nothing else is free; curtain drawn"
    )
    assert wing.bed("A2").state == "reserved"


def test_children_lie_where_children_lie(wing: Wing, house: House) -> None:
    boss = house.person(house.manager)
    ward = wards.add_ward(actor=boss, facility_id=house.facility.pk, name="Children", kind="children")
    bed = wards.add_bed(actor=boss, ward_id=ward.pk, name="C1")
    child = patient(9, "Young", "Yara", born(5))
    stay = actions.request(actor=wing.nurse, facility_id=house.facility.pk, patient_id=child.pk)
    assert [one.bed.name for one in selectors.suggestions(wing.nurse, stay.pk) if one.fits] == ["C1"]
    actions.admit(actor=wing.nurse, stay_id=stay.pk, bed_id=bed.pk)


def test_suggestions_are_for_who_sees_both(wing: Wing) -> None:
    stay = wing.ask()
    for nobody in (wing.house.manager, wing.house.stranger_receptionist, wing.house.patient, wing.house.other_patient):
        with pytest.raises(NotFound):
            selectors.suggestions(wing.house.person(nobody), stay.pk)
