"""What the matrix needs of the wards: `patient` lies in one bed, and another one is free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyclinic.core.actors import SystemActor
from polyclinic.inpatient import actions, wards
from polyclinic.inpatient.models import Bed
from polyclinic.visits import known
from tests.house import House

_DEMO = SystemActor("demo")


def parts(house: House) -> dict[str, str]:
    """Parts of addresses. The bed is the free one."""
    ward = wards.add_ward(actor=_DEMO, facility_id=house.facility.pk, name="Matrix", kind="general")
    lain, free = (wards.add_bed(actor=_DEMO, ward_id=ward.pk, name=name) for name in ("M1", "M2"))
    stay = actions.request(
        actor=_DEMO, facility_id=house.facility.pk, patient_id=house.patient.pk, doctor_id=house.doctor.pk
    )
    actions.admit(actor=_DEMO, stay_id=stay.pk, bed_id=lain.pk)
    known.remember(house.other_patient.pk, house.facility.pk)
    return {
        "bed_id": str(free.pk), "bedId": str(free.pk), "stay_id": str(stay.pk), "stayId": str(stay.pk),
        "ward_id": str(ward.pk), "wardId": str(ward.pk),
    }  # fmt: skip


def _free() -> str:
    return str(Bed.objects.values_list("pk", flat=True).get(name="M2"))


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is sent to the API."""
    return {
        "POST /api/bed-bookings": lambda: {
            "hospitalId": house.facility.pk, "patientId": house.other_patient.pk, "priority": "urgent",
        },
        "PUT /api/bed-bookings/<stayId>/status": lambda: {"action": "order_discharge"},
        "PUT /api/beds/<bedId>/status": lambda: {"action": "block", "why": "repair"},
    }  # fmt: skip


def forms(house: House) -> dict[str, dict[str, str]]:
    """What a form on a page sends."""
    stay = "POST /beds/stays/<str:stay_id>"
    return {
        "POST /beds/request": {"q": "Pillai"},
        "POST /beds/request/<str:patient_id>": {"priority": "routine"},
        "POST /beds/visits/<str:visit_id>": {"priority": "routine"},
        f"{stay}/take": {"how": "transfer", "bed": _free()},
        f"{stay}/leave": {"reason": "Against advice"},
        f"{stay}/cancel": {"reason": "Home"},
        f"{stay}/stay-on": {"reason": "Fever"},
        "POST /beds/<str:bed_id>/block": {"why": "repair"},
        "POST /beds/wards": {"name": "Another", "kind": "general", "sex": "any"},
        "POST /beds/wards/<str:ward_id>/beds": {"name": "M3"},
    }  # fmt: skip


def queries(house: House) -> dict[str, str]:
    """Which hospital's, and which bed."""
    return {
        "/api/bed-bookings": f"?hospitalId={house.facility.pk}",
        "/beds/stays/<str:stay_id>/take": f"?how=transfer&bed={_free()}",
    }
