"""How long the figures of two years take: the answer of `stats` beside a bare query that reads the same rows.

The rollups are those of a large hospital: 500,000 appointments and 300,000 visits in 730 days, with 40 doctors.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

DAYS = 730
DOCTORS = 40
LINES = ("desk", "check", "lab", "doctor", "pharmacy")
_BARE = "SELECT day, body FROM analytics_rollup WHERE facility_id = %s AND dimension = 'house' AND day >= %s"
STATES = (("completed", 0.78), ("no_show", 0.08), ("cancelled", 0.11), ("declined", 0.03))


def fill(appointments: int) -> Any:  # noqa: ANN401 - a Facility
    """A facility whose past is in rollups of the form that `analytics.following` writes."""
    from polyclinic.analytics import days
    from polyclinic.analytics.cells import encode
    from polyclinic.analytics.counting import Day
    from polyclinic.analytics.models import Counted, Rollup
    from polyclinic.core.ids import new_id
    from polyclinic.facilities.models import Facility

    rng = random.Random(7)
    place = Facility.objects.create(slug="bench", name="Bench")
    yesterday = days.today(days.zone_of(place.pk)) - days.ONE
    doctors = [new_id() for _one in range(DOCTORS)]
    many = appointments // DAYS
    for back in range(DAYS):
        day = Day()
        for number in range(many):
            doctor = doctors[number % DOCTORS]
            state = rng.choices([name for name, _share in STATES], [share for _name, share in STATES])[0]
            day.add(f"appointments.{state}", doctor=doctor)
            if number % 5 < 3:
                day.add("visits.came", doctor=doctor)
                day.add("visits.done", doctor=doctor)
                for line in LINES:
                    for cell in day.of(f"wait.{line}", doctor if line == "doctor" else None):
                        cell.lasted(rng.lognormvariate(6.5, 0.9))
                for measure in ("visit", "consultation", "tests"):
                    for cell in day.of(measure, doctor):
                        cell.lasted(rng.lognormvariate(7.5, 0.7))
        for measure in ("turnaround", "response", "dispatch", "trip"):
            for _one in range(30):
                day.of(measure)[0].lasted(rng.lognormvariate(7, 0.6))
        for measure, total in (
            ("beds.usable", 86_400 * 400),
            ("beds.occupied", 86_400 * 330),
            ("charged.EUR", 9_000_000),
        ):
            day.add(measure, 400, total)
        Rollup.objects.bulk_create(
            Rollup(facility=place, day=yesterday - days.ONE * back, dimension=name, key=key, body=encode(measures))
            for (name, key), measures in day.parts.items()
        )
    Counted.objects.create(facility=place, through=yesterday)
    return place


def timed(rounds: int, do: Callable[[], object]) -> tuple[list[float], float]:
    """Milliseconds of each round, sorted, and the median processor time, which a busy machine changes little."""
    times = []
    for _round in range(rounds):
        begun, used = time.perf_counter(), time.process_time()
        do()
        times.append(((time.perf_counter() - begun) * 1000, (time.process_time() - used) * 1000))
    return sorted(one for one, _used in times), statistics.median(used for _one, used in times)


def measure(place: Any, rounds: int) -> dict[str, dict[str, float]]:  # noqa: ANN401 - a Facility
    """Median and 95th percentile in ms of ranges of 30, 365 and 730 days, of the product and of the bare query."""
    from django.db import connection

    from polyclinic.analytics import days, selectors
    from polyclinic.core.actors import Grant, Person
    from polyclinic.core.ids import new_id

    boss = Person(account_id=new_id(), name="Boss", grants=frozenset({Grant("manager", place.pk)}))
    today = days.today(days.zone_of(place.pk))
    field = type(place)._meta.pk
    key = field.get_db_prep_value(place.pk, connection)
    found = {}
    for many in (30, 365, DAYS):
        first = today - timedelta(days=many - 1)

        def product(first: date = first) -> object:
            return selectors.stats(boss, place.pk, first, today)

        def bare(first: date = first) -> object:
            with connection.cursor() as cursor:
                cursor.execute(_BARE, [key, first])
                return [json.loads(body) for _day, body in cursor.fetchall()]

        (ours, cpu), (twin, twin_cpu) = timed(rounds, product), timed(rounds, bare)
        place95 = int(rounds * 0.95)
        found[f"{many} days"] = {
            "median": round(statistics.median(ours), 1), "p95": round(ours[place95], 1),
            "twin_p95": round(twin[place95], 1),
            "cpu": round(cpu, 1), "twin_cpu": round(twin_cpu, 1), "ratio_of_cpu": round(cpu / twin_cpu, 1),
        }  # fmt: skip
    return found


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--appointments", type=int, default=500_000)
    options.add_argument("--rounds", type=int, default=40)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"POLYCLINIC_DATA": folder, "DJANGO_SETTINGS_MODULE": "polyclinic.settings"}
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        place = fill(given.appointments)
        load = round(os.getloadavg()[0], 1)
        result = {
            "database": connection.vendor, "appointments": given.appointments, "load": load,
            "milliseconds": measure(place, given.rounds),
        }  # fmt: skip
    text = json.dumps(result, indent=1)
    print(text)
    if given.appointments >= 500_000:
        Path(__file__).with_name("results").joinpath("analytics.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
