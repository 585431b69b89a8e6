"""The table of rights, cell by cell: every permission and relation is answered from its rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from polyclinic.core import clock
from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import (
    CUSTOM,
    HELD_AT_FACILITY,
    MAY_GRANT,
    POWERS,
    RULES,
    SYSTEM,
    Relation,
    Role,
    at_facility,
)
from polyclinic.core.actors import Anonymous, Grant, Person, SystemActor
from polyclinic.core.errors import Forbidden, NotFound, Unauthenticated
from polyclinic.core.ids import new_id

# A patient may share what a right is about: whoever asks about rights asks the consents, too.
pytestmark = pytest.mark.django_db

HERE, THERE, PATIENT, DOCTOR = new_id(), new_id(), new_id(), new_id()
SUBJECT = Subject(patient_id=PATIENT, doctor_id=DOCTOR, facility_id=HERE)
PERMISSIONS = sorted({rule.permission for rule in RULES})
CARER = "carer"


def person(
    role: str, *, facility: UUID | None = None, patient: UUID | None = None, doctor: UUID | None = None, **more: Any
) -> Person:
    return Person(new_id(), "Someone", frozenset({Grant(role, facility)}), patient_id=patient, doctor_id=doctor, **more)


def elsewhere(role: Role, **more: Any) -> Person:
    """Somebody in this role who has nothing to do with SUBJECT but by what `more` says."""
    if role == Role.PATIENT:
        return person(role, patient=new_id(), **more)
    if role == Role.DOCTOR:
        return person(role, doctor=new_id(), workplaces=frozenset({THERE}), **more)
    return person(role, facility=THERE, **more)


def opened(minutes: int) -> frozenset[tuple[UUID, datetime]]:
    return frozenset({(PATIENT, clock.now() + timedelta(minutes=minutes))})


def cast() -> dict[tuple[str, Relation | None], Person]:
    """Who stands in which one relation to SUBJECT."""
    found: dict[tuple[str, Relation | None], Person] = {
        (Role.PATIENT, Relation.OWN): person(Role.PATIENT, patient=PATIENT),
        (Role.DOCTOR, Relation.TREATING): person(Role.DOCTOR, doctor=DOCTOR),
        (CARER, Relation.DELEGATED): person(CARER, delegated=frozenset({PATIENT})),
        (CARER, Relation.BOOKING_FOR): person(CARER, books_for=frozenset({PATIENT})),
        (CARER, Relation.REPRESENTED): person(CARER, represents=frozenset({PATIENT})),
        (CARER, None): person(CARER, delegated=frozenset({new_id()}), books_for=frozenset({new_id()})),
    }
    for role in Role:
        found[role, None] = elsewhere(role)
        found[role, Relation.CONSENTED] = elsewhere(role)
        found[role, Relation.EMERGENCY] = elsewhere(role, emergencies=opened(600))
        if role in HELD_AT_FACILITY:
            found[role, Relation.FACILITY] = person(role, facility=HERE)
    return found


CAST = cast()


@pytest.fixture
def shared() -> Iterator[set[UUID]]:
    """The facilities with which the patient shares; nobody's in the beginning."""
    places: set[UUID] = set()
    before = policy._consented, policy._sharers
    policy.ask_consents(lambda patient, _right: frozenset(places) if patient == PATIENT else frozenset())
    yield places
    policy._consented, policy._sharers = before


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_every_cell_answers_what_the_table_says(permission: str, shared: set[UUID]) -> None:
    written = {(rule.role, rule.relation) for rule in RULES if rule.permission == permission}
    for (role, relation), who in CAST.items():
        (shared.add if relation == Relation.CONSENTED else shared.discard)(THERE)
        named = Role.PATIENT if role == CARER else Role(role)
        expected = (named, relation) in written or (role != CARER and (named, Relation.ANY) in written)
        assert policy.allowed(who, permission, SUBJECT) is expected, (permission, role, relation)


def test_every_relation_of_the_table_is_driven() -> None:
    """A relation that nobody of the cast stands in would be a row that no test has looked at."""
    driven = {(Role.PATIENT if role == CARER else role, relation) for role, relation in CAST}
    assert {(rule.role, rule.relation) for rule in RULES if rule.relation != Relation.ANY} <= driven


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_scope_takes_away_and_never_gives(permission: str, shared: set[UUID]) -> None:
    for (_role, relation), who in CAST.items():
        (shared.add if relation == Relation.CONSENTED else shared.discard)(THERE)
        scoped = replace(who, scopes=frozenset({permission}))
        assert policy.allowed(scoped, permission, SUBJECT) is policy.allowed(who, permission, SUBJECT)
        for other in {"appointment.view", "patient.view"} - {permission}:
            assert not policy.allowed(scoped, other, SUBJECT)
            assert not policy.ever(scoped, other)
            assert policy.places(scoped, other) == frozenset()


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_the_door_lets_in_whoever_could_have_the_right_and_nobody_else(permission: str, shared: set[UUID]) -> None:
    for (_role, relation), who in CAST.items():
        (shared.add if relation == Relation.CONSENTED else shared.discard)(THERE)
        if policy.allowed(who, permission, SUBJECT):
            assert policy.ever(who, permission), (permission, _role, relation)
    assert not policy.ever(Person(new_id(), "Nobody", frozenset()), permission)


def test_break_glass_ends_at_its_moment_whatever_was_remembered() -> None:
    doctor = elsewhere(Role.DOCTOR, emergencies=opened(60))
    with clock.fixed(clock.now() + timedelta(minutes=59)):
        assert policy.allowed(doctor, "patient.view", SUBJECT)
    with clock.fixed(clock.now() + timedelta(minutes=60, seconds=1)):
        assert not policy.allowed(doctor, "patient.view", SUBJECT)
        assert policy.opened_in_emergency(doctor) == frozenset()


def test_a_facilitys_own_role_gives_its_rights_there_and_no_others() -> None:
    helper = Person(new_id(), "Helper", frozenset({Grant(CUSTOM, HERE)}), rights=frozenset({("schedule.view", HERE)}))
    assert policy.allowed(helper, "schedule.view", SUBJECT)
    assert policy.ever(helper, "schedule.view")
    assert policy.places(helper, "schedule.view") == {HERE}
    assert not policy.allowed(helper, "schedule.view", Subject(facility_id=THERE))
    assert not policy.allowed(helper, "schedule.view", Subject())
    assert not policy.allowed(helper, "schedule.edit", SUBJECT)


def test_powers_are_no_part_of_a_facilitys_own_role() -> None:
    assert not POWERS & at_facility()
    assert at_facility("schedule.view", "membership.grant", "record.break_glass") == {"schedule.view"}
    # Whoever watches over the house is chosen by an administrator, and nobody but one makes administrators.
    assert not MAY_GRANT[Role.MANAGER] & {Role.ADMIN, Role.PRIVACY_OFFICER, Role.AUDITOR}


def test_who_looks_through_anothers_eyes_sees_and_does_nothing() -> None:
    seen = replace(CAST[Role.DOCTOR, Relation.TREATING], seen_by=new_id())
    policy.require_sight(seen, "appointment.view", SUBJECT)
    for permission in PERMISSIONS:
        with pytest.raises(Forbidden):
            policy.require(seen, permission, SUBJECT)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_nobody_has_a_right_without_signing_in(permission: str) -> None:
    assert not policy.allowed(Anonymous(), permission, SUBJECT)
    with pytest.raises(Unauthenticated):
        policy.require(Anonymous(), permission, SUBJECT)
    with pytest.raises(Unauthenticated):
        policy.require_sight(Anonymous(), permission, SUBJECT)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_subject_that_belongs_to_nobody_matches_nobody(permission: str) -> None:
    """None must not equal None: a person who is no patient is not the patient of a thing that has none."""
    anywhere = {rule.role for rule in RULES if rule.permission == permission and rule.relation == Relation.ANY}
    for role in set(Role) - anywhere:
        assert not policy.allowed(person(role), permission, Subject()), role


def test_a_misspelt_right_is_an_error_and_not_a_denial() -> None:
    with pytest.raises(KeyError):
        policy.allowed(CAST[Role.PATIENT, Relation.OWN], "appointment.veiw", SUBJECT)
    assert not policy.known("appointment.veiw")
    assert policy.known("appointment.view")


def test_a_job_has_the_rights_of_its_name_only() -> None:
    assert policy.allowed(SystemActor("hold-sweeper"), "appointment.hold", SUBJECT)
    assert not policy.allowed(SystemActor("hold-sweeper"), "appointment.cancel", SUBJECT)
    assert not policy.allowed(SystemActor("nobody-wrote-this-down"), "appointment.hold", SUBJECT)


def test_jobs_are_granted_only_rights_that_exist() -> None:
    for name, rights in SYSTEM.items():
        assert rights <= set(PERMISSIONS), name


def test_act_says_forbidden_where_sight_says_missing() -> None:
    stranger = CAST[Role.PATIENT, None]
    with pytest.raises(Forbidden):
        policy.require(stranger, "appointment.cancel", SUBJECT)
    with pytest.raises(NotFound):
        policy.require_sight(stranger, "appointment.view", SUBJECT)
    policy.require(CAST[Role.PATIENT, Relation.OWN], "appointment.cancel", SUBJECT)
    policy.require_sight(CAST[Role.PATIENT, Relation.OWN], "appointment.view", SUBJECT)


def test_a_person_with_two_roles_has_the_rights_of_both() -> None:
    both = Person(
        new_id(),
        "Dr Patient",
        frozenset({Grant(Role.PATIENT), Grant(Role.DOCTOR)}),
        patient_id=PATIENT,
        doctor_id=DOCTOR,
    )
    foreign = Subject(patient_id=PATIENT, doctor_id=new_id(), facility_id=HERE)
    assert policy.allowed(both, "appointment.complete", SUBJECT)
    assert policy.allowed(both, "appointment.cancel", foreign)
    assert not policy.allowed(both, "appointment.complete", foreign)


def test_rows_left_out_for_a_person_hide_no_right_and_go_with_the_person() -> None:
    subjects = [Subject(), SUBJECT, Subject(PATIENT), Subject(doctor_id=DOCTOR), Subject(facility_id=HERE)]
    for someone in cast().values():
        for permission in PERMISSIONS:
            rules = policy._BY_PERMISSION[permission]
            for subject in subjects:
                whole = any(policy._holds(someone, rule, subject) for rule in rules)
                assert [policy.allowed(someone, permission, subject) for _again in range(2)] == [whole, whole]
    nurse = person(Role.NURSE, facility=HERE)
    assert policy.allowed(nurse, "appointment.view", SUBJECT)
    assert policy.ever(nurse, "appointment.view")
    dismissed = replace(nurse, grants=frozenset())
    assert not policy.allowed(dismissed, "appointment.view", SUBJECT)
    assert not policy.ever(dismissed, "appointment.view")
