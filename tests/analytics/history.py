"""Random weeks of a small hospital: bookings, visits, beds, trips and fees, with the clock moved on by hours."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from polyclinic.billing import prices
from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Problem
from polyclinic.inpatient import actions as stays
from polyclinic.inpatient import beds
from polyclinic.inpatient.models import Bed, BedStay
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment
from polyclinic.transport.models import AmbulanceTrip
from polyclinic.visits import actions as visits
from polyclinic.visits import queues
from polyclinic.visits.models import QueueEntry, Visit
from tests.house import House
from tests.inpatient.wing import Wing
from tests.transport.garage import Garage

DEMO = SystemActor("demo")
TRIP = ("acknowledge", "set_off", "arrive", "load", "deliver", "clear")


class History:
    """What happens is drawn by `seed`. A step that is refused is a step that did not happen."""

    def __init__(self, house: House, start: datetime, seed: int) -> None:
        self.house, self.now = house, start
        self.rng = random.Random(seed)
        with clock.fixed(start):
            self.wing, self.garage = Wing(house), Garage(house)
            self.vehicle = self.garage.manned(who=self.garage.crew)
            prices.set_price(
                actor=DEMO, facility_id=house.facility.pk, code="consultation", name="Consultation",
                kind="consultation", amount_minor=5000,
            )  # fmt: skip

    def step(self) -> str:
        """One thing, some hours after the one before. Returns what."""
        self.now += timedelta(minutes=self.rng.choice((1, 20, 90, 600)))
        deed = self.rng.choice((self.book, self.move, self.visit, self.visit, self.lie, self.drive))
        with clock.fixed(self.now), contextlib.suppress(Problem):
            deed()
        return deed.__name__

    def one_of(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        return self.rng.choice(found) if found else None

    def book(self) -> None:
        who = self.rng.choice((self.house.patient, self.house.other_patient))
        day = self.house.workday(self.rng.randrange(3))
        starts = self.house.local(day, self.rng.choice((9, 10, 14)), self.rng.choice((0, 20, 40)))
        schedule = self.rng.choice((self.house.schedule, self.house.other_schedule))
        actions.book(
            actor=DEMO, patient_id=who.pk, schedule_id=schedule.pk, starts=starts, service_id=self.house.service.pk
        )

    def move(self) -> None:
        row = self.one_of(Appointment.objects.all())
        if row is None:
            return
        if self.rng.random() < 0.3:
            starts = self.house.local(self.house.workday(self.rng.randrange(4)), 15, self.rng.choice((0, 20, 40)))
            actions.reschedule(actor=DEMO, appointment_id=row.pk, starts=starts)
        else:
            deed = self.rng.choice(("confirm", "decline", "cancel", "check_in", "complete", "no_show"))
            actions.take(actor=DEMO, appointment_id=row.pk, action=deed, reason="Drawn")

    def visit(self) -> None:
        row = self.one_of(Visit.objects.filter(closed_at__isnull=True))
        if row is None or self.rng.random() < 0.2:
            who = self.rng.choice((self.house.patient, self.house.other_patient))
            doctor = self.rng.choice((self.house.doctor, self.house.other_doctor))
            visits.register(
                actor=DEMO, facility_id=self.house.facility.pk, patient_id=who.pk, doctor_id=doctor.pk,
                service_id=self.house.service.pk,
            )  # fmt: skip
            return
        entry = QueueEntry.objects.filter(visit=row, ended_at__isnull=True).first()
        if entry is not None and self.rng.random() < 0.6:
            queues.take(actor=DEMO, entry_id=entry.pk, action=self.rng.choice(("call", "serve", "hold", "resume")))
            return
        steps: list[Callable[[], object]] = [
            lambda: visits.waive_fee(actor=DEMO, visit_id=row.pk, reason="Drawn"),
            lambda: visits.check(actor=DEMO, visit_id=row.pk),
            lambda: visits.diagnose(actor=DEMO, visit_id=row.pk),
            lambda: visits.finish(actor=DEMO, visit_id=row.pk, how="no_medicine"),
            lambda: visits.finish(actor=DEMO, visit_id=row.pk, how="dispense"),
            lambda: visits.leave(actor=DEMO, visit_id=row.pk, reason="Drawn"),
            lambda: visits.transfer(actor=DEMO, visit_id=row.pk, doctor_id=self.house.other_doctor.pk),
        ]
        self.rng.choice(steps)()

    def lie(self) -> None:
        bed = self.one_of(Bed.objects.all())
        stay = BedStay.objects.filter(bed=bed, ended_at__isnull=True).first()
        if stay is not None:
            stays.depart(actor=DEMO, stay_id=stay.pk, reason="Drawn")
        elif bed.state == "available" and self.rng.random() < 0.7:
            self.wing.put(bed.name, self.rng.choice((self.house.patient, self.house.other_patient)))
        elif bed.state == "cleaning":
            beds.finish_cleaning(actor=DEMO, bed_id=bed.pk)
        elif bed.state == "blocked":
            beds.unblock(actor=DEMO, bed_id=bed.pk)
        else:
            beds.block(actor=DEMO, bed_id=bed.pk, why="repair")

    def drive(self) -> None:
        trip = AmbulanceTrip.objects.filter(closed_at__isnull=True).first()
        if trip is None:
            self.garage.other()
        elif trip.state == "requested":
            self.garage.send(trip, self.vehicle)
        else:
            for deed in TRIP:
                with contextlib.suppress(Problem):
                    self.garage.take(trip, deed, **({"outcome": "Drawn"} if deed == "clear" else {}))
                    return
