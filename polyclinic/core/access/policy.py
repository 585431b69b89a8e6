"""Answers to "may this person do this to that?", from the table in `rules` and from nothing else."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from polyclinic.core.access.rules import RULES, SYSTEM, Relation, Rule
from polyclinic.core.actors import Actor, Grant, Person, SystemActor
from polyclinic.core.errors import Forbidden, NotFound, Unauthenticated

_BY_PERMISSION: dict[str, list[Rule]] = defaultdict(list)
for _rule in RULES:
    _BY_PERMISSION[_rule.permission].append(_rule)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an access decision needs to know of a thing: whom it is about and where it belongs."""

    patient_id: UUID | None = None
    doctor_id: UUID | None = None
    facility_id: UUID | None = None


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
    return any(_holds(actor, rule, subject) for rule in _BY_PERMISSION[permission])


def _holds(person: Person, rule: Rule, subject: Subject) -> bool:
    match rule.relation:
        case Relation.OWN:
            return person.patient_id is not None and person.patient_id == subject.patient_id
        case Relation.TREATING:
            return person.doctor_id is not None and person.doctor_id == subject.doctor_id
        case Relation.FACILITY:
            return subject.facility_id is not None and Grant(rule.role, subject.facility_id) in person.grants
        case Relation.ANY:
            return person.has_role(rule.role)


def require(actor: Actor, permission: str, subject: Subject) -> None:
    """Let pass or raise Forbidden (Unauthenticated for someone not signed in)."""
    if not allowed(actor, permission, subject):
        raise Forbidden() if isinstance(actor, Person | SystemActor) else Unauthenticated()


def require_sight(viewer: Actor, permission: str, subject: Subject) -> None:
    """Let pass or answer as if the thing did not exist: a stranger cannot tell foreign from missing."""
    if not allowed(viewer, permission, subject):
        raise NotFound() if isinstance(viewer, Person | SystemActor) else Unauthenticated()
