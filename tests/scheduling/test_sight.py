"""Lists decide as single things do: every relation of the table, as a filter over rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.actors import Anonymous, Person
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.core.ids import new_id
from polyclinic.scheduling import actions, selectors, sight
from tests.house import House


@pytest.fixture
def visits(house: House) -> dict[str, UUID]:
    """One appointment of each patient, the third at the other hospital."""
    made = {}
    for name, who, where in (
        ("mine", house.patient, house.schedule),
        ("other", house.other_patient, house.other_schedule),
        ("far", house.stranger_patient, house.stranger_schedule),
    ):
        free = selectors.first_free(Anonymous(), schedule_id=where.pk, limit=1)[0]
        made[name] = actions.book(
            actor=house.person(who), patient_id=who.pk, schedule_id=where.pk, starts=free.starts
        ).pk
    return made


@pytest.fixture
def shared() -> Iterator[dict[UUID, UUID]]:
    """Patient → the place they share with."""
    found: dict[UUID, UUID] = {}
    before = policy._consented, policy._sharers
    policy.ask_consents(
        lambda patient, _right: frozenset({found[patient]} if patient in found else ()),
        lambda places, _right: {patient for patient, place in found.items() if place in places},
    )
    yield found
    policy._consented, policy._sharers = before


def seen(viewer: Person, visits: dict[str, UUID]) -> set[str]:
    """The names of the visits in the viewer's list; each is also what asking for one by one shows."""
    listed = {row.id for row in selectors.appointments(viewer, limit=200).rows}
    single = set()
    for name, key in visits.items():
        try:
            selectors.appointment(viewer, key)
        except NotFound:
            continue
        single.add(name)
    assert {name for name, key in visits.items() if key in listed} == single
    return single


def test_each_standing_lists_its_own(house: House, visits: dict[str, UUID], shared: dict[UUID, UUID]) -> None:
    here, there = house.facility.pk, house.elsewhere.pk
    nobody = Person(new_id(), "Nobody", frozenset())
    doctor = house.person(house.stranger_doctor)
    opened = frozenset({(house.patient.pk, clock.now() + timedelta(hours=1))})
    assert seen(nobody, visits) == set()
    assert seen(house.person(house.patient), visits) == {"mine"}
    assert seen(house.person(house.doctor), visits) == {"mine"}
    assert seen(house.person(house.staff["nurse"]), visits) == {"mine", "other"}
    assert seen(house.person(house.staff["pharmacist"]), visits) == set()
    assert seen(replace(nobody, delegated=frozenset({house.patient.pk})), visits) == {"mine"}
    assert seen(replace(nobody, rights=frozenset({("appointment.view", there)})), visits) == {"far"}
    assert seen(replace(nobody, rights=frozenset({("schedule.view", here)})), visits) == set()
    assert seen(doctor, visits) == {"far"}
    assert seen(replace(doctor, emergencies=opened), visits) == {"far", "mine"}
    assert seen(replace(nobody, emergencies=opened), visits) == set()
    shared[house.other_patient.pk] = there
    assert seen(doctor, visits) == {"far", "other"}
    assert seen(house.person(house.stranger_receptionist), visits) == {"far"}
    del shared[house.other_patient.pk]
    assert seen(doctor, visits) == {"far"}


def test_an_emergency_that_has_run_out_is_in_no_list(house: House, visits: dict[str, UUID]) -> None:
    ended = frozenset({(house.patient.pk, clock.now() - timedelta(seconds=1))})
    assert seen(replace(house.person(house.stranger_doctor), emergencies=ended), visits) == {"far"}


def test_a_key_lists_what_its_scopes_name(house: House, visits: dict[str, UUID]) -> None:
    nurse = house.person(house.staff["nurse"])
    assert seen(replace(nurse, scopes=frozenset({"appointment.view"})), visits) == {"mine", "other"}
    assert seen(replace(nurse, scopes=frozenset({"schedule.view"})), visits) == set()


def test_a_parent_books_for_a_child_where_that_is_allowed(house: House) -> None:
    child = house.other_patient.pk
    parent = replace(house.person(house.patient), delegated=frozenset({child}))
    wish: dict[str, Any] = {"patient_id": child, "schedule_id": house.schedule.pk, "starts": house.slot(4)}
    with pytest.raises(Exception, match="forbidden"):
        actions.book(actor=parent, **wish)
    booker = replace(parent, books_for=frozenset({child}))
    made = actions.book(actor=booker, **wish)
    assert (made.patient_id, made.booked_by) == (child, parent.label)
    carer = Person(new_id(), "Carer", frozenset(), delegated=frozenset({child}), books_for=frozenset({child}))
    kept = actions.hold(actor=carer, schedule_id=house.schedule.pk, starts=house.slot(5))
    assert actions.book(actor=carer, patient_id=child, hold_id=kept.pk).patient_id == child
    stranger = house.stranger_patient.pk
    with pytest.raises(NotFound):
        actions.book(actor=carer, **{**wish, "patient_id": stranger, "starts": house.slot(7)})


def test_a_patient_is_reached_by_a_doctor_or_a_place_of_theirs(house: House, visits: dict[str, UUID]) -> None:
    patient = house.patient.pk
    assert sight.require_patient(house.person(house.doctor), "patient.view", patient).doctor_id == house.doctor.pk
    for role in ("nurse", "pharmacist", "lab_technician"):
        found = sight.require_patient(house.person(house.staff[role]), "patient.view", patient)
        assert found.facility_id == house.facility.pk
    assert sight.require_patient(house.person(house.patient), "patient.view", patient).facility_id is None
    strangers = (house.other_patient, house.other_doctor, house.stranger_doctor, house.stranger_receptionist)
    for stranger in (*strangers, house.staff["admin"], house.staff["auditor"], house.manager):
        with pytest.raises(NotFound):
            sight.require_patient(house.person(stranger), "patient.view", patient)
    with pytest.raises(Unauthenticated):
        sight.require_patient(Anonymous(), "patient.view", patient)
