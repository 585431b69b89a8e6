"""Who may do what: the one table. A right that is not written here does not exist.

A row reads "a person with this role may do this, when this relation holds between them and the thing". `docs/generated/
access.md` is made from it, and `tests/matrix` drives every endpoint with every role against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Roles as granted. Patients and doctors hold theirs everywhere, the others at a facility."""

    PATIENT = "patient"
    DOCTOR = "doctor"
    RECEPTIONIST = "receptionist"
    MANAGER = "manager"
    ADMIN = "admin"


class Relation(StrEnum):
    """What must hold between the person and the thing for a row to apply."""

    ANY = "any"
    OWN = "own"  # the thing is about this patient
    TREATING = "treating"  # the thing belongs to this doctor
    FACILITY = "same facility"  # the role is held at the thing's facility


@dataclass(frozen=True, slots=True)
class Rule:
    permission: str
    role: Role
    relation: Relation


def _rows(permission: str, **relations: Relation) -> tuple[Rule, ...]:
    return tuple(Rule(permission, Role[role.upper()], relation) for role, relation in relations.items())


_OWN, _TREATING, _FACILITY, _ANY = Relation.OWN, Relation.TREATING, Relation.FACILITY, Relation.ANY

RULES: Final[tuple[Rule, ...]] = (
    *_rows("appointment.view", patient=_OWN, doctor=_TREATING, receptionist=_FACILITY, manager=_FACILITY),
    *_rows("appointment.hold", patient=_OWN, doctor=_TREATING, receptionist=_FACILITY),
    *_rows("appointment.book", patient=_OWN, doctor=_TREATING, receptionist=_FACILITY),
    *_rows("appointment.reschedule", patient=_OWN, doctor=_TREATING, receptionist=_FACILITY),
    # A manager who closes a doctor's hours may cancel whom it concerns.
    *_rows("appointment.cancel", patient=_OWN, doctor=_TREATING, receptionist=_FACILITY, manager=_FACILITY),
    *_rows("appointment.confirm", doctor=_TREATING, receptionist=_FACILITY),
    *_rows("appointment.decline", doctor=_TREATING),
    *_rows("appointment.check_in", doctor=_TREATING, receptionist=_FACILITY),
    *_rows("appointment.complete", doctor=_TREATING),
    *_rows("appointment.no_show", doctor=_TREATING, receptionist=_FACILITY),
    # Late changes: within the notice period only staff may still cancel or move.
    *_rows("appointment.override_notice", doctor=_TREATING, receptionist=_FACILITY, manager=_FACILITY),
    *_rows("patient.view", patient=_OWN, doctor=_TREATING, receptionist=_FACILITY),
    *_rows("patient.list", doctor=_TREATING, receptionist=_FACILITY),
    *_rows("patient.edit", patient=_OWN, receptionist=_FACILITY),
    *_rows("schedule.view", doctor=_TREATING, receptionist=_FACILITY, manager=_FACILITY),
    *_rows("schedule.edit", doctor=_TREATING, manager=_FACILITY),
    *_rows("facility.stats", receptionist=_FACILITY, manager=_FACILITY),
    # Signing oneself up needs no right: it is the one write open to someone not signed in, and makes only oneself.
    *_rows("patient.register", receptionist=_ANY),
    # A new account can do nothing until a role is granted, and that is a right held at a facility.
    *_rows("account.create", admin=_ANY),
    *_rows("account.deactivate", admin=_FACILITY),
    *_rows("membership.grant", manager=_FACILITY, admin=_FACILITY),
)

# Jobs of ours and all they may do.
SYSTEM: Final[dict[str, frozenset[str]]] = {
    "demo": frozenset(rule.permission for rule in RULES),
    "hold-sweeper": frozenset({"appointment.hold"}),
    # Whoever has a shell on the server: the first accounts of an installation come from here.
    "operator": frozenset({"account.create", "account.deactivate", "membership.grant", "patient.register"}),
}
