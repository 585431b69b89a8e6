"""The pharmacy's part of a patient's course: prescribing what fits, handing it over, and a shelf that runs low."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from polyclinic.core import clock
from polyclinic.core.actors import Actor
from polyclinic.core.db import transactional
from polyclinic.demo.case import Case
from polyclinic.medicines import seed
from polyclinic.medicines.models import Medicine
from polyclinic.people.models import Patient
from polyclinic.pharmacy import actions, identity, keeping, selectors
from polyclinic.pharmacy.actions import Handing
from polyclinic.pharmacy.models import Delivery
from polyclinic.prescribing import actions as prescribing
from polyclinic.prescribing import checking
from polyclinic.prescribing.bodies import Diagnosis, Line
from polyclinic.prescribing.models import Prescription, PrescriptionLine


@dataclass(frozen=True, slots=True)
class Usual:
    """A product as it is usually prescribed here, and what a dispensing unit of it costs in hundredths."""

    code: str
    frequency: str
    days: int
    price: int
    dose: int = 1


USUAL: Final = {
    one.code: one
    for one in (
        Usual("paracetamol-500-mg-tablet", "three", 5, 8, 2),
        Usual("ibuprofen-400-mg-tablet", "three", 5, 12),
        Usual("amoxicillin-500-mg-capsule", "three", 7, 35),
        Usual("amlodipine-5-mg-tablet", "morning", 28, 10),
        Usual("cetirizine-10-mg-tablet", "night", 14, 9),
        Usual("omeprazole-20-mg-capsule", "morning", 28, 14),
        Usual("sumatriptan-50-mg-tablet", "once", 1, 210),
        Usual("paracetamol-120-mg-5-ml-syrup", "four", 4, 2, 5),
    )
}
# What is thought of first for each specialty; the next is taken when something speaks against it.
CHOICES: Final = {
    "general-practice": ("amoxicillin-500-mg-capsule", "ibuprofen-400-mg-tablet", "omeprazole-20-mg-capsule"),
    "cardiology": ("amlodipine-5-mg-tablet",),
    "dermatology": ("cetirizine-10-mg-tablet",),
    "orthopaedics": ("ibuprofen-400-mg-tablet",),
    "neurology": ("ibuprofen-400-mg-tablet",),
    "gynaecology": ("ibuprofen-400-mg-tablet",),
    "paediatrics": ("paracetamol-120-mg-5-ml-syrup",),
    "ear-nose-throat": ("amoxicillin-500-mg-capsule", "cetirizine-10-mg-tablet"),
}
_LAST: Final = "paracetamol-500-mg-tablet"
# From this age on tablets are thought of.
_GROWN: Final = timedelta(days=12 * 365)
_LEVEL: Final = 240


def stocked() -> int:
    """Load the formulary. Returns how many products it has."""
    seed.load()
    return Medicine.objects.count()


@transactional
def deliver(actor: Actor, facility_id: UUID, *, level: int = _LEVEL) -> int:
    """The morning's delivery: whatever has fallen below half of its level is filled up. Returns how many lines came."""
    products = {row.code: row for row in Medicine.objects.filter(code__in=USUAL)}
    there = selectors.on_hand(facility_id, [row.pk for row in products.values()])
    today = clock.now().date()
    lines = [
        keeping.Came(
            medicine_id=row.pk,
            lot=f"{code[:3].upper()}{today:%y%m%d}",
            # One of them must go out soon, so that the shelf has something to warn of.
            expires=today + timedelta(days=75 if code == _LAST else 540),
            quantity=Decimal(level * (6 if "syrup" in code else 1)),
            unit_cost=Decimal(USUAL[code].price) / 200,
        )
        for code, row in sorted(products.items())
        if there[row.pk] < level // 2
    ]
    if lines:
        supplier = keeping.add_supplier(actor=actor, facility_id=facility_id, name="Meridian Wholesale")
        # Numbered by the supplier, as delivery notes are: the clock may be held, and says the same moment twice.
        before = Delivery.objects.filter(supplier=supplier).count()
        reference = f"DN-{today:%y}-{before + 1:05}"
        keeping.receive(actor=actor, facility_id=facility_id, supplier_id=supplier.pk, reference=reference, lines=lines)
    return len(lines)


def prescribe(case: Case, diagnosis: Diagnosis) -> bool:
    """Prescribe what fits and nothing speaks against. Returns whether the patient has to go to the pharmacy."""
    doctor, visit = case.post.person, case.visit
    patient = Patient.objects.get(pk=visit.patient_id)
    products = {row.code: row.pk for row in Medicine.objects.filter(code__in=USUAL, active=True)}
    for code in _wanted(case, patient.born):
        if code not in products:
            continue
        usual = USUAL[code]
        line = Line(products[code], Decimal(usual.dose), usual.frequency, usual.days)
        if any(one.interrupts for one in checking.of_lines(doctor, visit.pk, [line])):
            case.tally["warnings heeded"] += 1
            continue
        prescribing.sign(actor=doctor, visit_id=visit.pk, lines=[line], diagnoses=[diagnosis])
        case.tally["prescriptions"] += 1
        return True
    return False


def hand_out(case: Case) -> None:
    """Hand over what was prescribed as far as it is there, or write down that the patient does not want it."""
    who = case.cast.pharmacist
    for row in list(Prescription.objects.filter(visit_id=case.visit.pk, state="signed").order_by("number")):
        if case.fate.medicine == "decline":
            actions.decline(actor=who, prescription_id=row.pk, why="patient")
            case.tally["medicines declined"] += 1
        else:
            _hand_over(case, row)


def _hand_over(case: Case, row: Prescription) -> None:
    who, patient = case.cast.pharmacist, Patient.objects.get(pk=row.patient_id)
    lines = list(row.lines.order_by("place"))
    there = selectors.on_hand(row.facility_id, [line.medicine_id for line in lines])
    given = [Handing(line.pk, share) for line in lines if (share := _share(case, line, there[line.medicine_id])) > 0]
    if not given:
        actions.decline(actor=who, prescription_id=row.pk, why="none_left")
        case.tally["medicines out of stock"] += 1
        return
    said = identity.Said(born=patient.born, mrn=patient.mrn)
    check = identity.confirm(actor=who, prescription_id=row.pk, said=said)
    actions.dispense(actor=who, prescription_id=row.pk, items=given, check_id=check.pk, version=row.version)
    case.tally["medicines given"] += 1
    row.refresh_from_db()
    if row.state == "partly_dispensed":
        actions.close(actor=who, prescription_id=row.pk, version=row.version)
        case.tally["medicines given in part"] += 1


def _share(case: Case, line: PrescriptionLine, there: Decimal) -> Decimal:
    """How much of a line: what is there, and in whole units half of it where the rest is to be fetched later."""
    wanted = line.quantity - line.dispensed
    if case.fate.medicine == "part" and wanted >= 2:
        wanted = Decimal(int(wanted / 2))
    return min(wanted, there)


def _wanted(case: Case, born: date) -> tuple[str, ...]:
    choices = CHOICES.get(case.post.specialty, ())
    if clock.now().date() - born < _GROWN:
        return ("paracetamol-120-mg-5-ml-syrup",)
    return (*choices, _LAST)
