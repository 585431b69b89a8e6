"""The table of rights, cell by cell: every permission and relation is answered from its rows alone."""

from __future__ import annotations

from uuid import UUID

import pytest

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import RULES, SYSTEM, Relation, Role
from polyclinic.core.actors import Anonymous, Grant, Person, SystemActor
from polyclinic.core.errors import Forbidden, NotFound, Unauthenticated
from polyclinic.core.ids import new_id

HERE, THERE, PATIENT, DOCTOR = new_id(), new_id(), new_id(), new_id()
SUBJECT = Subject(patient_id=PATIENT, doctor_id=DOCTOR, facility_id=HERE)
PERMISSIONS = sorted({rule.permission for rule in RULES})


def person(
    role: str, *, facility: UUID | None = None, patient: UUID | None = None, doctor: UUID | None = None
) -> Person:
    return Person(new_id(), "Someone", frozenset({Grant(role, facility)}), patient_id=patient, doctor_id=doctor)


# Who stands in which relation to SUBJECT.
CAST = {
    (Role.PATIENT, Relation.OWN): person(Role.PATIENT, patient=PATIENT),
    (Role.DOCTOR, Relation.TREATING): person(Role.DOCTOR, doctor=DOCTOR),
    (Role.RECEPTIONIST, Relation.FACILITY): person(Role.RECEPTIONIST, facility=HERE),
    (Role.MANAGER, Relation.FACILITY): person(Role.MANAGER, facility=HERE),
    (Role.ADMIN, Relation.FACILITY): person(Role.ADMIN, facility=HERE),
    (Role.PATIENT, None): person(Role.PATIENT, patient=new_id()),
    (Role.DOCTOR, None): person(Role.DOCTOR, doctor=new_id()),
    (Role.RECEPTIONIST, None): person(Role.RECEPTIONIST, facility=THERE),
    (Role.MANAGER, None): person(Role.MANAGER, facility=THERE),
}


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_every_cell_answers_what_the_table_says(permission: str) -> None:
    written = {(rule.role, rule.relation) for rule in RULES if rule.permission == permission}
    for (role, relation), who in CAST.items():
        expected = (role, relation) in written or (role, Relation.ANY) in written
        assert policy.allowed(who, permission, SUBJECT) is expected, (permission, role, relation)


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
