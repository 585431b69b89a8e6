"""Simulated days one after the other, as fast as they go and with the clock held: what a soak is made of.

It builds a house of its own in an empty database: the demo's facilities, staff and a smaller town.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.demo import checks, dispensary, fates, money, morning, places
from polyclinic.demo.cast import Cast, gather
from polyclinic.demo.day import Day, booked, plan
from polyclinic.demo.install import Installer
from polyclinic.demo.seed import Seeded
from polyclinic.facilities.models import Facility
from polyclinic.people import search
from polyclinic.people.models import Patient, PatientPlace
from polyclinic.scheduling import actions as scheduling
from polyclinic.scheduling import selectors

ACTOR = SystemActor("demo")
# The doors open at eight by the facility's clock, and the last patient has long gone when the day is counted.
OPENS = time(8)
COUNTED = timedelta(hours=15)


@dataclass(frozen=True, slots=True)
class Past:
    """What one day came to."""

    day: date
    tally: Counter[str]
    wrong: list[str]


def build(patients: int) -> Facility:
    """The demo's places and people without their past, and a town that the home facility knows."""
    installer = Installer(Seeded())
    installer.places()
    installer.staff()
    installer.crowd(patients)
    money.set_prices(installer.hospital)
    morning.set_up(installer.hospital)
    home = installer.hospital.facilities[places.HOME]
    PatientPlace.objects.bulk_create(
        (PatientPlace(patient=one, facility_id=home.pk) for one in Patient.objects.order_by("mrn")), batch_size=500
    )
    while search.catch_up():
        pass
    return home


def days(home: Facility, first: date, count: int, visits: int, seed: int) -> Iterator[Past]:
    """Play `count` days of `visits` each; gives each day as it ends. A refused action stops it: nobody interferes."""
    zone = ZoneInfo(home.time_zone)
    for number in range(count):
        today = first + timedelta(days=number)
        opens = datetime.combine(today, OPENS, zone)
        rng = random.Random(seed + number)  # noqa: S311 - invents a day, guards nothing
        with clock.fixed(opens - timedelta(hours=16)):
            cast = gather(home)
            # Not enough for everybody: something runs out on most days.
            dispensary.deliver(cast.pharmacist, home.pk, level=visits * 3)
            _book(cast, today, visits // 4, rng)
        with clock.fixed(opens):
            played = Day(cast)
            bookings = booked(cast, opens, opens + timedelta(hours=len(fates.ARRIVALS)))
            comers, absent = plan(cast, seed + number, fates.arrivals(rng, opens, visits), bookings=bookings)
        played.expect(comers)
        played.miss(absent)
        played.watch(opens, opens + COUNTED)
        played.advance(opens + COUNTED)
        with clock.fixed(opens + COUNTED):
            played.close()
            yield Past(today, played.tally, checks.everything(opens))


def _book(cast: Cast, day: date, count: int, rng: random.Random) -> None:
    """People book for tomorrow: every third free time of each doctor, until there are enough."""
    known = list(Patient.objects.filter(places__facility_id=cast.facility.pk).order_by("mrn"))
    rng.shuffle(known)
    for post in cast.posts:
        free = selectors.free_slots(ACTOR, doctor_id=post.doctor_id, first_day=day, days=1)
        for slot in [slot for slot in free if slot.schedule_id == post.schedule_id][::3]:
            if count < 1 or not known:
                return
            count -= 1
            scheduling.book(
                actor=cast.reception, patient_id=known.pop().pk, schedule_id=slot.schedule_id, starts=slot.starts
            )
