"""The policy table as a filter: the rows of a query that a viewer may see, decided by the same rules as one row is."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import RULES, Relation
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.scheduling.models import Schedule

NOTHING = Q(pk__in=[])


def visible(viewer: Viewer, permission: str) -> Q:
    """What rows with `patient_id`, `doctor_id` and `facility_id` this viewer may see.

    Raises Unauthenticated for someone not signed in.
    """
    if isinstance(viewer, SystemActor):
        return Q() if policy.allowed(viewer, permission, Subject()) else NOTHING
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    found = NOTHING
    for rule in RULES:
        if rule.permission != permission:
            continue
        match rule.relation:
            case Relation.OWN if viewer.patient_id:
                found |= Q(patient_id=viewer.patient_id)
            case Relation.TREATING if viewer.doctor_id:
                found |= Q(doctor_id=viewer.doctor_id)
            case Relation.FACILITY:
                found |= Q(facility_id__in=viewer.facilities(rule.role))
            case Relation.ANY if viewer.has_role(rule.role):
                return Q()
    return found


def require_doctor(viewer: Viewer, permission: str, doctor_id: UUID) -> None:
    """Let pass the doctor and the staff of places where the doctor has a schedule; else NotFound."""
    if policy.allowed(viewer, permission, Subject(doctor_id=doctor_id)):
        return
    if not isinstance(viewer, Person | SystemActor):
        raise Unauthenticated()
    places = Schedule.objects.filter(doctor_id=doctor_id).values_list("facility_id", flat=True)
    if not any(policy.allowed(viewer, permission, Subject(facility_id=place)) for place in places):
        raise NotFound()
