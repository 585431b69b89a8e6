"""Room names: who an event is for. A viewer's rooms are worked out from their rights, never from their wish."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from polyclinic.core.access import policy
from polyclinic.core.access.rules import Role
from polyclinic.core.actors import Person, Viewer


def account(account_id: UUID) -> str:
    return f"user:{account_id}"


def patient(patient_id: UUID) -> str:
    return f"patient:{patient_id}"


def deciders(patient_id: UUID) -> str:
    """The patient, and who decides for them: what they share and ask for is not for a carer to hear."""
    return f"deciders:{patient_id}"


def doctor(doctor_id: UUID) -> str:
    return f"doctor:{doctor_id}"


def facility_role(facility_id: UUID, role: str) -> str:
    return f"facility:{facility_id}:{role}"


def facility_right(facility_id: UUID, permission: str) -> str:
    """Whoever may do this at the facility, whichever of their roles says so; a facility's own roles too."""
    return f"facility:{facility_id}:may:{permission}"


def availability(doctor_id: UUID) -> str:
    """Public: tells that a doctor's free times changed, and nothing about whom they went to."""
    return f"availability:{doctor_id}"


def queues(facility_id: UUID) -> str:
    """For hall screens and holders of a ticket, who come in by their code: that a queue moved, and not who is in it."""
    return f"queues:{facility_id}"


def caller(call_id: UUID) -> str:
    """For whoever asked for an ambulance without an account, who comes in by the link of that call alone."""
    return f"caller:{call_id}"


# Rights that have a room of their own at each facility.
HEARD: Final = (
    "appointment.view",
    "schedule.view",
    "staff.list",
    "leave.view",
    "breakglass.review",
    "privacy.answer",
    "note.view",
    "invoice.view",
    "till.view",
    "visit.view",
    "lab.view",
    "letter.view",
    "prescription.dispense",
    "stock.view",
    "bed.view",
    "stay.view",
    "ambulance.view",
    "setting.view",
    "import.run",
    "webhook.manage",
)
# What is said in a patient's and in a doctor's room, as rights to read it.
_SAID_TO_PATIENTS: Final = frozenset(
    {
        "appointment.view",
        "invoice.view",
        "consent.edit",
        "privacy.request",
        "visit.view",
        "lab.released",
        "ambulance.view",
    }
)
_SAID_TO_DECIDERS: Final = frozenset({"consent.edit", "privacy.request", "letter.view"})
_SAID_TO_DOCTORS: Final = frozenset(
    {"appointment.view", "patient.list", "schedule.view", "visit.view", "lab.view", "letter.view", "stay.view"}
)
PUBLIC_PREFIX = "availability:"
EVERYONE = "availability:all"


def own_rooms(viewer: Viewer) -> frozenset[str]:
    """Every room this viewer is entitled to beside the public ones: what they may look at, they may hear of.

    Records opened by consent or break-glass are read and not listened to, and who looks through another's eyes hears
    nothing. An API key hears a room when its scopes cover everything that is said there.
    """
    if not isinstance(viewer, Person) or viewer.seen_by is not None:
        return frozenset()
    rooms = {facility_right(place, right) for right in HEARD for place in policy.places(viewer, right)}
    if _covers(viewer, _SAID_TO_PATIENTS):
        rooms.update(map(patient, viewer.delegated))
        if viewer.patient_id:
            rooms.add(patient(viewer.patient_id))
    if _covers(viewer, _SAID_TO_DECIDERS):
        rooms.update(map(deciders, viewer.represents))
        if viewer.patient_id:
            rooms.add(deciders(viewer.patient_id))
    if viewer.doctor_id and _covers(viewer, _SAID_TO_DOCTORS):
        rooms.add(doctor(viewer.doctor_id))
    if viewer.scopes is None:
        rooms.add(account(viewer.account_id))
        rooms |= {
            facility_role(grant.facility_id, grant.role) for grant in viewer.grants if grant.facility_id is not None
        }
        # A doctor's schedules, not a membership, say where; what is shared with the place is shared with them.
        rooms |= {facility_role(place, Role.DOCTOR) for place in viewer.workplaces}
    return frozenset(rooms)


def _covers(viewer: Person, rights: frozenset[str]) -> bool:
    return viewer.scopes is None or rights <= viewer.scopes


def may_join(viewer: Viewer, room: str) -> bool:
    """Whether the viewer may hear this room."""
    return room.startswith(PUBLIC_PREFIX) or room in own_rooms(viewer)
