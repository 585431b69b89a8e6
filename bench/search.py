"""How long the desk's search takes over a large register, and how long it takes to index one."""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

QUERIES = (
    "okafor", "maria", "mar san", "okafro grace", "sanots", "1980-05-17", "grace 1980-05-17", "mrn 12345", "1234",
    "555-0123456", "zzzz qqqq", "smith", "a",
)  # fmt: skip


def fill(people: int) -> tuple[Any, float]:
    """A facility with so many patients; the seconds that indexing took."""
    from polyclinic.demo import names
    from polyclinic.facilities.models import Facility
    from polyclinic.people import search
    from polyclinic.people.models import Patient, PatientPlace

    rng = random.Random(7)
    place = Facility.objects.create(slug="bench", name="Bench")
    took = 0.0
    for start in range(0, people, 2_000):
        rows = []
        for number in range(start, min(start + 2_000, people)):
            family, given = names.draw(rng, rng.choice(("female", "male")))
            # Family names of a town are many: a syllable more makes some twenty thousand of the few.
            family += rng.choice(("", "", "", "son", "ov", "escu", "ez", "man", "ski", "ley", "berg", "ito"))
            born = date(1930, 1, 1) + timedelta(days=rng.randrange(35_000))
            rows.append(Patient(mrn=f"MRN{number:07d}", family_name=family, given_name=given, born=born))
        Patient.objects.bulk_create(rows)
        PatientPlace.objects.bulk_create(PatientPlace(patient=row, facility_id=place.pk) for row in rows)
        begun = time.perf_counter()
        search.index(rows)
        took += time.perf_counter() - begun
    return place, took


def measure(place: Any, rounds: int) -> dict[str, list[float]]:  # noqa: ANN401 - a Facility
    """Milliseconds of the median, the 95th percentile and the longest look, by query; reads are not recorded."""
    from polyclinic.core.actors import Grant, Person
    from polyclinic.core.ids import new_id
    from polyclinic.people import search

    desk = Person(account_id=new_id(), name="Desk", grants=frozenset({Grant("receptionist", place.pk)}))
    found = {}
    for query in QUERIES:
        times = []
        for _round in range(rounds):
            begun = time.perf_counter()
            search.search(desk, query)
            times.append((time.perf_counter() - begun) * 1000)
        times.sort()
        found[query] = [
            round(statistics.median(times), 1),
            round(times[int(len(times) * 0.95)], 1),
            round(times[-1], 1),
        ]
    return found


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--people", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=20)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"POLYCLINIC_DATA": folder, "DJANGO_SETTINGS_MODULE": "polyclinic.settings"}
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        place, took = fill(given.people)
        found = measure(place, given.rounds)
        result = {
            "database": connection.vendor, "people": given.people, "index_seconds": round(took, 1),
            "milliseconds_median_p95_longest": found,
        }  # fmt: skip
    text = json.dumps(result, indent=1)
    print(text)
    if given.people >= 200_000:
        Path(__file__).with_name("results").joinpath("search.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
