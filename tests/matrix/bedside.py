"""What the matrix needs of the wards: `patient` lies in one bed, and another one is free."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.inpatient import actions, wards
from polyclinic.inpatient.models import Bed, BedStay, Ward
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.nursing import actions as nursing
from polyclinic.nursing import bodies as bodies_
from polyclinic.nursing import medicines, summaries
from polyclinic.nursing.models import Handover, MedicineOrder
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
    seen: dict[str, Any] = {"actor": _DEMO, "stay_id": stay.pk}
    measured = nursing.observe(**seen, values={"pulse": "72"})
    if not Medicine.objects.exists():
        seed.load()
    code = "omeprazole-20-mg-capsule"
    wanted = medicines.Wanted(Medicine.objects.values_list("pk", flat=True).get(code=code), Decimal(1), "once")
    order = medicines.order(**seen, wanted=wanted)
    handover = nursing.hand_over(**seen, parts=_SBAR)
    nursing.note(**seen, text="Drinks well", version=0)
    # One that was stopped after a dose, a handover that was read, and a summary that is begun.
    code = "paracetamol-500-mg-tablet"
    other = medicines.Wanted(
        Medicine.objects.values_list("pk", flat=True).get(code=code), Decimal(1), as_needed=True, most=4
    )
    stopped = medicines.order(**seen, wanted=other)
    dose = medicines.record(actor=_DEMO, order_id=stopped.pk, outcome="held", reason="No pain")
    medicines.stop(actor=_DEMO, order_id=stopped.pk, reason="Not needed")
    nursing.acknowledge(actor=SystemActor("demo"), handover_id=_read(stay).pk)
    summaries.save(**seen, parts=_SUMMARY, version=0)
    return {
        "dose_id": str(dose.pk), "doseId": str(dose.pk),
        "observation_id": str(measured.pk), "order_id": str(order.pk), "medicineOrderId": str(order.pk),
        "handover_id": str(handover.pk), "handoverId": str(handover.pk),
        "bed_id": str(free.pk), "bedId": str(free.pk), "stay_id": str(stay.pk), "stayId": str(stay.pk),
        "ward_id": str(ward.pk), "wardId": str(ward.pk),
    }  # fmt: skip


_SBAR = dict.fromkeys(("situation", "background", "assessment", "recommendation"), "As before")
_SUMMARY = dict.fromkeys(("diagnoses", "course", "follow_up"), "As before")


def _order() -> MedicineOrder:
    return MedicineOrder.objects.get(medicine__code="omeprazole-20-mg-capsule")


def _read(stay: BedStay) -> Handover:
    """A handover that a nurse has signed, so that another may read it."""
    row = Handover(stay=stay, patient_id=stay.patient_id, signed_by="account:night", author="Night", state="signed")
    row.body = bodies_.write(_SBAR)
    row.save(force_insert=True)
    return row


def _ward() -> str:
    return str(Ward.objects.values_list("pk", flat=True).get(name="Matrix"))


def _free() -> str:
    return str(Bed.objects.values_list("pk", flat=True).get(name="M2"))


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is sent to the API."""
    return {
        "POST /api/bed-bookings": lambda: {
            "hospitalId": house.facility.pk, "patientId": house.other_patient.pk, "priority": "urgent",
        },
        "PUT /api/bed-bookings/<stayId>/status": lambda: {"action": "order_discharge"},
        "POST /api/bed-bookings/<stayId>/observations": lambda: {"values": {"pulse": "80"}},
        "PUT /api/bed-bookings/<stayId>/round-note": lambda: {"text": "Eats well", "version": 1},
        "POST /api/bed-bookings/<stayId>/medicines": lambda: {
            "medicineId": str(Medicine.objects.values_list("pk", flat=True).get(code="paracetamol-500-mg-tablet")),
            "dose": "1",
        },
        "POST /api/medicine-orders/<medicineOrderId>/stop": lambda: {"reason": "Not needed"},
        "POST /api/medicine-orders/<medicineOrderId>/doses": lambda: {
            "outcome": "held", "reason": "Nothing by mouth", "dueAt": _order().starts_at.isoformat(),
        },
        "POST /api/medicine-doses/<doseId>/withdraw": lambda: {"reason": "Another patient's"},
        "POST /api/bed-bookings/<stayId>/handovers": lambda: _SBAR,
        "POST /api/handovers/<handoverId>/read": dict,
        "PUT /api/bed-bookings/<stayId>/discharge-summary": lambda: {
            "diagnoses": "As before", "course": "As before", "followUp": "As before", "version": 1,
        },
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
        "POST /nursing/stays/<str:stay_id>/vitals": {"pulse": "80"},
        "POST /nursing/stays/<str:stay_id>/note": {"text": "Eats well", "version": "1"},
        "POST /nursing/stays/<str:stay_id>/order": {
            "medicine": str(Medicine.objects.values_list("pk", flat=True).get(code="paracetamol-500-mg-tablet")),
            "dose": "1", "frequency": "daily", "seen": "allergy.not_asked",
        },
        "POST /nursing/stays/<str:stay_id>/handover": _SBAR,
        "POST /nursing/stays/<str:stay_id>/summary": {**_SUMMARY, "do": "save", "version": "1"},
        "POST /nursing/doses/<str:dose_id>/withdraw": {
            "reason": "Another patient's",
            "stay": str(BedStay.objects.values_list("pk", flat=True).get(bed__name="M1")),
        },
        "POST /nursing/vitals/<str:observation_id>/withdraw": {
            "reason": "Another patient's",
            "stay": str(BedStay.objects.values_list("pk", flat=True).get(bed__name="M1")),
        },
        "POST /nursing/orders/<str:order_id>/stop": {"reason": "Not needed"},
        "POST /nursing/orders/<str:order_id>/dose": {
            "outcome": "held", "reason": "Nothing by mouth", "due": _order().starts_at.isoformat(),
        },
    }  # fmt: skip


def queries(house: House) -> dict[str, str]:
    """Which hospital's, and which bed."""
    return {
        "/api/bed-bookings": f"?hospitalId={house.facility.pk}",
        "/api/bed-bookings/<stayId>/medicines": f"?day={clock.now().date()}",
        "/nursing": f"?ward={_ward()}",
        "/nursing/handover": f"?ward={_ward()}",
        "/nursing/row/<str:stay_id>": f"?ward={_ward()}",
        "/beds/stays/<str:stay_id>/take": f"?how=transfer&bed={_free()}",
    }
