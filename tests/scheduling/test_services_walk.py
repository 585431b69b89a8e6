"""A day of bookings that need a room, a device and a nurse, driven at random: what stands has all of it, what went left
nothing, and a refused step changes nothing. The seed names the walk."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import transaction

from polyclinic.core import clock
from polyclinic.core.errors import Problem
from polyclinic.facilities.models import Room
from polyclinic.scheduling import actions, holds
from polyclinic.scheduling.models import Appointment, Hold, Reservation
from polyclinic.scheduling.states import HOLDING
from tests.house import House
from tests.scheduling.test_services import equip, free, put

STEPS = 24
WHOLE = ["device", "doctor", "patient", "room", "second"]


def attempt(what: Any) -> Any:
    """Do it as a request would; None when it was refused, and then nothing has changed."""
    before = everything()
    try:
        with transaction.atomic():
            return what()
    except Problem:
        assert everything() == before
        return None


def everything() -> list[object]:
    return [
        sorted(Reservation.objects.values_list("resource_id", "starts", "ends", "kind")),
        sorted(Appointment.objects.values_list("pk", "state", "version", "starts")),
        sorted(Hold.objects.values_list("pk")),
    ]  # fmt: skip


def check() -> None:
    """What stands has one of each, every hold all but the patient; nothing else is taken, and nothing twice."""
    for one in Appointment.objects.all():
        taken = one.reservations.order_by("kind")
        assert [row.kind for row in taken] == (WHOLE if one.state in HOLDING else [])
        assert one.state not in HOLDING or one.room_id in {row.resource_id for row in taken}
    for kept in Hold.objects.all():
        assert list(kept.reservations.order_by("kind").values_list("kind", flat=True)) == [
            kind for kind in WHOLE if kind != "patient"
        ]
    last: dict[Any, Any] = {}
    for row in Reservation.objects.order_by("resource_id", "starts"):
        assert row.resource_id not in last or last[row.resource_id] <= row.starts
        last[row.resource_id] = row.ends


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_booked_is_booked_whole(house: House, seed: int) -> None:
    chance = random.Random(seed)
    rooms = tuple(Room.objects.create(facility=house.facility, name=f"Scan {number}").pk for number in (1, 2))
    put(house, rooms=rooms, equipment=(equip(house, chance.choice((1, 2))).pk,), second="role:nurse")
    patients = [house.patient, house.other_patient, house.stranger_patient]
    schedules, refused = [house.schedule, house.other_schedule], 0
    with clock.fixed(clock.now()):
        for _step in range(STEPS):
            patient, schedule, nth = chance.choice(patients), chance.choice(schedules), chance.randrange(4)
            actor, starts = house.person(patient), house.slot(nth)
            asked: dict[str, Any] = {
                "actor": actor, "schedule_id": schedule.pk, "starts": starts, "service_id": house.service.pk,
            }  # fmt: skip
            mine = list(Appointment.objects.filter(patient=patient, state__in=("booked", "confirmed")).order_by("pk"))
            deed = chance.choice(("book", "book", "hold", "move", "cancel"))
            if deed == "book":
                held = Hold.objects.filter(holder=actor.label).exists()
                shown = starts.strftime("%H:%M") in free(house, schedule)
                busy = any(one.starts == starts for one in mine)
                made = attempt(lambda a=asked, p=patient.pk: actions.book(patient_id=p, **a))
                # What the patient keeps themselves is taken for the others only.
                assert held or (made is not None) == (shown and not busy)
                refused += made is None
            elif deed == "hold":
                attempt(lambda a=asked: holds.hold(**a))
            elif mine and deed == "move":
                attempt(lambda a=actor, k=mine[0].pk, s=starts: actions.reschedule(actor=a, appointment_id=k, starts=s))
            elif mine:
                attempt(lambda a=actor, k=mine[0].pk: actions.take(actor=a, appointment_id=k, action="cancel"))
            check()
    assert Reservation.objects.exists()
    assert refused
