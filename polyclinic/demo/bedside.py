"""Beside the demo's beds: signs measured through two days, medicines ordered and given, and a handover."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from polyclinic.core import clock
from polyclinic.core.actors import Person
from polyclinic.demo.cast import Cast
from polyclinic.inpatient.models import BedStay
from polyclinic.inpatient.states import IN_BED
from polyclinic.medicines.models import Medicine
from polyclinic.nursing import actions, handovers, medicines, rules
from polyclinic.nursing.bodies import read_order
from polyclinic.nursing.models import Dose, Handover, MedicineOrder
from polyclinic.nursing.states import ACTIVE

_NAMES: Final = ("respiration", "spo2", "systolic", "diastolic", "pulse", "temperature")
# Respiration, saturation, both pressures, pulse and temperature of each round, the last one this morning. Some get
# better, one gets worse, most are as they were.
COURSES: Final = (
    ("22 93 104 62 108 38.6", "20 94 112 66 98 38.2", "18 95 118 70 88 37.6", "16 96 122 74 80 37.1"),
    ("16 97 128 78 72 36.7", "16 97 130 80 70 36.8", "15 98 126 78 74 36.6", "16 97 128 76 72 36.7"),
    ("18 96 118 70 84 37.2", "19 95 114 68 92 37.9", "21 94 106 64 104 38.5", "23 92 102 60 114 38.9"),
    ("17 96 138 84 78 36.9", "16 96 134 82 76 36.8", "16 97 136 84 74 36.8", "15 97 132 80 72 36.6"),
)
# Code, dose, how often, and how many of those in bed get it.
ORDERS: Final = (("paracetamol-500-mg-tablet", 2, "three", 6), ("amlodipine-5-mg-tablet", 1, "morning", 3))


def measure(cast: Cast, turn: int) -> None:
    """A round with the trolley: everyone in bed is measured, for the `turn`th time (0 to 3)."""
    for place, stay in enumerate(_in_bed(cast)):
        said = COURSES[place % len(COURSES)][turn].split()
        actions.observe(
            actor=cast.nurse, stay_id=stay.pk, values=dict(zip(_NAMES, said, strict=True)), oxygen=stay.oxygen,
            consciousness="A",
        )  # fmt: skip


def order(cast: Cast) -> None:
    """The head doctor orders what most get, with a reason where a warning asks for one."""
    known = dict(Medicine.objects.values_list("code", "pk"))
    for code, dose, frequency, many in ORDERS:
        for stay in _in_bed(cast)[:many]:
            wanted = medicines.Wanted(known[code], Decimal(dose), frequency)
            found = medicines.against(stay, medicines.written(wanted))
            reasons = {one.key: "Known, and needed now" for one in found if one.interrupts}
            medicines.order(actor=cast.head, stay_id=stay.pk, wanted=wanted, overrides=reasons)


def give(cast: Cast, *, but_one: bool = False) -> None:
    """Give every dose that is due by now; with `but_one` the last of them is left for whoever looks at the sheet."""
    now, due = clock.now(), []
    for row in MedicineOrder.objects.filter(state=ACTIVE, stay__in=_in_bed(cast)).select_related("stay__patient"):
        body = read_order(row.body)
        had = set(Dose.objects.filter(order=row).values_list("due_at", flat=True))
        planned = rules.planned(
            body.frequency, body.times, row.starts_at, None, cast.facility.time_zone, row.starts_at, now
        )
        due += [(moment, row) for moment in planned if moment not in had]
    due.sort(key=lambda one: (one[0], one[1].pk))
    for moment, row in due[:-1] if but_one else due:
        who = row.stay.patient
        medicines.record(
            actor=cast.nurse, order_id=row.pk, outcome="given", due_at=moment, wristband=who.mrn,
            born=who.born.isoformat(),
        )  # fmt: skip


def hand_over(cast: Cast, by: Person) -> None:
    """The night's nurse hands everyone over, from what is on the sheets."""
    for stay in _in_bed(cast):
        if not Handover.objects.filter(stay=stay).exists():
            actions.hand_over(actor=by, stay_id=stay.pk, parts=handovers.facts(by, stay.pk))


def _in_bed(cast: Cast) -> list[BedStay]:
    rows = BedStay.objects.filter(facility=cast.facility, state__in=IN_BED).select_related("patient", "facility")
    return list(rows.order_by("admitted_at", "pk"))
