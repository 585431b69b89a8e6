"""Answers to "may this person do this to that?", from the table in `rules` and from nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from polyclinic.core import clock
from polyclinic.core.access.rules import CLOSED_WHEN_RESTRICTED, RULES, SYSTEM, Relation, Role, Rule
from polyclinic.core.actors import Actor, Grant, Person, SystemActor
from polyclinic.core.errors import Forbidden, NotFound, ReadsOnly, Unauthenticated

_BY_PERMISSION: dict[str, list[Rule]] = defaultdict(list)
for _rule in RULES:
    _BY_PERMISSION[_rule.permission].append(_rule)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an access decision needs to know of a thing: whom it is about and where it belongs."""

    patient_id: UUID | None = None
    doctor_id: UUID | None = None
    facility_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A restricted record: the places that agreed, and the places and doctors with whom care goes on all the same."""

    at: frozenset[UUID]
    caring: frozenset[UUID]


def known(permission: str) -> bool:
    """Whether the table has this permission at all."""
    return permission in _BY_PERMISSION


def allowed(actor: Actor, permission: str, subject: Subject) -> bool:
    """Whether some row of the table lets `actor` do this. No row, no right.

    Raises KeyError for a permission the table does not know: a misspelt right must not read as "denied to all".
    """
    if permission not in _BY_PERMISSION:
        raise KeyError(permission)
    if isinstance(actor, SystemActor):
        return permission in SYSTEM.get(actor.name, frozenset())
    if not isinstance(actor, Person):
        return False
    if actor.scopes is not None and permission not in actor.scopes:
        return False
    own = subject.facility_id is not None and (permission, subject.facility_id) in actor.rights
    if own and not _closed(permission, Relation.FACILITY, subject):
        return True
    for rule in _conceivable(actor, permission):
        if _holds(actor, rule, subject) and not _closed(permission, rule.relation, subject):
            return True
    return False


def _closed(permission: str, relation: Relation, subject: Subject) -> bool:
    """Whether the record is restricted, so that working at a place or having treated the patient is not enough."""
    if relation not in _BY_WORK or permission not in CLOSED_WHEN_RESTRICTED or subject.patient_id is None:
        return False
    return _shut(subject, relation, _restricted(False)) and _shut(subject, relation, _restricted(True))


def _shut(subject: Subject, relation: Relation, records: Mapping[UUID, Closed]) -> bool:
    found = records.get(subject.patient_id) if subject.patient_id else None
    if found is None or (subject.facility_id is not None and subject.facility_id not in found.at):
        return False
    return (subject.facility_id if relation == Relation.FACILITY else subject.doctor_id) not in found.caring


_BY_WORK: Final = frozenset({Relation.FACILITY, Relation.TREATING})


def _none_restricted(_surely: bool) -> Mapping[UUID, Closed]:
    return {}


_restricted: Callable[[bool], Mapping[UUID, Closed]] = _none_restricted


def ask_restricted(closed: Callable[[bool], Mapping[UUID, Closed]]) -> None:
    """Name who knows which records are restricted. It is asked at every decision, so it must answer from memory; only
    when it is asked to be sure, before somebody is refused, may it look again."""
    global _restricted
    _restricted = closed


def closed_records(permission: str) -> Mapping[UUID, Closed]:
    """Records on which `permission` is closed to those who have it by their work: what lists leave out."""
    return _restricted(True) if permission in CLOSED_WHEN_RESTRICTED and _restricted(False) else {}


def _conceivable(person: Person, permission: str) -> tuple[Rule, ...]:
    """The rows that could hold for this person whatever the thing is; most of the table is about others' roles."""
    found: tuple[Rule, ...] | None = person.worked_out.get(permission)
    if found is None:
        found = tuple(rule for rule in _BY_PERMISSION[permission] if _could_hold(person, rule))
        person.worked_out[permission] = found
    return found


def _could_hold(person: Person, rule: Rule) -> bool:
    """False only where `_holds` is false for every thing; asks for nothing but the person's own fields."""
    match rule.relation:
        case Relation.OWN:
            return person.patient_id is not None
        case Relation.TREATING:
            return person.doctor_id is not None
        case Relation.FACILITY:
            return bool(person.facilities(rule.role))
        case Relation.DELEGATED:
            return bool(person.delegated)
        case Relation.BOOKING_FOR:
            return bool(person.books_for)
        case Relation.REPRESENTED:
            return bool(person.represents)
        case Relation.EMERGENCY:
            return bool(person.emergencies) and person.has_role(rule.role)
        case Relation.CONSENTED | Relation.ANY:
            return person.has_role(rule.role)


def ever(person: Person, permission: str) -> bool:
    """Whether something could exist that this person may do this to: what the door asks before the thing is known."""
    found: bool | None = person.worked_out.get(("ever", permission))
    if found is None:
        found = person.worked_out["ever", permission] = _ever(person, permission)
    return found


def _ever(person: Person, permission: str) -> bool:
    if person.scopes is not None and permission not in person.scopes:
        return False
    if any(right == permission for right, _place in person.rights):
        return True
    for rule in _BY_PERMISSION.get(permission, ()):
        match rule.relation:
            case Relation.DELEGATED:
                possible = bool(person.delegated)
            case Relation.BOOKING_FOR:
                possible = bool(person.books_for)
            case Relation.REPRESENTED:
                possible = bool(person.represents)
            case _:
                possible = person.has_role(rule.role)
        if possible:
            return True
    return False


def places(person: Person, permission: str) -> frozenset[UUID]:
    """Facilities at whose things this person may do this, whoever they are about."""
    if person.scopes is not None and permission not in person.scopes:
        return frozenset()
    found = {place for right, place in person.rights if right == permission}
    for rule in _BY_PERMISSION.get(permission, ()):
        if rule.relation == Relation.FACILITY:
            found |= person.facilities(rule.role)
    return frozenset(found)


def _holds(person: Person, rule: Rule, subject: Subject) -> bool:
    match rule.relation:
        case Relation.OWN:
            return person.patient_id is not None and person.patient_id == subject.patient_id
        case Relation.TREATING:
            return person.doctor_id is not None and person.doctor_id == subject.doctor_id
        case Relation.FACILITY:
            return subject.facility_id is not None and Grant(rule.role, subject.facility_id) in person.grants
        case Relation.DELEGATED:
            return subject.patient_id is not None and subject.patient_id in person.delegated
        case Relation.BOOKING_FOR:
            return subject.patient_id is not None and subject.patient_id in person.books_for
        case Relation.REPRESENTED:
            return subject.patient_id is not None and subject.patient_id in person.represents
        case Relation.EMERGENCY:
            return _opened_in_emergency(person, rule, subject)
        case Relation.CONSENTED:
            return _shared_with(person, rule, subject)
        case Relation.ANY:
            return person.has_role(rule.role)


def _opened_in_emergency(person: Person, rule: Rule, subject: Subject) -> bool:
    """Break-glass ends by itself: the moment is compared at every question, whatever a cache still believes."""
    if not person.emergencies or not person.has_role(rule.role):
        return False
    return subject.patient_id in opened_in_emergency(person)


def _shared_with(person: Person, rule: Rule, subject: Subject) -> bool:
    if subject.patient_id is None or not person.has_role(rule.role):
        return False
    held = _places_of_role(person, rule.role) | {person.account_id}
    return not held.isdisjoint(_consented(subject.patient_id, rule.permission))


def _nobody(_given: object, _permission: str) -> frozenset[UUID]:
    return frozenset()


_consented: Callable[[UUID, str], frozenset[UUID]] = _nobody
_sharers: Callable[[frozenset[UUID], str], Collection[UUID]] = _nobody


def ask_consents(
    of: Callable[[UUID, str], frozenset[UUID]],
    sharers: Callable[[frozenset[UUID], str], Collection[UUID]] | None = None,
) -> None:
    """Name who knows with whom (facilities, accounts) a patient shares what a permission is about, and which patients
    share it with any of some facilities and accounts.

    Without an answer nothing is shared; without the second, lists leave out what one record would show.
    """
    global _consented, _sharers
    _consented = of
    _sharers = sharers or _nobody


def sharing_with(person: Person, role: Role, permission: str) -> Collection[UUID]:
    """Patients who share what `permission` is about with this person, or with a place where they hold the role."""
    if not person.has_role(role):
        return ()
    return _sharers(_places_of_role(person, role) | {person.account_id}, permission)


def opened_in_emergency(person: Person) -> frozenset[UUID]:
    """Patients whose records this person has opened by break-glass and not yet lost again."""
    now = clock.now()
    return frozenset(patient for patient, ends in person.emergencies if now < ends)


def _places_of_role(person: Person, role: Role) -> frozenset[UUID]:
    return person.workplaces if role == Role.DOCTOR else person.facilities(role)


def require(actor: Actor, permission: str, subject: Subject) -> None:
    """Let pass or raise Forbidden (Unauthenticated for someone not signed in). Writes ask here.

    Who looks through another's eyes has that person's sight and nobody's hands.
    """
    if isinstance(actor, Person) and actor.seen_by is not None:
        raise ReadsOnly()
    if not allowed(actor, permission, subject):
        raise Forbidden() if isinstance(actor, Person | SystemActor) else Unauthenticated()


def require_sight(viewer: Actor, permission: str, subject: Subject) -> None:
    """Let pass or answer as if the thing did not exist: a stranger cannot tell foreign from missing."""
    if not allowed(viewer, permission, subject):
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
