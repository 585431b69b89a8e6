"""`polyclinic demo day`: a simulated day, so that every open board can be watched alive."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta

from polyclinic.commands.ending import fail
from polyclinic.core import clock
from polyclinic.core.errors import Problem
from polyclinic.demo import checks, dispensary, fates, load, places
from polyclinic.demo.cast import gather
from polyclinic.demo.day import Day, booked, plan
from polyclinic.facilities.models import Facility
from polyclinic.visits.models import Visit

# A line about how it stands, this often in seconds of our own time.
_TELL: float = 10


def day(given: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Play the day into this installation's database. Only ever into the demo: real people are not played with."""
    if not load.is_loaded():
        fail("a simulated day needs the demo hospital. Load it first: polyclinic demo")
    facility = Facility.objects.filter(slug=given.facility or places.HOME).first()
    if facility is None:
        known = ", ".join(Facility.objects.order_by("slug").values_list("slug", flat=True))
        fail(f"there is no facility {given.facility}. There are: {known}")
    begins = clock.now()
    try:
        played = prepare(facility, begins, given.visits, given.seed)
    except Problem as problem:
        fail(str(problem.sentence))
    say(
        f"A day at {facility.name}: {given.visits} visits, seed {given.seed}, "
        f"{given.speed:g} times as fast as the clock. Stop with Ctrl+C."
    )
    pace(played, begins, given.speed, say)
    played.close()
    report(played, begins, say)
    return 0


def prepare(facility: Facility, begins: datetime, visits: int, seed: int) -> Day:
    """The day that begins at a moment, not yet played. Raises Conflict when somebody it needs is missing."""
    cast = gather(facility)
    dispensary.deliver(cast.pharmacist, facility.pk, level=visits * 3)
    played = Day(cast, lambda _at: nullcontext(), strict=False)
    rng = random.Random(seed)  # noqa: S311 - invents a day, guards nothing
    bookings = booked(cast, begins, begins + timedelta(hours=len(fates.ARRIVALS)))
    comers, absent = plan(cast, seed, fates.arrivals(rng, begins, visits), bookings=bookings)
    played.expect(comers)
    played.miss(absent)
    return played


def pace(played: Day, begins: datetime, speed: float, say: Callable[[str], None]) -> None:
    """Play everything at its time: an hour of the day in 1/`speed` of an hour; 0 is as fast as it goes."""
    started = told = time.monotonic()
    while (at := played.engine.next_at()) is not None:
        if speed:
            wait = started + (at - begins).total_seconds() / speed - time.monotonic()
            if wait > 0:
                time.sleep(min(wait, _TELL))
        if time.monotonic() - told >= _TELL:
            told = time.monotonic()
            say(_standing(played, at - begins))
        if not speed or started + (at - begins).total_seconds() / speed <= time.monotonic():
            played.advance(at)


def report(played: Day, begins: datetime, say: Callable[[str], None]) -> None:
    """What the day came to, and whether everything is in order after it."""
    for name, count in sorted(played.tally.items()):
        if count:
            say(f"  {name:<24} {count:>6,}")
    wrong = [*checks.books(), *checks.stock(), *checks.told(begins)]
    say("Books balanced, every step told." if not wrong else "Not in order: " + "; ".join(wrong[:10]))


def _standing(played: Day, since: timedelta) -> str:
    hours, minutes = divmod(int(since.total_seconds() // 60), 60)
    here = Visit.objects.filter(facility=played.cast.facility, closed_at=None).count()
    tally = played.tally
    return f"  {hours}:{minutes:02d} into the day: {tally['registered']} came, {here} are here, {tally['done']} done"
