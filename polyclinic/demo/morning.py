"""The morning that is under way when the demo is loaded: at each facility people at every stage of their visit."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from polyclinic.core.actors import SystemActor
from polyclinic.demo import accounts, dispensary, fates, places
from polyclinic.demo.cast import gather
from polyclinic.demo.day import Day, plan
from polyclinic.demo.diary import Step, Visit
from polyclinic.demo.fates import Comer, Fate, Times
from polyclinic.demo.install import Hospital
from polyclinic.demo.seed import SEED
from polyclinic.facilities.models import Facility
from polyclinic.people.models import Doctor
from polyclinic.scheduling.models import Appointment
from polyclinic.visits import arranging, known

ACTOR: Final = SystemActor("demo")
# The doors opened this long ago, whatever the hour is at which the demo is loaded.
OPEN_FOR: Final = timedelta(hours=4)
_BRISK: Final = Times(desk=2, check=4, draw=3, bench=12, doctor=8, pharmacy=3, walk=0.5)


def set_up(hospital: Hospital) -> int:
    """Counters, a hall's screen and full shelves at each facility. Returns how many counters there are."""
    dispensary.stocked()
    for facility in hospital.facilities.values():
        for name, line in places.COUNTERS:
            arranging.add_counter(actor=ACTOR, facility_id=facility.pk, name=name, line=line)
        arranging.open_board(actor=ACTOR, facility_id=facility.pk, name="Waiting hall", lines=[])
        dispensary.deliver(ACTOR, facility.pk)
    return len(places.COUNTERS) * len(hospital.facilities)


class Mornings:
    """The mornings of all facilities, played together so that history is written in the order in which it happened."""

    def __init__(self, hospital: Hospital, now: datetime, walk_ins: int) -> None:
        self._hospital, self._now, self._walk_ins = hospital, now, walk_ins
        self._begins = now - OPEN_FOR
        self._days: dict[UUID, Day] = {}
        # Who comes to which facility: one may have a second booking, or book and walk in, but is here once.
        self._coming: set[tuple[UUID, UUID]] = set()
        self._rng = random.Random(SEED)  # noqa: S311 - invents people, guards nothing
        self._number = 0

    def advance(self, until: datetime) -> None:
        """Play everything up to a moment. Before the doors open nothing happens."""
        if until < self._begins:
            return
        if not self._days:
            self._open()
        while True:
            due = [(at, place) for place, day in self._days.items() if (at := day.engine.next_at()) and at <= until]
            if not due:
                return
            at, place = min(due)
            self._days[place].advance(at)

    def receives(self, step: Step, visit: Visit, appointment_id: UUID) -> bool:
        """Whether the last thing known of this appointment is that the patient came this morning: then the visit is
        opened with the booking, and goes its way through the hospital. Not for whoever comes already."""
        if step.action != "check_in" or step.at < self._begins:
            return False
        row = Appointment.objects.only("facility_id", "doctor_id").get(pk=appointment_id)
        if (row.facility_id, visit.patient_id) in self._coming:
            return False
        day = self._days[row.facility_id]
        self._number += 1
        fate = fates.draw(self._rng, self._number, step.at, fee="cash", missed=0, gone=False)
        self._expect(day, [Comer(fate, visit.patient_id, row.doctor_id, appointment_id)])
        return True

    def told(self) -> str:
        """What happened, in a line."""
        tally = sum((day.tally for day in self._days.values()), Counter[str]())
        named = ("registered", "done", "left", "lab orders", "critical results", "payments")
        return ", ".join(f"{tally[name]} {name}" for name in named)

    def _open(self) -> None:
        # Bookings make patients known to a facility; those made until now may come without one, too.
        known.from_bookings()
        for number, facility in enumerate(self._hospital.facilities.values()):
            day = Day(gather(facility, doctors=3, also=list(facility_doctors(facility))))
            # The house with the demo accounts is the fullest; nobody looks at the others for long.
            share = self._walk_ins if facility.slug == places.HOME else self._walk_ins * 3 // 5
            arrivals = fates.arrivals(self._rng, self._begins, share, fates.UNDER_WAY)
            comers, _absent = plan(day.cast, SEED + number, arrivals, new=0, avoid=self._busy(facility))
            self._expect(day, comers)
            if facility.slug == places.HOME:
                self._expect(day, self._chosen(day))
            day.watch(self._begins, self._now)
            self._days[facility.pk] = day

    def _expect(self, day: Day, comers: list[Comer]) -> None:
        self._coming.update((day.cast.facility.pk, one.patient_id) for one in comers if one.patient_id)
        day.expect(comers)

    def _busy(self, facility: Facility) -> list[UUID]:
        """Who has an appointment about now, and comes with it or not at all; and the demo patient."""
        near = Appointment.objects.filter(
            starts__gte=self._begins - timedelta(hours=8), starts__lt=self._now + timedelta(hours=12)
        )
        assert self._hospital.meera is not None
        return [self._hospital.meera.pk, *near.values_list("patient_id", flat=True)]

    def _chosen(self, day: Day) -> list[Comer]:
        """What a visitor should find whatever chance does: the demo patient's finished visit with results and an
        invoice, and a critical result that nobody has answered yet."""
        assert self._hospital.meera is not None
        doctor = Doctor.objects.get(account__email=accounts.account("doctor").email)
        calm = {
            "emergency": False, "fee": "card", "patience": 1_000.0, "missed": 0, "gone": False, "rejected": False,
            "critical": False, "more_tests": (), "medicine": "dispense", "times": _BRISK,
        }  # fmt: skip
        early = self._begins + timedelta(minutes=4)
        mine = fates.draw(self._rng, 900, early, tests=("cbc", "lipids"), **calm)
        late = self._now - timedelta(minutes=52)
        other = self._stranger(day)
        found = [Comer(mine, self._hospital.meera.pk, doctor.pk)]
        return [*found, *([Comer(_unheard(self._rng, late, calm), other, doctor.pk)] if other else [])]

    def _stranger(self, day: Day) -> UUID | None:
        taken = [*self._busy(day.cast.facility), *(patient for _place, patient in self._coming)]
        comers, _absent = plan(day.cast, SEED - 1, [self._now], new=0, avoid=taken)
        return comers[0].patient_id if comers else None


def _unheard(rng: random.Random, arrives: datetime, calm: dict[str, object]) -> Fate:
    drawn = fates.draw(rng, 901, arrives, tests=("renal",), unheard=True, **calm)
    # First in every queue, so that the result is there in time.
    return replace(drawn, critical=True, emergency=True)


def facility_doctors(facility: Facility) -> list[UUID]:
    """Every doctor with hours at a facility."""
    return list(facility.schedules.values_list("doctor_id", flat=True))
