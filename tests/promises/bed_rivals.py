"""Many who want one bed, round after round, from two processes over one real database. Prints what came of it.

Run in an installation's settings, in which `tests.seeding` has built the small hospital:
`python -m tests.promises.bed_rivals '{"rivals": 64, "rounds": 5, "database": true, "look": true}'`. Without `database`
the constraint "one patient a bed" is taken away first; without `look` so are the lock, the look before taking the bed,
and the bed's own step.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import threading
from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

import django

PROCESSES = 2


def weaken() -> None:
    """Nobody waits for anybody at a bed, nor looks whether it is free, nor moves it."""
    from polyclinic.inpatient import actions, beds
    from polyclinic.inpatient.models import Bed

    actions._wanted = lambda _actor, _row, _action, bed_id, *_more: Bed.objects.get(pk=bed_id)
    beds.step = lambda *_given, **_more: None  # type: ignore[assignment]


def prepare(rivals: int, rounds: int) -> dict[str, Any]:
    """A bed for each round, and for each round as many patients who wait as there are rivals."""
    from polyclinic.core.actors import SystemActor
    from polyclinic.facilities.models import Facility
    from polyclinic.inpatient import actions, wards
    from polyclinic.people.models import Patient

    demo, place = SystemActor("demo"), Facility.objects.get(slug="riverside").pk
    ward = wards.add_ward(actor=demo, facility_id=place, name="Race", kind="general")
    beds = [str(wards.add_bed(actor=demo, ward_id=ward.pk, name=f"B{turn}").pk) for turn in range(rounds)]
    rows = Patient.objects.bulk_create(
        Patient(mrn=f"R{n:08d}", family_name="Rival", given_name=str(n), born=date(1980, 1, 1), sex="female")
        for n in range(rivals * rounds)
    )
    asked = [str(actions.request(actor=demo, facility_id=place, patient_id=row.pk).pk) for row in rows]
    return {"beds": beds, "stays": [asked[turn * rivals : (turn + 1) * rivals] for turn in range(rounds)]}


def attempt(number: int, stay: UUID, bed: UUID) -> str:
    """One rival's try: two of three reserve, the third is admitted at once. The code of what came of it."""
    from polyclinic.core.actors import SystemActor
    from polyclinic.core.errors import Problem
    from polyclinic.inpatient import actions

    try:
        (actions.reserve if number % 3 else actions.admit)(actor=SystemActor("demo"), stay_id=stay, bed_id=bed)
    except Problem as refused:
        return refused.code
    return "got it"


def part(asked: dict[str, Any], numbers: list[int], barrier: Any, answers: Any) -> None:
    """One process: a thread per rival, all of all processes let go together in every round."""
    django.setup(set_prefix=False)
    from django.db import connection

    if not asked["look"]:
        weaken()
    told: list[tuple[int, str]] = []

    def rival(number: int) -> None:
        try:
            for turn, bed in enumerate(asked["beds"]):
                barrier.wait(60)
                told.append((turn, attempt(number, UUID(asked["stays"][turn][number]), UUID(bed))))
                if connection.vendor == "postgresql":
                    # As after a request: back into the pool, which is smaller than the crowd.
                    connection.close()
        except BaseException as failure:
            told.append((-1, repr(failure)))
            barrier.abort()
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=rival, args=[number]) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.put(told)


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """Set up, let the processes race, and count: outcomes of each round, beds with two patients, rows and events."""
    django.setup(set_prefix=False)
    from django.db import connection, connections

    from polyclinic.core.audit import chain
    from polyclinic.core.models import OutboxEvent
    from polyclinic.inpatient.models import Bed, BedStay
    from polyclinic.inpatient.states import HOLDING

    asked |= prepare(asked["rivals"], asked["rounds"])
    if not asked["database"]:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX stay_one_a_bed")
    connections.close_all()
    pool = getattr(connection, "close_pool", None)
    if pool:
        pool()
    fresh = multiprocessing.get_context("spawn")
    barrier, answers = fresh.Barrier(asked["rivals"]), fresh.Queue()
    parts = [
        fresh.Process(target=part, args=(asked, list(range(n, asked["rivals"], PROCESSES)), barrier, answers))
        for n in range(PROCESSES)
    ]
    for process in parts:
        process.start()
    told = [answer for _process in parts for answer in answers.get(timeout=100)]
    for process in parts:
        process.join(120)
    rounds: list[Counter[str]] = [Counter() for _bed in asked["beds"]]
    for turn, answer in told:
        if turn >= 0:
            rounds[turn][answer] += 1
    held = Counter(BedStay.objects.filter(state__in=HOLDING).values_list("bed_id", flat=True))
    return {
        "rounds": rounds,
        "broken": [answer for turn, answer in told if turn < 0],
        "doubles": sum(many - 1 for many in held.values()),
        "held": len(held),
        "beds": dict(Counter(Bed.objects.values_list("state", flat=True))),
        "events": OutboxEvent.objects.filter(type__in=("stay.reserved", "stay.admitted")).count(),
        "broken_chain": len(list(chain.verify())),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
