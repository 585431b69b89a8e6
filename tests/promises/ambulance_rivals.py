"""Many dispatchers for one ambulance, round after round, from two processes over one real database.

Run in an installation's settings, in which `tests.seeding` has built the small hospital:
`python -m tests.promises.ambulance_rivals '{"rivals": 64, "rounds": 10, "database": true, "look": true}'`. Each rival
has a request of their own and sends the one vehicle to it. Without `database` the
database's own rule is taken away first;
without `look` so is the vehicle's lock with the look before sending.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import threading
from collections import Counter
from typing import Any
from uuid import UUID

import django

PROCESSES = 2


def weaken(*, database: bool, look: bool) -> None:
    """Take guards away: in the database once for all, in the code of this process."""
    from django.db import connection

    from polyclinic.transport import actions, keeping
    from polyclinic.transport.models import Ambulance, AmbulanceTrip

    if not database:
        rule = next(one for one in AmbulanceTrip._meta.constraints if one.name == "trip_one_of_a_vehicle")
        with connection.schema_editor() as editor:
            editor.remove_constraint(AmbulanceTrip, rule)
    if not look:
        keeping.locked = lambda _actor, key: Ambulance.objects.get(pk=key)
        actions._require_ready = lambda _vehicle: None


def prepare(asked: dict[str, Any]) -> None:
    """A vehicle with a driver, and a request for every rival."""
    from polyclinic.core.actors import SystemActor
    from polyclinic.facilities.models import Facility, Membership
    from polyclinic.transport import asking, crews, keeping

    demo, place = SystemActor("demo"), Facility.objects.get(slug="riverside").pk
    keeping.place_station(actor=demo, facility_id=place, latitude=52.52, longitude=13.405)
    vehicle = keeping.add(actor=demo, facility_id=place, call_sign="A1", kind="basic")
    driver = Membership.objects.get(facility_id=place, role="ambulance_crew").account_id
    crews.begin(actor=demo, ambulance_id=vehicle.pk, seat="driver", account_id=driver)
    asked["vehicle"] = str(vehicle.pk)
    # The winner of a round is out of it: there are as many more requests as rounds.
    asked["trips"] = [
        [
            str(asking.request(actor=demo, facility_id=place, who=f"Caller {n}", phone="1", address="Mill Lane").pk)
            for n in range(asked["rivals"])
        ]
        for _turn in range(asked["rounds"])
    ]


def attempt(trip: UUID, vehicle: UUID) -> str:
    """One dispatcher's try. What came of it."""
    from polyclinic.core.actors import SystemActor
    from polyclinic.core.errors import Problem
    from polyclinic.transport import actions

    try:
        actions.dispatch(actor=SystemActor("demo"), trip_id=trip, ambulance_id=vehicle)
    except Problem as refused:
        return refused.code
    return "sent"


def free() -> int:
    """Take every trip that a vehicle has off it again. Returns how many there were more than one."""
    from polyclinic.core.actors import SystemActor
    from polyclinic.transport import actions
    from polyclinic.transport.models import AmbulanceTrip

    held = list(AmbulanceTrip.objects.filter(ambulance__isnull=False, closed_at__isnull=True))
    for trip in held:
        actions.cancel(actor=SystemActor("demo"), trip_id=trip.pk, reason="Next round")
    return max(0, len(held) - 1)


def part(asked: dict[str, Any], numbers: list[int], barrier: Any, answers: Any) -> None:
    """One process: a thread per rival, all of all processes let go together in every round."""
    django.setup(set_prefix=False)
    from django.db import connection

    weaken(database=True, look=asked["look"])
    told: list[tuple[int, str]] = []

    def rival(number: int) -> None:
        try:
            for turn, trips in enumerate(asked["trips"]):
                barrier.wait(60)
                told.append((turn, attempt(UUID(trips[number]), UUID(asked["vehicle"]))))
                # As after a request: back into the pool, which is smaller than the crowd.
                connection.close()
                barrier.wait(60)
                if number == 0:
                    told.append((turn, f"doubled {free()}"))
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
    """Set up, let the processes race, and count: what each round's rivals were told, trips, steps and events."""
    django.setup(set_prefix=False)
    from django.db import connection, connections

    from polyclinic.core.models import AuditEntry, OutboxEvent

    weaken(database=asked["database"], look=True)
    prepare(asked)
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
    rounds = [Counter(answer for turn, answer in told if turn == wanted) for wanted in range(asked["rounds"])]
    return {
        "rounds": [dict(one) for one in rounds],
        "broken": [answer for turn, answer in told if turn < 0],
        "events": OutboxEvent.objects.filter(type="ambulance.dispatched").count(),
        "entries": AuditEntry.objects.filter(action="ambulance_trip.dispatch").count(),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
