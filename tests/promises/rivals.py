"""Many rivals for one slot, round after round, from two processes over one real database. Prints what came of it.

Run in an installation's settings, in which `tests.seeding` has built the small hospital:
`python -m tests.promises.rivals '{"rivals": 64, "rounds": 50, "database": true, "look": true}'`. Without `database` the
database's own rule against overlaps is taken away first; without `look` so are the locks and the look before booking.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import sys
import threading
from datetime import date, datetime, time, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

import django

PROCESSES = 2


def weaken(*, database: bool, look: bool) -> None:
    """Take guards away: in the database once for all, in the code of this process."""
    from django.db import connection

    from polyclinic.core import db
    from polyclinic.scheduling import needs, reserving

    if not database:
        rule = import_module("polyclinic.scheduling.migrations.0002_no_overlap").Migration.operations[0]
        undo = rule.reverse_sqlite if connection.vendor == "sqlite" else rule.reverse_postgresql
        with connection.cursor() as cursor:
            for statement in undo:
                cursor.execute(statement)
    if not look:
        reserving.clear = lambda *_given: None  # type: ignore[assignment]
        needs._taken = lambda *_given: set()  # type: ignore[assignment]
        reserving._require_way = lambda *_given: None  # type: ignore[assignment]
        reserving._unless = lambda *_given: ("false", [])  # type: ignore[assignment]
        db.lock_keys = lambda _keys: None  # type: ignore[assignment]
        db.locking = lambda _keys: (db.Statement("SELECT 1"), [])  # type: ignore[assignment]


def prepare(rivals: int) -> list[str]:
    """As many patients as rivals; the doctor's days from morning to night, so that there are slots enough."""
    from polyclinic.people.models import Patient
    from polyclinic.scheduling.models import WeeklyHours

    WeeklyHours.objects.filter(kind="break").delete()
    WeeklyHours.objects.update(starts=time(0), ends=time(22))
    rows = [
        Patient(mrn=f"R{n:08d}", family_name="Rival", given_name=str(n), born=date(1980, 1, 1), sex="female")
        for n in range(rivals)
    ]
    return [str(row.pk) for row in Patient.objects.bulk_create(rows)]


# Between the two hospitals of the doctor whom rivals want there and here. Longer than a slot, shorter than two.
WAY = 30


def open_far(house: dict[str, str]) -> str:
    """The same doctor's hours at another hospital, at the same times and with a room of its own."""
    from polyclinic.facilities.models import Facility, Room
    from polyclinic.people.models import Doctor
    from polyclinic.scheduling.models import Schedule, WeeklyHours

    near = Schedule.objects.select_related("facility").get(pk=house["schedule"])
    place = Facility.objects.create(slug="far", name="Far Hospital", time_zone=near.facility.time_zone)
    far = Schedule.objects.create(
        doctor_id=near.doctor_id, facility=place, room=Room.objects.create(facility=place, name="Far room")
    )
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule=far, weekday=row.weekday, starts=row.starts, ends=row.ends) for row in near.weekly.all()
    )
    Doctor.objects.filter(pk=near.doctor_id).update(travel_minutes=WAY)
    return str(far.pk)


def share_device(house: dict[str, str]) -> dict[str, str]:
    """A service that takes the only device of the house, and another doctor who gives it at the same times."""
    from polyclinic.core.access.rules import Role
    from polyclinic.core.actors import Grant, Person
    from polyclinic.facilities import catalogue, offers
    from polyclinic.facilities.models import Room
    from polyclinic.people.models import Account, Doctor
    from polyclinic.scheduling import house as houses
    from polyclinic.scheduling.models import Schedule, WeeklyHours

    near = Schedule.objects.select_related("facility", "doctor").get(pk=house["schedule"])
    account = Account.objects.create(email="second@rivals.example", name="Second Rival", password="!")
    doctor = Doctor.objects.create(
        account=account, family_name="Second", given_name="Sue", specialty=near.doctor.specialty
    )
    room = Room.objects.create(facility=near.facility, name="Second room")
    other = Schedule.objects.create(doctor=doctor, facility=near.facility, room=room)
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule=other, weekday=row.weekday, starts=row.starts, ends=row.ends) for row in near.weekly.all()
    )
    manager = Person(account.pk, "Manager", frozenset({Grant(Role.MANAGER, near.facility_id)}), via="test")
    given: dict[str, Any] = {"actor": manager, "facility_id": near.facility_id}
    kind = catalogue.add_equipment(**given, name="Ultrasound", count=1)
    service = catalogue.add_service(**given, name="Scan", specialty=doctor.specialty)
    terms = offers.write(offers.Offer(equipment=(kind.pk,)))
    houses.change(**given, key=offers.key_of(service.pk), value=terms, seen=0)
    return {"other": str(other.pk), "service": str(service.pk)}


def device_twice(service: str | None) -> int:
    """Pairs of neighbouring appointments of the service that overlap: its only device was promised twice."""
    from polyclinic.scheduling.models import Appointment
    from polyclinic.scheduling.states import HOLDING

    rows = Appointment.objects.filter(service_id=service, state__in=HOLDING) if service else Appointment.objects.none()
    spans = list(rows.order_by("starts").values_list("starts", "ends"))
    return sum(two[0] < one[1] for one, two in itertools.pairwise(spans))


def too_close() -> int:
    """Pairs of one doctor's neighbouring appointments at two hospitals with less than the way between them."""
    from polyclinic.scheduling.models import Appointment

    columns = ("doctor_id", "facility_id", "starts", "ends")
    rows = list(Appointment.objects.order_by("doctor_id", "starts").values_list(*columns))
    return sum(
        one[0] == two[0] and one[1] != two[1] and two[2] - one[3] < timedelta(minutes=WAY)
        for one, two in itertools.pairwise(rows)
    )


def slots(house: dict[str, str], rounds: int) -> list[datetime]:
    from polyclinic.core import clock
    from polyclinic.core.actors import Anonymous
    from polyclinic.scheduling import selectors

    first = clock.now().date() + timedelta(days=2)
    found = selectors.free_slots(Anonymous(), schedule_id=UUID(house["schedule"]), first_day=first, days=20)
    return [slot.starts for slot in found[:rounds]]


def attempt(number: int, patient: UUID, schedule: UUID, starts: datetime, service: UUID | None = None) -> str:
    """One rival's try: two of three book at once, the third keeps the time first. The code of what came of it."""
    from polyclinic.core.actors import Grant, Person
    from polyclinic.core.errors import Problem
    from polyclinic.scheduling import actions

    actor = Person(account_id=patient, name="", grants=frozenset({Grant("patient")}), patient_id=patient, via="test")
    try:
        if number % 3:
            actions.book(actor=actor, patient_id=patient, schedule_id=schedule, starts=starts, service_id=service)
        else:
            kept = actions.hold(actor=actor, schedule_id=schedule, starts=starts, service_id=service)
            actions.book(actor=actor, patient_id=patient, hold_id=kept.pk)
    except Problem as refused:
        offered = len(refused.extra.get("slots", ()))
        return refused.code if offered == 3 else f"{refused.code} with {offered} slots"
    return "booked"


def part(asked: dict[str, Any], numbers: list[int], house: dict[str, str], barrier: Any, answers: Any) -> None:
    """One process: a thread per rival, all of all processes let go together in every round."""
    django.setup(set_prefix=False)
    from django.db import connection

    asked["database"] = True  # already taken away by the parent, if at all
    weaken(database=True, look=asked["look"])
    told: list[tuple[int, str]] = []

    def rival(number: int) -> None:
        try:
            for turn, starts in enumerate(asked["slots"]):
                barrier.wait(60)
                there = house["schedule"]
                if asked.get("far") and number % 4 > 1:
                    # At the other hospital, right after: no overlap, and no time to get there.
                    there, starts = asked["far"], starts + timedelta(minutes=20)
                service = None
                if asked.get("device"):
                    # Half want it with the other doctor, who is as free as the first: only the device is one.
                    service = UUID(asked["service"])
                    there = asked["other"] if number % 4 > 1 else there
                answer = attempt(number, UUID(asked["patients"][number]), UUID(there), starts, service)
                told.append((turn, answer))
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


def doubles() -> int:
    """Pairs of standing appointments of one doctor that overlap, found by looking at the appointments alone."""
    from polyclinic.scheduling.models import Appointment
    from polyclinic.scheduling.states import HOLDING

    rows = Appointment.objects.filter(state__in=HOLDING).order_by("doctor_id", "starts")
    found, last = 0, {}
    for doctor, starts, ends in rows.values_list("doctor_id", "starts", "ends"):
        found += starts < last.get(doctor, starts)
        last[doctor] = max(ends, last.get(doctor, ends))
    return found


def main(asked: dict[str, Any], house: dict[str, str]) -> dict[str, Any]:
    """Set up, let the processes race, and count: outcomes of each round, double bookings, rows and events."""
    django.setup(set_prefix=False)
    from django.db import connection, connections

    from polyclinic.core.models import OutboxEvent
    from polyclinic.scheduling.models import Appointment, Hold, Reservation

    weaken(database=asked["database"], look=True)
    asked["patients"] = prepare(asked["rivals"])
    if asked.get("far"):
        asked["far"] = open_far(house)
    if asked.get("device"):
        asked |= share_device(house)
    # Rounds at two hospitals lie hours apart, for one round's winner must not be in the next one's way.
    apart = 9 if asked.get("far") else 1
    asked["slots"] = slots(house, asked["rounds"] * apart)[::apart]
    assert len(asked["slots"]) == asked["rounds"]
    connections.close_all()
    pool = getattr(connection, "close_pool", None)
    if pool:
        pool()
    fresh = multiprocessing.get_context("spawn")
    barrier, answers = fresh.Barrier(asked["rivals"]), fresh.Queue()
    parts = [
        fresh.Process(target=part, args=(asked, list(range(n, asked["rivals"], PROCESSES)), house, barrier, answers))
        for n in range(PROCESSES)
    ]
    for process in parts:
        process.start()
    told = [answer for _process in parts for answer in answers.get(timeout=100)]
    for process in parts:
        process.join(120)
    rounds: list[dict[str, int]] = [{} for _turn in asked["slots"]]
    broken = [answer for turn, answer in told if turn < 0]
    for turn, answer in told:
        if turn >= 0:
            rounds[turn][answer] = rounds[turn].get(answer, 0) + 1
    return {
        "rounds": rounds,
        "broken": broken,
        "doubles": doubles(),
        "too_close": too_close(),
        "device_twice": device_twice(asked.get("service")),
        "devices": Reservation.objects.filter(kind="device").count(),
        "appointments": Appointment.objects.count(),
        "reservations": Reservation.objects.count(),
        "holds": Hold.objects.count(),
        "events": OutboxEvent.objects.filter(type="appointment.booked").count(),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]), json.loads(sys.argv[2]))))
