"""The policy table as a filter: the rows of a query that a viewer may see, decided by the same rules as one row is."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from polyclinic.core.access import policy
from polyclinic.core.access.policy import Subject
from polyclinic.core.access.rules import RULES, Relation, Rule
from polyclinic.core.actors import Person, SystemActor, Viewer
from polyclinic.core.errors import NotFound, Unauthenticated
from polyclinic.scheduling.models import Appointment, CareLink, Schedule

NOTHING = Q(pk__in=[])


def visible(viewer: Viewer, permission: str) -> Q:
    """What rows with `patient_id`, `doctor_id` and `facility_id` this viewer may see.

    Raises Unauthenticated for someone not signed in.
    """
    if isinstance(viewer, SystemActor):
        return Q() if policy.allowed(viewer, permission, Subject()) else NOTHING
    if not isinstance(viewer, Person):
        raise Unauthenticated()
    if viewer.scopes is not None and permission not in viewer.scopes:
        return NOTHING
    found = NOTHING
    if where := policy.places(viewer, permission):
        found |= Q(facility_id__in=where) & _open_at(where, permission)
    for rule in RULES:
        if rule.permission != permission:
            continue
        match rule.relation:
            case Relation.OWN if viewer.patient_id:
                found |= Q(patient_id=viewer.patient_id)
            case Relation.TREATING if viewer.doctor_id:
                found |= Q(doctor_id=viewer.doctor_id) & _open_to(viewer.doctor_id, permission)
            case Relation.ANY if viewer.has_role(rule.role):
                return Q()
            case _:
                if beyond := _reached(viewer, rule):
                    found |= Q(patient_id__in=beyond)
    return found


def _open_at(where: Collection[UUID], permission: str) -> Q:
    """Without the records that are restricted at one of these places, unless care goes on there."""
    found = Q()
    for patient, closed in policy.closed_records(permission).items():
        if places := closed.at.intersection(where) - closed.caring:
            found &= ~Q(patient_id=patient, facility_id__in=places)
    return found


def _open_to(doctor_id: UUID, permission: str) -> Q:
    found = Q()
    for patient, closed in policy.closed_records(permission).items():
        if doctor_id not in closed.caring:
            found &= ~Q(patient_id=patient, facility_id__in=closed.at)
    return found


def _reached(viewer: Person, rule: Rule) -> Collection[UUID]:
    """Patients whom this rule opens to the viewer one by one, wherever they are treated."""
    match rule.relation:
        case Relation.DELEGATED:
            return viewer.delegated
        case Relation.BOOKING_FOR:
            return viewer.books_for
        case Relation.REPRESENTED:
            return viewer.represents
        case Relation.CONSENTED:
            return policy.sharing_with(viewer, rule.role, rule.permission)
        case Relation.EMERGENCY if viewer.has_role(rule.role):
            return policy.opened_in_emergency(viewer)
    return ()


def require_patient(viewer: Viewer, permission: str, patient_id: UUID) -> Subject:
    """Let pass whoever may do this to the patient by one of the patient's doctors or places; else NotFound.

    Returns the subject by which the right holds: it names the doctor or facility, for the audit and for field rules.
    """
    if not isinstance(viewer, Person | SystemActor):
        raise Unauthenticated()
    plain = Subject(patient_id=patient_id)
    if policy.allowed(viewer, permission, plain):
        return plain
    if isinstance(viewer, Person) and viewer.doctor_id:
        mine = Subject(patient_id=patient_id, doctor_id=viewer.doctor_id)
        linked = CareLink.objects.filter(doctor_id=viewer.doctor_id, patient_id=patient_id)
        if policy.allowed(viewer, permission, mine) and linked.exists():
            return mine
    if isinstance(viewer, Person) and (where := policy.places(viewer, permission)):
        if closed := policy.closed_records(permission).get(patient_id):
            where -= closed.at - closed.caring
        came = Appointment.objects.filter(patient_id=patient_id, facility_id__in=where).order_by("-starts")
        if (place := came.values_list("facility_id", flat=True).first()) is not None:
            return Subject(patient_id=patient_id, facility_id=place)
    raise NotFound()


def require_doctor(viewer: Viewer, permission: str, doctor_id: UUID) -> None:
    """Let pass the doctor and the staff of places where the doctor has a schedule; else NotFound."""
    if policy.allowed(viewer, permission, Subject(doctor_id=doctor_id)):
        return
    if not isinstance(viewer, Person | SystemActor):
        raise Unauthenticated()
    places = Schedule.objects.filter(doctor_id=doctor_id).values_list("facility_id", flat=True)
    if not any(policy.allowed(viewer, permission, Subject(facility_id=place)) for place in places):
        raise NotFound()
