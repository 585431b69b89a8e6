"""Allergies and diagnoses: not asked, none known and present are three things, and nothing is deleted."""

from __future__ import annotations

import pytest

from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry
from polyclinic.records import actions, selectors
from polyclinic.records.models import Allergy
from tests.records.conftest import Ward


def known(ward: Ward) -> tuple[str, list[str] | None]:
    row = selectors.allergies_at(ward.checker, ward.visit.pk)
    return row.status, row.banner


def test_not_asked_none_known_and_present_are_three_things(ward: Ward) -> None:
    assert known(ward) == ("not_asked", None)
    actions.no_known_allergies(actor=ward.nurse, visit_id=ward.visit.pk, version=0)
    assert known(ward) == ("none_known", [])
    made = actions.note_allergy(
        actor=ward.nurse, visit_id=ward.visit.pk, substance=" Penicillin  G ", reaction="Hives", severity="moderate"
    )
    assert known(ward) == ("present", ["Penicillin G"])
    with pytest.raises(Conflict):
        actions.no_known_allergies(actor=ward.nurse, visit_id=ward.visit.pk)
    actions.remove_allergy(actor=ward.checker, allergy_id=made.pk, reason="Tested negative", version=1)
    # That the only one was none does not mean that anybody asked for others.
    assert known(ward) == ("not_asked", None)
    assert Allergy.objects.get().state == "withdrawn"
    assert set(AuditEntry.objects.filter(action__startswith="allergy.").values_list("action", flat=True)) == {
        "allergy.none_known", "allergy.record", "allergy.withdraw",
    }  # fmt: skip


def test_what_was_asked_meanwhile_is_not_overwritten(ward: Ward) -> None:
    made = actions.note_allergy(actor=ward.checker, visit_id=ward.visit.pk, substance="Latex")
    actions.remove_allergy(actor=ward.checker, allergy_id=made.pk, reason="Mistake")
    with pytest.raises(StaleEdit):
        actions.no_known_allergies(actor=ward.nurse, visit_id=ward.visit.pk, version=0)
    actions.no_known_allergies(actor=ward.nurse, visit_id=ward.visit.pk, version=2)


def test_the_same_substance_once_and_the_list_follows_the_patient(ward: Ward) -> None:
    actions.note_allergy(actor=ward.nurse, visit_id=ward.visit.pk, substance="Latex")
    with pytest.raises(Conflict) as refused:
        actions.note_allergy(actor=ward.nurse, visit_id=ward.visit.pk, substance="LATEX")
    assert refused.value.field == "substance"
    house = ward.house
    for who in (house.staff["pharmacist"], house.staff["lab_technician"], house.staff["ambulance_crew"]):
        assert selectors.allergies(house.person(who), house.patient.pk).banner == ["Latex"]
    assert selectors.allergies(house.person(house.patient), house.patient.pk).banner == ["Latex"]
    for stranger in (house.receptionist, house.stranger_receptionist, house.other_patient):
        with pytest.raises(NotFound):
            selectors.allergies(house.person(stranger), house.patient.pk)
    with pytest.raises(Forbidden):
        actions.note_allergy(
            actor=house.person(house.staff["pharmacist"]), visit_id=ward.visit.pk, substance="Pollen"
        )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"substance": " "}, "substance"),
        ({"substance": "x" * 121}, "substance"),
        ({"substance": "Nuts", "reaction": "x" * 121}, "reaction"),
        ({"substance": "Nuts", "severity": "deadly"}, "severity"),
    ],
)
def test_an_allergy_is_checked_field_by_field(ward: Ward, given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.note_allergy(actor=ward.nurse, visit_id=ward.visit.pk, **given)
    assert refused.value.field == field
    assert known(ward) == ("not_asked", None)


def test_a_diagnosis_is_coded_and_withdrawn(ward: Ward) -> None:
    with pytest.raises(Forbidden):
        actions.note_condition(actor=ward.nurse, visit_id=ward.visit.pk, text="Pneumonia")
    made = actions.note_condition(
        actor=ward.doctor, visit_id=ward.visit.pk, code="j18.9", text="Pneumonia", certainty="confirmed"
    )
    actions.note_condition(actor=ward.doctor, visit_id=ward.visit.pk, text="Dehydration")
    found = selectors.conditions(ward.checker, ward.visit.pk)
    assert [(one.code, one.text, one.certainty) for one in found] == [
        ("J18.9", "Pneumonia", "confirmed"), ("", "Dehydration", "provisional"),
    ]  # fmt: skip
    for wrong in ("J1", "18.9", "J18.", "J18.999", "J18 9"):
        with pytest.raises(Invalid) as refused:
            actions.note_condition(actor=ward.doctor, visit_id=ward.visit.pk, code=wrong, text="x")
        assert refused.value.field == "code"
    actions.withdraw_condition(actor=ward.doctor, condition_id=made.pk, reason="CT normal")
    assert [one.text for one in selectors.conditions(ward.checker, ward.visit.pk)] == ["Dehydration"]
