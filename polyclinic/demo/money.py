"""The demo's price list, and two invoices of the demo patient: one paid, one still owed in part."""

from __future__ import annotations

from typing import Final

from polyclinic.billing import actions, prices
from polyclinic.core.actors import SystemActor
from polyclinic.demo import dispensary
from polyclinic.demo.install import Hospital
from polyclinic.scheduling.models import Appointment

ACTOR: Final = SystemActor("demo")
# Code, name, kind, and the amount in hundredths.
PRICES: Final = (
    ("consultation", "Consultation", "consultation", 40_00),
    ("follow-up", "Follow-up visit", "consultation", 25_00),
    ("CBC", "Full blood count", "lab", 12_50),
    ("CRP", "C-reactive protein", "lab", 9_80),
    ("GLU", "Blood glucose", "lab", 4_20),
    ("ECG", "Electrocardiogram", "procedure", 28_00),
    ("XRAY-CHEST", "Chest X-ray", "procedure", 46_00),
    ("DRESSING", "Wound dressing", "procedure", 15_00),
    # A panel is charged once, with the test that stands for it.
    ("lab-hb", "Blood count", "lab", 12_50),
    ("lab-na", "Electrolytes", "lab", 9_00),
    ("lab-crea", "Kidney function", "lab", 6_00),
    ("lab-alt", "Liver tests", "lab", 14_00),
    ("lab-chol", "Blood fats", "lab", 11_00),
    ("lab-tsh", "Thyroid", "lab", 16_00),
    ("lab-uph", "Urine strip", "lab", 5_00),
    ("lab-glucf", "Glucose, fasting", "lab", 4_20),
    ("lab-gluc", "Glucose", "lab", 4_20),
    ("lab-crp", "C-reactive protein", "lab", 9_80),
    ("lab-hba1c", "Haemoglobin A1c", "lab", 13_00),
    ("lab-esr", "Sedimentation rate", "lab", 3_50),
    ("lab-trop", "Troponin", "lab", 18_00),
    ("lab-ferr", "Ferritin", "lab", 12_00),
    ("CERTIFICATE", "Medical certificate", "other", 10_00),
)


def set_prices(hospital: Hospital) -> int:
    """Set the prices at every facility. Returns how many there are."""
    for place in hospital.facilities.values():
        for code, name, kind, amount in PRICES:
            prices.set_price(actor=ACTOR, facility_id=place.pk, code=code, name=name, kind=kind, amount_minor=amount)
        for usual in dispensary.USUAL.values():
            name = usual.code.replace("-", " ")
            prices.set_price(
                actor=ACTOR, facility_id=place.pk, code=f"med-{usual.code}"[:40], name=name, kind="medicine",
                amount_minor=usual.price,
            )  # fmt: skip
    return (len(PRICES) + len(dispensary.USUAL)) * len(hospital.facilities)


def bill(hospital: Hospital) -> None:
    """Bill the demo patient for two earlier appointments."""
    if hospital.meera is not None:
        been = Appointment.objects.filter(patient=hospital.meera, state="completed").order_by("starts", "pk")
        for place_in_list, visit in enumerate(been[:2]):
            _bill(visit, owed=place_in_list == 1)


def _bill(visit: Appointment, *, owed: bool) -> None:
    bill = actions.open_invoice(
        actor=ACTOR, facility_id=visit.facility_id, patient_id=visit.patient_id, subject_kind="appointment",
        subject_id=visit.pk,
    )  # fmt: skip
    fee = actions.charge(
        actor=ACTOR, invoice_id=bill.pk, code="consultation", source_kind="appointment", source_id=visit.pk
    )
    if owed:
        # The line of the fee stands in for the test's own id: each source is charged once.
        actions.charge(actor=ACTOR, invoice_id=bill.pk, code="CBC", source_kind="demo", source_id=fee.pk)
    actions.take_payment(actor=ACTOR, invoice_id=bill.pk, method="cash", amount_minor=40_00, key="demo")
