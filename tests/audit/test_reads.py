"""What counts as one read: once for a request and a thing, and only where something was shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.core.audit import reads
from polyclinic.core.ids import new_id
from polyclinic.core.models import AuditEntry
from polyclinic.scheduling import actions
from tests.api.calling import bearer, call
from tests.house import House


@pytest.fixture
def doctor(house: House) -> Person:
    return house.person(house.doctor)


def test_the_same_thing_twice_in_a_request_is_one_read(house: House, doctor: Person) -> None:
    key = house.patient.pk
    with reads.gathering() as found:
        for _ in range(3):
            reads.opened(doctor, "patient", key, patient_id=key)
        reads.opened(doctor, "appointment", new_id(), patient_id=key)
    assert sorted(one.action for one in found.told(200)) == ["appointment.read", "patient.read"]


def test_two_parts_of_one_list_are_one_read_of_all_in_it(house: House, doctor: Person) -> None:
    with reads.gathering() as found:
        for patient in (house.patient, house.other_patient):
            reads.listed(doctor, "patient", house.doctor.pk, [(patient.pk, None)])
    (one,) = found.told(200)
    assert one.patients == {house.patient.pk, house.other_patient.pk}


def test_a_list_over_two_places_is_one_read_at_each(house: House, doctor: Person) -> None:
    places = (house.facility.pk, house.elsewhere.pk)
    with reads.gathering() as found:
        reads.listed(doctor, "appointment", None, [(house.patient.pk, place) for place in places])
    assert {one.facility_id for one in found.told(200)} == set(places)


def test_an_empty_list_has_shown_nobody(doctor: Person) -> None:
    with reads.gathering() as found:
        reads.listed(doctor, "patient", None, [])
    assert found.told(200) == []


@pytest.mark.parametrize(
    ("status", "kind", "kept"),
    [
        (200, "", 1), (201, "", 1), (206, "", 1), (304, "", 1), (409, "", 1), (422, "text/html; charset=utf-8", 1),
        (204, "", 0), (302, "", 0), (303, "", 0), (400, "", 0), (401, "", 0), (403, "", 0), (404, "", 0), (412, "", 0),
        (422, "application/problem+json", 0), (500, "", 0), (503, "", 0),
    ],
)  # fmt: skip
def test_only_what_was_shown_is_kept(house: House, doctor: Person, status: int, kind: str, kept: int) -> None:
    with reads.gathering() as found:
        reads.opened(doctor, "patient", house.patient.pk, patient_id=house.patient.pk)
    assert len(found.told(status, kind)) == kept


def test_a_change_stands_for_reading_its_own_result_unless_it_was_refused(house: House) -> None:
    patient = house.person(house.patient)
    with reads.gathering() as found:
        made = actions.book(
            actor=patient, patient_id=house.patient.pk, schedule_id=house.schedule.pk, starts=house.slot(0)
        )
        reads.opened(patient, "appointment", made.pk, patient_id=house.patient.pk)
    assert found.told(201) == []
    assert len(found.told(409)) == 1


def test_an_answer_given_again_is_read_again(house: House) -> None:
    headers = {**bearer(house.patient), "Idempotency-Key": "one-and-the-same"}
    body = {"patientId": house.patient.pk, "scheduleId": house.schedule.pk, "starts": house.slot(0)}
    first, again = (call("POST", "/api/appointments", body=body, headers=headers) for _ in range(2))
    assert (first.status, again.headers["idempotent-replayed"]) == (201, "true")
    actions_ = list(
        AuditEntry.objects.filter(subject_kind="appointment").order_by("pk").values_list("action", flat=True)
    )
    assert actions_ == ["appointment.book", "appointment.read"]


def test_reading_in_an_emergency_says_so_while_it_lasts(house: House, doctor: Person) -> None:
    key, now = house.patient.pk, clock.now()
    for ends, detail in ((now + timedelta(minutes=1), '{"emergency":"yes"}'), (now - timedelta(minutes=1), "")):
        viewer = replace(doctor, emergencies=frozenset({(key, ends)}))
        entry, _members = reads.reading(reads.Sighting(viewer, "patient.read", "patient", "", None, "", {key}, now))
        assert entry.detail == detail


def test_a_doctors_own_list_belongs_to_the_one_place_they_work_at(house: House, doctor: Person) -> None:
    with reads.gathering() as found:
        reads.opened(doctor, "patient", house.patient.pk, patient_id=house.patient.pk)
    assert found.told(200)[0].facility_id == house.facility.pk
    two = replace(doctor, workplaces=doctor.workplaces | {house.elsewhere.pk})
    with reads.gathering() as found:
        reads.opened(two, "patient", house.patient.pk, patient_id=house.patient.pk)
    assert found.told(200)[0].facility_id in two.workplaces


def test_the_name_of_a_list_does_not_depend_on_its_order() -> None:
    ids = sorted(new_id() for _ in range(5))
    assert reads.group_name(ids) == reads.group_name(sorted(ids))
    assert reads.group_name(ids) != reads.group_name(ids[:-1])
