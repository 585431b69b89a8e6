"""What the matrix needs of the front desk: an open visit of `patient`, waiting, with its ticket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from polyclinic.core.actors import SystemActor
from polyclinic.files import portraits
from polyclinic.visits import actions, tickets
from polyclinic.visits.models import QueueEntry, Visit
from tests.files.hostile import picture
from tests.house import House


def parts(house: House) -> dict[str, str]:
    """The visit there is, or one opened now."""
    visit = Visit.objects.filter(patient=house.patient, closed_at__isnull=True).first()
    if visit is None:
        visit = actions.register(
            actor=SystemActor("demo"), facility_id=house.facility.pk, patient_id=house.patient.pk,
            doctor_id=house.doctor.pk,
        )  # fmt: skip
    return {
        "visit_id": str(visit.pk),
        "waitingId": str(QueueEntry.objects.get(visit=visit, ended_at__isnull=True).pk),
        "waiting_id": str(QueueEntry.objects.get(visit=visit, ended_at__isnull=True).pk),
        "step": "call",
        "what": "leave",
        "code": tickets.code(visit.pk),
        "portrait_id": str(_portrait(house)),
    }


def _portrait(house: House) -> UUID:
    """A photo of the patient that the desk has taken."""
    return portraits.take(
        actor=house.person(house.receptionist), facility_id=house.facility.pk, patient_id=house.patient.pk,
        data=picture(),
    )  # fmt: skip


def bodies(house: House) -> dict[str, Any]:
    """What a call of the API sends, each made anew."""
    return {
        "POST /api/visits": lambda: {"hospitalId": house.facility.pk, "patientId": house.other_patient.pk},
        "PUT /api/visits/<visitId>/status": lambda: {"action": "leave", "reason": "Could not wait"},
        "PUT /api/visits/<visitId>/transfer": lambda: {"doctorId": house.other_doctor.pk},
        "PUT /api/visits/<visitId>/priority": lambda: {"priority": "urgent"},
        "POST /api/queue/<waitingId>/<step>": dict,
    }


def queries(house: House) -> dict[str, str]:
    """What is asked for behind the address."""
    return {"/api/visits": f"?hospitalId={house.facility.pk}"}


def forms(_house: House) -> dict[str, Any]:
    """What a form on a page sends."""
    return {
        "POST /reception/visits/<str:visit_id>/<str:what>": {"reason": "Could not wait"},
        "POST /reception/find": {"q": "pillai"},
    }
