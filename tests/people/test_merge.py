"""Merging two records of one person: what is read together, what stays apart, and that undoing restores both."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from polyclinic.consent import selectors as consent
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.actors import Person
from polyclinic.core.audit import chain
from polyclinic.core.errors import Conflict, Forbidden, Invalid, NotFound, StaleEdit
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.core.outbox import rooms
from polyclinic.people import actions as people
from polyclinic.people import joined, merge, registering, search
from polyclinic.people.models import Merge, Patient, PatientPlace
from polyclinic.records import actions as records
from polyclinic.records import selectors as record
from polyclinic.visits import actions as visits
from polyclinic.visits import selectors
from tests.house import House, missing

WHY = "Same passport seen"


@pytest.fixture
def twin(house: House) -> Patient:
    """Meera Pillai once more, written down at the desk by her married name; without an account."""
    PatientPlace.objects.create(patient=house.patient, facility_id=house.facility.pk)
    search.index([house.patient])
    return registering.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, given_name="Meera",
        family_name="Ahlgren", born=house.patient.born, sex="female", phone="555 7777", new_because="Not found",
    )  # fmt: skip


def joined_by_desk(house: House, twin: Patient, **more: Any) -> Merge:
    given = {"patient_id": house.patient.pk, "gone_id": twin.pk, "reason": WHY} | more
    return merge.merge(actor=house.person(house.receptionist), facility_id=house.facility.pk, **given)


def visit_of(house: House, patient: Patient) -> Any:
    row = visits.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=patient.pk, complaint="Cough"
    )
    records.note_allergy(actor=house.person(house.staff["nurse"]), visit_id=row.pk, substance=f"of {patient.mrn}")
    return visits.leave(actor=house.person(house.receptionist), visit_id=row.pk, reason="Went home")


def found(house: House, text: str) -> list[str]:
    return [hit.mrn for hit in search.search(house.person(house.receptionist), text)]


def everything() -> dict[str, list[Any]]:
    """Every row of both records that a merge could touch, as it is stored."""
    return {model.__name__: sorted(map(str, model.objects.values_list())) for model in (Patient, PatientPlace)}


def test_what_is_written_under_either_is_read_together(house: House, twin: Patient) -> None:
    old, new = visit_of(house, twin), visit_of(house, house.patient)
    nurse = house.person(house.staff["nurse"])
    assert len(record.allergies(nurse, house.patient.pk).allergies) == 1
    joined_by_desk(house, twin)
    for key in (house.patient.pk, twin.pk):
        assert {row.id for row in selectors.visits_of(nurse, key)} == {old.pk, new.pk}
        assert {row.substance for row in record.allergies(nurse, key).allergies} == {
            f"of {twin.mrn}", f"of {house.patient.mrn}"
        }  # fmt: skip


def test_the_number_and_name_that_went_find_the_record_that_stays(house: House, twin: Patient) -> None:
    assert found(house, "Ahlgren") == [twin.mrn]
    row = joined_by_desk(house, twin)
    for text in ("Ahlgren", twin.mrn, "555 7777", "Pillai", house.patient.mrn):
        assert found(house, text) == [house.patient.mrn], text
    merge.undo(actor=house.person(house.receptionist), merge_id=row.pk, reason="Two sisters")
    assert found(house, "Ahlgren") == [twin.mrn]


def test_undoing_restores_every_row_and_what_came_since_stays_where_it_was_written(house: House, twin: Patient) -> None:
    PatientPlace.objects.create(patient=twin, facility_id=house.elsewhere.pk)
    before = everything()
    row = joined_by_desk(house, twin)
    assert PatientPlace.objects.filter(patient=house.patient, facility_id=house.elsewhere.pk).exists()
    later = visit_of(house, house.patient)
    merge.undo(actor=house.person(house.receptionist), merge_id=row.pk, reason="Two sisters", version=1)
    assert everything() == before
    nurse = house.person(house.staff["nurse"])
    assert [one.id for one in selectors.visits_of(nurse, house.patient.pk)] == [later.pk]
    assert joined.same(twin.pk) == (twin.pk,)


def test_the_patient_reads_both_and_hears_of_both(house: House, twin: Patient) -> None:
    old = visit_of(house, twin)
    with pytest.raises(NotFound):
        selectors.visit(house.person(house.patient), old.pk)
    joined_by_desk(house, twin)
    me = house.person(house.patient)
    assert selectors.visit(me, old.pk).id == old.pk
    assert policy.allowed(me, "visit.view", Subject(patient_id=twin.pk))
    assert rooms.patient(twin.pk) in rooms.own_rooms(me)
    # Nobody else's rights have grown.
    assert not policy.allowed(house.person(house.other_patient), "visit.view", Subject(patient_id=twin.pk))
    assert consent.acting_for(me) == []


def test_merging_and_undoing_are_audited_and_told(house: House, twin: Patient) -> None:
    row = joined_by_desk(house, twin)
    merge.undo(actor=house.person(house.receptionist), merge_id=row.pk, reason="Two sisters")
    entries = AuditEntry.objects.filter(subject_kind="merge").order_by("pk")
    assert [(one.action, one.revision) for one in entries] == [("merge.merge", 1), ("merge.undo", 2)]
    assert not any(WHY in one.reason for one in entries)
    events = OutboxEvent.objects.filter(stream=f"merge:{row.pk}").order_by("stream_seq")
    assert [one.type for one in events] == ["patient.merged", "patient.separated"]
    assert WHY not in events[0].payload
    assert set(json.loads(events[0].payload)) == {"mergeId", "patientId", "goneId", "facilityId", "revision"}
    assert list(chain.verify()) == []
    assert Merge.objects.get().reason == WHY


def test_the_same_asked_twice_is_done_once(house: House, twin: Patient) -> None:
    assert joined_by_desk(house, twin).pk == joined_by_desk(house, twin).pk
    assert Merge.objects.count() == 1


def test_nothing_new_is_opened_under_the_record_that_went(house: House, twin: Patient) -> None:
    joined_by_desk(house, twin)
    with pytest.raises(joined.MergedAway) as refused:
        visits.register(actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=twin.pk)
    assert refused.value.extra["patientId"] == str(house.patient.pk)


def test_the_desk_is_not_warned_of_a_record_that_went(house: House, twin: Patient) -> None:
    wanted = {"given_name": "Meera", "family_name": "Ahlgren", "born": twin.born, "phone": "", "sex": "female"}
    assert [one.id for one in registering.twins(wanted, {house.facility.pk})] == [twin.pk]
    joined_by_desk(house, twin)
    assert twin.pk not in [one.id for one in registering.twins(wanted, {house.facility.pk})]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"reason": "   "}, "required", "reason"),
        ({"reason": "x" * 201}, "too_long", "reason"),
        ({"gone_id": missing()}, "not_found", "goneId"),
    ],
)
def test_bad_input_names_the_field(house: House, twin: Patient, change: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises((Invalid, NotFound)) as refused:
        joined_by_desk(house, twin, **change)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert not Merge.objects.exists()


def test_one_record_is_not_merged_with_itself_nor_one_that_was_merged(house: House, twin: Patient) -> None:
    with pytest.raises(Invalid) as refused:
        joined_by_desk(house, twin, gone_id=house.patient.pk)
    assert refused.value.code == "one_record"
    third = registering.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, given_name="M.",
        family_name="Pillay", born=date(1980, 5, 17), sex="female", new_because="Not found",
    )  # fmt: skip
    joined_by_desk(house, twin)
    for pair in ({"patient_id": twin.pk, "gone_id": third.pk}, {"patient_id": third.pk, "gone_id": twin.pk}):
        with pytest.raises(Conflict) as again:
            joined_by_desk(house, twin, **pair)
        assert again.value.code == "merged_before"
    # Two may go into one.
    joined_by_desk(house, twin, gone_id=third.pk)
    assert set(joined.same(third.pk)) == {house.patient.pk, twin.pk, third.pk}


def test_the_record_with_the_account_stays_and_two_accounts_do_not_merge(house: House, twin: Patient) -> None:
    with pytest.raises(Conflict) as refused:
        joined_by_desk(house, twin, patient_id=twin.pk, gone_id=house.patient.pk)
    assert refused.value.code == "account_stays"
    PatientPlace.objects.create(patient=house.other_patient, facility_id=house.facility.pk)
    with pytest.raises(Conflict) as both:
        joined_by_desk(house, twin, gone_id=house.other_patient.pk)
    assert both.value.code == "two_accounts"


def test_an_open_visit_under_the_record_that_goes_is_finished_first(house: House, twin: Patient) -> None:
    open_one = visits.register(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=twin.pk
    )
    with pytest.raises(Conflict) as refused:
        joined_by_desk(house, twin)
    assert (refused.value.code, refused.value.extra["token"]) == ("visit_open", open_one.token)


def test_merged_records_are_erased_only_as_two(house: House, twin: Patient) -> None:
    row = joined_by_desk(house, twin)
    officer = house.person(house.staff["privacy_officer"])
    for key in (house.patient.pk, twin.pk):
        with pytest.raises(Conflict) as refused:
            people.shred_patient(actor=officer, patient_id=key, facility_id=house.facility.pk)
        assert refused.value.code == "merged"
    merge.undo(actor=house.person(house.receptionist), merge_id=row.pk, reason="To be erased")
    people.shred_patient(actor=officer, patient_id=twin.pk, facility_id=house.facility.pk)
    assert Merge.objects.filter(gone=twin).get().state == "undone"


@pytest.mark.parametrize("role", ["nurse", "main_doctor", "manager", "auditor"])
def test_only_the_desk_merges(house: House, twin: Patient, role: str) -> None:
    who = house.manager if role == "manager" else house.staff[role]
    with pytest.raises((Forbidden, NotFound)):
        merge.merge(
            actor=house.person(who), facility_id=house.facility.pk, patient_id=house.patient.pk, gone_id=twin.pk,
            reason=WHY,
        )  # fmt: skip


def test_another_hospitals_desk_sees_nothing(house: House, twin: Patient) -> None:
    stranger: Person = house.person(house.stranger_receptionist)
    row = joined_by_desk(house, twin)
    given: dict[str, UUID] = {"patient_id": house.patient.pk, "gone_id": twin.pk}
    for place in (house.facility.pk, house.elsewhere.pk):
        with pytest.raises(NotFound):
            merge.merge(actor=stranger, facility_id=place, **given, reason=WHY)
        with pytest.raises(NotFound):
            merge.pair(stranger, place, house.patient.pk, twin.pk)
    with pytest.raises(NotFound):
        merge.undo(actor=stranger, merge_id=row.pk, reason=WHY)
    with pytest.raises(NotFound):
        merge.undo(actor=house.person(house.receptionist), merge_id=uuid4(), reason=WHY)


def test_of_two_who_undo_at_once_one_does(house: House, twin: Patient) -> None:
    row = joined_by_desk(house, twin)
    desk = house.person(house.receptionist)
    merge.undo(actor=desk, merge_id=row.pk, reason="Two sisters", version=1)
    with pytest.raises(StaleEdit):
        merge.undo(actor=desk, merge_id=row.pk, reason="Two sisters", version=1)
    assert Merge.objects.get().version == 2


def test_asked_for_as_part_of_a_query_they_are_the_same_records(house: House, twin: Patient) -> None:
    third = Patient.objects.exclude(pk__in=[house.patient.pk, twin.pk]).values_list("pk", flat=True)[0]
    everybody = (house.patient.pk, twin.pk, third)
    for one in everybody:
        assert set(joined.within(one).values_list("pk", flat=True)) == {one}
    row = joined_by_desk(house, twin)
    for one in everybody:
        assert set(joined.within(one).values_list("pk", flat=True)) == set(joined.same(one))
    assert set(joined.within(twin.pk).values_list("pk", flat=True)) == {house.patient.pk, twin.pk}
    assert Patient.objects.filter(pk__in=joined.within(twin.pk)).count() == 2
    Merge.objects.filter(pk=row.pk).update(state=joined.UNDONE)
    assert set(joined.within(twin.pk).values_list("pk", flat=True)) == {twin.pk}
