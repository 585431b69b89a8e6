"""T4: 2,000 random wishes of different lengths in six time zones over both changes of clocks, with moves, holds and
cancellations between them, and no doctor, room or patient is ever in two places. Then 2,000 raw intervals against
the database's own rule, which must take exactly those that a list kept beside it would take.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from polyclinic.core import clock
from polyclinic.core.actors import SystemActor
from polyclinic.core.errors import Problem
from polyclinic.core.ids import new_id
from polyclinic.facilities.models import Facility, Room, Service
from polyclinic.people.models import Doctor, Patient
from polyclinic.scheduling import actions
from polyclinic.scheduling.models import Appointment, Hold, Reservation, Schedule, WeeklyHours
from polyclinic.scheduling.states import EXPECTED, HOLDING
from tests import house as houses
from tests.scheduling.test_slots import changes

SIZE, SEED = 2_000, 4
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Auckland",
)
# From here to there the clocks of every zone but one change, forwards or back.
AUTUMN = (datetime(2026, 9, 24, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))
SPRING = (datetime(2027, 3, 11, tzinfo=UTC), datetime(2027, 4, 6, tzinfo=UTC))
DEMO = SystemActor("demo")


class Overlap(AssertionError):
    """Somebody or some room is in two places at once."""


def check() -> int:
    """No doctor (with the buffer), room or patient twice at one time, by the appointments alone. Returns how many."""
    rows = Appointment.objects.filter(state__in=HOLDING).select_related("facility").order_by("starts")
    last: dict[UUID, datetime] = {}
    for row in rows:
        buffer = timedelta(minutes=row.facility.buffer_minutes)
        for key, ends in ((row.doctor_id, row.ends + buffer), (row.room_id, row.ends), (row.patient_id, row.ends)):
            if key is None:
                continue
            if row.starts < last.get(key, row.starts):
                raise Overlap(str(row.starts))
            last[key] = ends
    return len(rows)


def build() -> tuple[list[Schedule], list[Patient], list[Service | None]]:
    """A facility in each zone with a night and day doctor or two sharing a room; every third place keeps a buffer."""
    made = []
    for number, zone in enumerate(ZONES):
        place = Facility.objects.create(
            slug=f"place-{number}", name=zone, time_zone=zone, buffer_minutes=(10, 0, 0)[number % 3]
        )  # fmt: skip
        room = Room.objects.create(facility=place, name="Shared")
        for half in range(2):
            who = Doctor.objects.create(
                account=houses.account(f"dr{number}.{half}@example.org", zone), family_name=zone, given_name=str(half),
                specialty="general-practice",
            )  # fmt: skip
            one = Schedule.objects.create(doctor=who, facility=place, room=room)
            WeeklyHours.objects.bulk_create(
                WeeklyHours(schedule=one, weekday=day, starts=time(0), ends=time(4)) for day in range(7)
            )
            made.append(one)
    patients = Patient.objects.bulk_create(
        Patient(mrn=f"P{n}", family_name="P", given_name=str(n), born=date(1990, 1, 1), sex="female") for n in range(6)
    )
    services: list[Service | None] = [
        Service.objects.create(slug=f"s{n}", name=f"{n} minutes", specialty="general-practice", minutes=n)
        for n in (15, 25, 40, 60)
    ]
    return made, patients, [None, *services]


def wish(
    rng: random.Random, window: tuple[datetime, datetime], schedule: Schedule, service: Service | None
) -> datetime:
    """A time, mostly on the service's grid, often on the day on which clocks change, so that wishes collide."""
    minutes = (service and service.minutes) or schedule.facility.slot_minutes
    length = (minutes if rng.random() < 0.9 else 35) + schedule.facility.buffer_minutes
    day = (window[0] + timedelta(days=rng.randrange((window[1] - window[0]).days))).date()
    days = [d for d in changes(schedule.facility.time_zone) if window[0].date() <= d < window[1].date()]
    if days and rng.random() < 0.5:
        day = days[0]
    midnight = datetime.combine(day, time(0), ZoneInfo(schedule.facility.time_zone)).astimezone(UTC)
    return midnight + timedelta(minutes=length * rng.randrange(240 // length + 2))


def act(rng: random.Random, world: tuple[Any, Any, Any], window: tuple[datetime, datetime]) -> str:
    """One random thing that somebody does, in its own savepoint as a request would have its own transaction."""
    everyone, patients, services = world
    one = rng.choice(everyone)
    kind = rng.choices(["book", "move", "cancel", "hold"], [6, 2, 1, 1])[0]
    try:
        with transaction.atomic():
            if kind == "hold":
                actions.hold(actor=DEMO, schedule_id=one.pk, starts=wish(rng, window, one, None))
            elif kind == "book":
                service = rng.choice(services)
                actions.book(
                    actor=DEMO, patient_id=rng.choice(patients).pk, schedule_id=one.pk,
                    starts=wish(rng, window, one, service), service_id=service.pk if service else None,
                )  # fmt: skip
            else:
                rows = list(Appointment.objects.filter(state__in=EXPECTED, starts__gt=clock.now()).order_by("pk")[:400])
                if not rows:
                    return "nothing"
                row = rng.choice(rows)
                if kind == "cancel":
                    actions.take(actor=DEMO, appointment_id=row.pk, action="cancel")
                else:
                    its = Schedule.objects.select_related("facility").get(pk=row.schedule_id)
                    starts = wish(rng, window, its, row.service)
                    actions.reschedule(actor=DEMO, appointment_id=row.pk, starts=starts)
    except Problem as refused:
        return refused.code
    return kind


@pytest.mark.django_db
def test_t04_random_wishes_never_overlap() -> None:
    rng = random.Random(SEED)
    world = build()
    came: dict[str, int] = {}
    for window in (AUTUMN, SPRING):
        with clock.fixed(window[0] - timedelta(days=1)):
            for _turn in range(SIZE // 2):
                code = act(rng, world, window)
                came[code] = came.get(code, 0) + 1
        check()
    standing = check()
    # It must have been a crowd: plenty of each, and plenty refused.
    assert standing > 150, (standing, came)
    assert all(came.get(code, 0) >= 10 for code in ("book", "move", "cancel", "slot_taken", "patient_busy")), str(came)
    assert Reservation.objects.filter(appointment__isnull=False).count() == 3 * standing


def raw(owner: UUID, key: UUID, starts: datetime, ends: datetime) -> None:
    """Insert an interval for one resource, behind everybody's back; the database alone may refuse."""
    with transaction.atomic():
        Reservation.objects.create(resource_id=key, kind="doctor", starts=starts, ends=ends, hold_id=owner)


@pytest.mark.django_db
def test_t04_the_database_takes_what_fits_and_nothing_else() -> None:
    rng = random.Random(SEED)
    world = build()
    one = world[0][0]
    owner = Hold.objects.create(
        schedule=one, doctor_id=one.doctor_id, holder="test", starts=AUTUMN[0], ends=AUTUMN[1], expires_at=AUTUMN[1]
    )
    keys = [new_id() for _n in range(12)]
    kept: dict[UUID, list[tuple[datetime, datetime]]] = {key: [] for key in keys}
    refused = 0
    for _turn in range(SIZE):
        key = rng.choice(keys)
        starts = AUTUMN[0] + timedelta(seconds=rng.randrange(5 * 86_400))
        ends = starts + timedelta(seconds=rng.choice([1, 600, 1800, 7200, 86_400]))
        fits = all(high <= starts or ends <= low for low, high in kept[key])
        if fits:
            raw(owner.pk, key, starts, ends)
            kept[key].append((starts, ends))
            continue
        refused += 1
        with pytest.raises(IntegrityError, match="reservation_overlap"):
            raw(owner.pk, key, starts, ends)
    assert refused > 300
    assert Reservation.objects.count() == SIZE - refused > 300


@pytest.mark.django_db
def test_t04_the_checker_sees_an_overlap() -> None:
    """Control: two appointments written behind the actions' back, one minute into each other."""
    everyone, patients, _services = build()
    for number in range(2):
        starts = AUTUMN[0] + timedelta(minutes=19 * number)
        Appointment.objects.create(
            patient=patients[number], doctor_id=everyone[2].doctor_id, facility_id=everyone[2].facility_id,
            schedule=everyone[2], state="booked", starts=starts, ends=starts + timedelta(minutes=20), booked_by="test",
        )  # fmt: skip
    with pytest.raises(Overlap):
        check()
