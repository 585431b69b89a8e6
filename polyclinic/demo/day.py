"""A simulated day: who comes, to whom and with what fate, played through the real actions.

The same seed, facility and number of visits give the same day. It is played with the clock held at each moment (the
demo's morning, the soak) or as fast or slowly as somebody wants to watch it (`polyclinic demo day`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from polyclinic.billing import tills
from polyclinic.billing.models import TillShift
from polyclinic.core import clock
from polyclinic.core.actors import Person, SystemActor
from polyclinic.demo import crowd, fates
from polyclinic.demo.cast import Cast, Post
from polyclinic.demo.course import Course
from polyclinic.demo.engine import Asked, Engine, Pause
from polyclinic.demo.fates import Comer
from polyclinic.laboratory import critical
from polyclinic.people.models import Patient, PatientPlace
from polyclinic.scheduling import actions as scheduling
from polyclinic.scheduling.models import Appointment
from polyclinic.scheduling.states import EXPECTED
from polyclinic.visits.models import Visit

LADDER: Final = SystemActor("critical-ladder")
# Of those who are booked, how many never come; of a day's patients, how many are new to the hospital.
ABSENT: Final = 0.07
NEW: Final = 0.05


@dataclass(frozen=True, slots=True)
class Booking:
    """A booking that somebody comes with. `starts` is when they are expected."""

    id: UUID
    patient_id: UUID
    doctor_id: UUID
    starts: datetime


class Day:
    """One day at one facility. `hold` holds the clock at a moment; `strict` lets a refused action stop the day."""

    def __init__(
        self, cast: Cast, hold: Callable[[datetime], AbstractContextManager[None]] = clock.fixed, *, strict: bool = True
    ) -> None:
        self.cast, self.tally = cast, Counter[str]()
        self.engine = Engine(cast.rooms(), hold)
        self._strict = strict

    def expect(self, comers: Sequence[Comer]) -> None:
        """These will come, each at their own time."""
        for comer in comers:
            course = Course(self.cast, comer, self.tally, self.engine, strict=self._strict)
            self.engine.begin(comer.fate.arrives, course.process())

    def watch(self, begins: datetime, ends: datetime) -> None:
        """Let the critical ladder climb between these moments, as the server's own chores do while it runs."""
        self.engine.begin(begins, self._ladder(ends))

    def miss(self, bookings: Sequence[Booking]) -> None:
        """These do not come: an hour after their time the desk says so."""
        for booking in bookings:
            self.engine.begin(booking.starts + timedelta(hours=1), self._absent(booking.id))

    def advance(self, until: datetime | None = None) -> int:
        """Play everything due until then, or to the end. Returns how many things were done."""
        return sum(1 for _at in self.engine.run(until))

    def close(self) -> None:
        """Everybody counts their cash box at the end of the day."""
        for till in TillShift.objects.filter(facility=self.cast.facility, state="open").order_by("pk"):
            owner = next((one for one in self._cashiers() if one.account_id == till.account_id), None)
            if owner is not None:
                tills.close_till(actor=owner, till_id=till.pk, counted_minor=tills.expected_minor(till))
                self.tally["tills closed"] += 1

    def _cashiers(self) -> tuple[Person, ...]:
        return self.cast.reception, self.cast.pharmacist

    def _absent(self, appointment_id: UUID) -> Generator[Asked, datetime, None]:
        yield Pause(0)
        row = Appointment.objects.get(pk=appointment_id)
        if row.state in EXPECTED and row.starts <= clock.now():
            scheduling.take(actor=self.cast.reception, appointment_id=row.pk, action="no_show")
            self.tally["bookings not kept"] += 1

    def _ladder(self, ends: datetime) -> Generator[Asked, datetime, None]:
        while self.engine.now < ends:
            self.tally["ladder steps"] += critical.escalate(actor=LADDER)
            yield Pause(2)


def plan(
    cast: Cast,
    seed: int,
    arrivals: Sequence[datetime],
    *,
    bookings: Sequence[Booking] = (),
    new: float = NEW,
    avoid: Sequence[UUID] = (),
) -> tuple[list[Comer], list[Booking]]:
    """Who comes at these times: first those with `bookings`, at about their time, then others the facility knows.

    Returns them and the bookings that are not kept. `new` is the share of those nobody has seen before; where the
    facility knows too few others, they make up the number, and without any (0) fewer come.
    """
    rng = random.Random(seed)  # noqa: S311 - invents a day, guards nothing
    absent = [booking for booking in bookings if rng.random() < ABSENT]
    kept = [booking for booking in bookings if booking not in absent][: len(arrivals)]
    taken = {*avoid, *(booking.patient_id for booking in bookings)}
    panel = _panel(cast, taken, rng)
    times = list(arrivals)
    comers = []
    for number, booking in enumerate(kept):
        at = _nearest(times, booking.starts - timedelta(minutes=rng.uniform(-4, 15)))
        comers.append(Comer(fates.draw(rng, number, at), booking.patient_id, booking.doctor_id, booking.id))
    for number, at in enumerate(times, len(kept)):
        fate = fates.draw(rng, number, at)
        found = None if rng.random() < new else _suited(panel, cast, rng)
        post = found[1] if found else rng.choice(cast.posts[: cast.walk_in])
        if found is None and not new:
            break
        comers.append(Comer(fate, found[0] if found else None, post.doctor_id))
    comers = [_without_money(comer) for comer in comers]
    return sorted(comers, key=lambda comer: (comer.fate.arrives, comer.fate.number)), absent


def _without_money(comer: Comer) -> Comer:
    """Who is booked is not opened by mistake: the booking would be used up."""
    if comer.appointment_id is not None and comer.fate.fee == "mistake":
        return replace(comer, fate=replace(comer.fate, fee="cash"))
    return comer


def _nearest(times: list[datetime], wanted: datetime) -> datetime:
    """Take the arrival nearest to the time wanted out of the list, so that the day keeps its shape."""
    place = min(range(len(times)), key=lambda index: (abs(times[index] - wanted), index))
    times.pop(place)
    return wanted


def _panel(cast: Cast, taken: set[UUID], rng: random.Random) -> list[Patient]:
    """Patients the facility knows who are not here already, in an order of their own."""
    here = Visit.objects.filter(facility=cast.facility, closed_at=None).values("patient_id")
    known = PatientPlace.objects.filter(facility_id=cast.facility.pk).exclude(patient_id__in=here)
    rows = list(Patient.objects.filter(pk__in=known.values("patient_id"), temporary=False).order_by("mrn"))
    rows = [row for row in rows if row.pk not in taken]
    rng.shuffle(rows)
    return rows


def _suited(panel: list[Patient], cast: Cast, rng: random.Random) -> tuple[UUID, Post] | None:
    """A patient and a doctor who treats such patients; None when the panel is used up."""
    today = clock.now().astimezone(ZoneInfo(cast.facility.time_zone)).date()
    while panel:
        patient = panel.pop()
        fitting = [post for post in cast.posts[: cast.walk_in] if crowd.suits(post.specialty, patient, today)]
        if fitting:
            return patient.pk, rng.choice(fitting)
    return None


def booked(cast: Cast, begins: datetime, ends: datetime) -> list[Booking]:
    """Bookings with the cast's doctors that are still expected between these moments, by time."""
    doctors = [post.doctor_id for post in cast.posts]
    rows = Appointment.objects.filter(
        facility=cast.facility, doctor_id__in=doctors, state__in=EXPECTED, starts__gte=begins, starts__lt=ends
    ).order_by("starts", "pk")
    return [Booking(row.pk, row.patient_id, row.doctor_id, row.starts) for row in rows]
