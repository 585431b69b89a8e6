"""What the matrix needs of prescriptions: the formulary, a signed prescription of `patient`'s visit, and repeats."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from polyclinic.core import clock
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.prescribing import bodies as written
from polyclinic.prescribing import refills
from polyclinic.prescribing.models import Prescription, PrescriptionLine, PrescriptionNumber
from polyclinic.visits.models import Visit
from tests.house import House

_CODE = "amoxicillin-500-mg-capsule"


def parts(house: House) -> dict[str, str]:
    """A prescription that waits for the pharmacy. The visit itself is at the laboratory, where nothing is signed."""
    seed.load()
    visit = Visit.objects.filter(patient=house.patient, closed_at__isnull=True).order_by("pk")[0]
    made, line = _made(house, visit, 1, "signed")
    again, asked, refused = (
        _made(house, visit, number, "dispensed", repeats=3, repeat_until=clock.now().date() + timedelta(days=90))[0]
        for number in (2, 3, 4)
    )
    # The next to be signed has the number after these.
    PrescriptionNumber.objects.update_or_create(pk=house.facility.pk, defaults={"last": 4})
    _decided(asked)
    patient, head = house.person(house.patient), house.person(house.staff["main_doctor"])
    refill = refills.ask(actor=patient, prescription_id=asked.pk)
    other = refills.ask(actor=patient, prescription_id=refused.pk)
    refills.decline(actor=head, refill_id=other.pk, reason="Come in for a check")
    medicine = str(line.medicine_id)
    return {
        "prescription_id": str(made.pk),
        "prescriptionId": str(made.pk),
        "repeatable_id": str(again.pk),
        "refill_id": str(refill.pk),
        "repeatableId": str(again.pk),
        "refillId": str(refill.pk),
        "medicineId": medicine,
        "medicine_id": medicine,
    }


def _made(
    house: House, visit: Visit, number: int, state: str, **more: Any
) -> tuple[Prescription, PrescriptionLine]:  # fmt: skip
    """A week of amoxicillin, which waits or is picked up."""
    made = Prescription.objects.create(
        number=number, visit=visit, patient=house.patient, facility=house.facility, doctor=house.doctor,
        valid_until=clock.now().date() + timedelta(days=30), state=state, **more,
    )  # fmt: skip
    over = state == "dispensed"
    line = PrescriptionLine(
        prescription=made, patient=house.patient, medicine=Medicine.objects.get(code=_CODE), place=0, quantity=21,
        dispensed=21 if over else 0, state="done" if over else "open",
    )  # fmt: skip
    line.body = written.write(written.LineBody(1, "capsule", "oral", "three", 7))  # type: ignore[arg-type]
    line.save(force_insert=True)
    return made, line


def _decided(row: Prescription) -> None:
    """Whoever signed it went past all that the checks say, so that agreeing to a repeat asks for nothing more."""
    found = refills.warnings(row, refills.lines_of(row))
    line = row.lines.get()
    said = tuple(written.Override(one.key, one.tier, one.says, "Known") for one in found)
    line.body = written.write(written.LineBody(1, "capsule", "oral", "three", 7, overrides=said))  # type: ignore[arg-type]
    line.save()


def _line() -> dict[str, Any]:
    medicine = Medicine.objects.get(code=_CODE)
    return {"medicineId": medicine.pk, "dose": 1, "frequency": "three", "days": 7}


def bodies() -> dict[str, Callable[[], dict[str, Any]]]:
    """What is sent to the API."""
    return {
        "POST /api/visits/<visitId>/prescriptions/check": lambda: {"lines": [_line()]},
        "POST /api/visits/<visitId>/prescriptions": lambda: {"lines": [_line()]},
        "POST /api/prescriptions/<prescriptionId>/cancel": lambda: {"reason": "Wrong dose"},
        "POST /api/prescriptions/<repeatableId>/refills": lambda: {"note": "Three left"},
        "POST /api/refills/<refillId>/withdraw": dict,
        "POST /api/refills/<refillId>/approve": dict,
        "POST /api/refills/<refillId>/decline": lambda: {"reason": "Come in for a check first"},
    }


def forms() -> dict[str, Any]:
    """What a form on a page sends."""
    visit, medicine = "POST /consulting/<str:visit_id>", str(Medicine.objects.get(code=_CODE).pk)
    line = {"medicine": medicine, "dose": "1", "frequency": "three", "days": "7", "draft": "0"}
    return {
        f"{visit}/diagnosis/search": {"q": "pneumonia"},
        f"{visit}/diagnosis/add": {"text": "Cough", "draft": "0"},
        f"{visit}/diagnosis/remove": {"place": "0", "draft": "0"},
        f"{visit}/medicine/search": {"q": "amoxicillin"},
        f"{visit}/medicine/choose": {"medicine": medicine},
        f"{visit}/medicine/preview": line,
        f"{visit}/medicine/add": line,
        f"{visit}/medicine/remove": {"place": "0", "draft": "0"},
        f"{visit}/medicine/star": {"medicine": medicine, "starred": "yes"},
        f"{visit}/sign": {"draft": "0"},
        "POST /consulting/refills/<str:refill_id>/decline": {"reason": "Come in for a check first"},
        f"{visit}/prescriptions/<str:prescription_id>/cancel": {"reason": "Wrong dose"},
        f"{visit}/notes/<str:note_kind>": {"complaint": "Cough", "version": "1"},
        f"{visit}/notes/<str:note_kind>/draft": {"complaint": "Cough", "version": "1", "draft": "0"},
    }
