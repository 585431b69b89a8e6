"""Room names: who an event is for. A viewer's rooms are worked out from their rights, never from their wish."""

from __future__ import annotations

from uuid import UUID

from polyclinic.core.actors import Person, Viewer


def account(account_id: UUID) -> str:
    return f"user:{account_id}"


def patient(patient_id: UUID) -> str:
    return f"patient:{patient_id}"


def doctor(doctor_id: UUID) -> str:
    return f"doctor:{doctor_id}"


def facility_role(facility_id: UUID, role: str) -> str:
    return f"facility:{facility_id}:{role}"


def availability(doctor_id: UUID) -> str:
    """Public: tells that a doctor's free times changed, and nothing about whom they went to."""
    return f"availability:{doctor_id}"


PUBLIC_PREFIX = "availability:"
EVERYONE = "availability:all"


def own_rooms(viewer: Viewer) -> frozenset[str]:
    """Every room this viewer is entitled to beside the public ones."""
    if not isinstance(viewer, Person):
        return frozenset()
    rooms = {account(viewer.account_id)}
    if viewer.patient_id:
        rooms.add(patient(viewer.patient_id))
    if viewer.doctor_id:
        rooms.add(doctor(viewer.doctor_id))
    rooms.update(
        facility_role(grant.facility_id, grant.role) for grant in viewer.grants if grant.facility_id is not None
    )
    return frozenset(rooms)


def may_join(viewer: Viewer, room: str) -> bool:
    """Whether the viewer may hear this room."""
    return room.startswith(PUBLIC_PREFIX) or room in own_rooms(viewer)
