"""What the matrix needs of the pharmacy: prescriptions of `patient`, one handed over and one not, and its shelves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.ids import new_id
from polyclinic.pharmacy import actions, counting, keeping
from polyclinic.pharmacy.actions import Handing
from polyclinic.pharmacy.models import Batch, Dispense, IdentityCheck
from polyclinic.prescribing.bodies import LineBody, Override, write
from polyclinic.prescribing.models import Prescription, PrescriptionLine
from polyclinic.visits.models import Visit
from tests.house import House
from tests.pharmacy.shop import in_days, medicine, stocked

_DEMO = SystemActor("demo")
# Not those that signing gives: these are written by hand.
_FIRST = 900_001


def written(house: House, number: int, product: Any) -> PrescriptionLine:
    """A signed prescription of one line, of a visit that is over, and the pharmacist has asked who stands there."""
    visit = Visit.objects.create(
        facility=house.facility, patient=house.patient, day=in_days(0), number=number, token=f"X{number}",
        state="done", ticket=new_id().hex, opened_at=(now := clock.now()), closed_at=now, opened_by="test",
        main_doctor=house.doctor,
    )  # fmt: skip
    row = Prescription.objects.create(
        number=number, visit=visit, patient=house.patient, facility=house.facility, doctor=house.doctor,
        valid_until=in_days(20), state="signed", signed_by="Dr Rao",
    )  # fmt: skip
    line = PrescriptionLine(
        prescription=row, patient=house.patient, medicine=product, place=0, quantity=Decimal(20), state="open"
    )
    # Both prescriptions are of one medicine: whoever signed the second has said why.
    passed = Override(f"duplicate.{product.code}+{product.code}", "serious", "It is in both", "The first was lost")
    line.body = write(LineBody(Decimal(1), "capsule", "oral", "three", 7, overrides=(passed,)))
    line.save(force_insert=True)
    IdentityCheck.objects.create(
        prescription=row, patient=house.patient, facility=house.facility, account=house.staff["pharmacist"],
        asked="name+born", matched=True,
    )  # fmt: skip
    return line


def parts(house: House) -> dict[str, str]:
    """A prescription that waits and one handed over in part; a batch, a transfer to us, and a stock-take."""
    product = medicine("matrix", generic="matrixine", controlled=True)
    plain = medicine("matrix2", generic="plainine")
    batch = stocked(house.facility.pk, plain)
    supplier = keeping.add_supplier(actor=_DEMO, facility_id=house.facility.pk, name="Medi Wholesale")
    keeping.receive(
        actor=_DEMO, facility_id=house.facility.pk, supplier_id=supplier.pk, reference="N0",
        lines=[keeping.Came(product.pk, "C1", in_days(300), Decimal(50))],
    )  # fmt: skip
    far = stocked(house.elsewhere.pk, plain)
    waits, gone = written(house, _FIRST, plain), written(house, _FIRST + 1, plain)
    made = actions.dispense(
        actor=house.person(house.staff["pharmacist"]), prescription_id=gone.prescription_id,
        items=[Handing(gone.pk, Decimal(5))],
    )  # fmt: skip
    sent = keeping.send(actor=_DEMO, batch_id=far.pk, target_id=house.facility.pk, quantity=Decimal(3))
    take = counting.start(actor=_DEMO, facility_id=house.facility.pk)
    counting.count(actor=_DEMO, take_id=take.pk, counts={batch.pk: counting.Count(Decimal(90))})
    return {
        "rx_id": str(waits.prescription_id), "rxId": str(waits.prescription_id),
        "dispense_id": str(made.pk), "dispenseId": str(made.pk),
        "product_id": str(plain.pk), "productId": str(plain.pk),
        "batch_id": str(batch.pk), "batchId": str(batch.pk),
        "transfer_id": str(sent.pk), "take_id": str(take.pk),
    }  # fmt: skip


def _line(house: House) -> PrescriptionLine:
    return PrescriptionLine.objects.get(prescription__patient=house.patient, prescription__number=_FIRST)


def _given(house: House) -> Any:
    return Dispense.objects.get(patient=house.patient).lines.get()


def bodies(house: House) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is sent to the API."""
    rx = "POST /api/pharmacy/prescriptions/<rxId>"
    return {
        f"{rx}/identify": lambda: {"name": "Meera Pillai", "born": "1980-05-17"},
        f"{rx}/witness": lambda: {"items": [{"lineId": _line(house).pk, "quantity": 1}]},
        f"{rx}/dispense": lambda: {"items": [{"lineId": _line(house).pk, "quantity": 2}]},
        f"{rx}/decline": lambda: {"why": "cost"},
        "POST /api/pharmacy/dispenses/<dispenseId>/return": lambda: {
            "lineId": _given(house).pk, "quantity": 1, "to": "stock",
        },
        "POST /api/pharmacy/deliveries": lambda: {
            "facilityId": house.facility.pk, "supplier": "Medi", "reference": "N1", "lines": [
                {"medicineId": Batch.objects.all()[0].medicine_id, "lot": "Z", "expires": in_days(90), "quantity": 1}
            ],
        },
        "POST /api/pharmacy/batches/<batchId>/adjust": lambda: {"difference": -1, "why": "lost"},
    }  # fmt: skip


def forms(house: House) -> dict[str, Any]:
    """What a form on a page sends."""
    line, batch = _line(house), Batch.objects.get(facility=house.facility, medicine__code="matrix2")
    rx = "POST /pharmacy/prescriptions/<str:rx_id>"
    return {
        f"{rx}/identify": {"name": "Meera Pillai", "born_day": "17", "born_month": "5", "born_year": "1980"},
        f"{rx}/dispense": {"key": "a-key", f"q-{line.pk}": "2"},
        f"{rx}/decline": {"why": "cost"},
        "POST /pharmacy/dispenses/<str:dispense_id>/return": {
            "line": str(_given(house).pk), "quantity": "1", "to": "stock",
        },
        "POST /pharmacy/stock/<str:product_id>/reorder": {"point": "5"},
        "POST /pharmacy/batches/<str:batch_id>/adjust": {"direction": "less", "difference": "1", "why": "lost"},
        "POST /pharmacy/batches/<str:batch_id>/send": {"target": str(house.elsewhere.pk), "quantity": "1"},
        "POST /pharmacy/receive": {
            "key": "a-key", "new_supplier": "Medi", "reference": "N1", "medicine-0": "matrix2", "lot-0": "Z",
            "expires-0": "2027-05", "quantity-0": "1",
        },
        "POST /pharmacy/counts/<str:take_id>": {f"count-{batch.pk}": "91"},
    }  # fmt: skip


def queries(house: House) -> dict[str, str]:
    """Which hospital's shelves."""
    here = f"?hospitalId={house.facility.pk}"
    return {
        "/api/pharmacy/queue": here, "/api/pharmacy/stock": here,
        "/api/pharmacy/stock/<productId>/batches": here, "/api/pharmacy/stock/<productId>/moves": here,
    }  # fmt: skip
