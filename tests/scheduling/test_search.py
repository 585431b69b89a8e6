"""Slot search over several doctors, the buffer after a visit, and how many statements the hot paths may cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from polyclinic.core import clock
from polyclinic.core.actors import Anonymous
from polyclinic.core.audit import reads
from polyclinic.scheduling import actions, selectors
from polyclinic.scheduling.models import Hold, Schedule
from polyclinic.scheduling.problems import SlotTaken
from tests.house import House
from tests.scheduling.test_booking import book


def search(house: House, **more: object) -> list[selectors.Slot]:
    return selectors.free_slots(Anonymous(), first_day=house.workday(), days=1, **more)  # type: ignore[arg-type]


def test_several_doctors_come_in_the_order_of_time(house: House) -> None:
    book(house)
    found = search(house, facility_id=house.facility.pk)
    assert [slot.starts for slot in found] == sorted(slot.starts for slot in found)
    assert {slot.doctor_id for slot in found} == {house.doctor.pk, house.other_doctor.pk}
    assert [slot.doctor_id for slot in found if slot.starts == house.slot()] == [house.other_doctor.pk]
    assert search(house, facility_id=house.facility.pk, limit=5) == found[:5]
    one = search(house, doctor_id=house.doctor.pk)
    assert one == [slot for slot in found if slot.doctor_id == house.doctor.pk]
    everyone = selectors.next_free_by_doctor(Anonymous(), [house.doctor.pk, house.stranger_doctor.pk])
    assert everyone.keys() == {house.doctor.pk, house.stranger_doctor.pk}


def test_the_buffer_keeps_the_doctor_after_each_visit(house: House) -> None:
    Schedule.objects.filter(pk=house.schedule.pk).update(buffer_minutes=10, version=2)
    starts = [slot.starts for slot in search(house, schedule_id=house.schedule.pk)]
    assert starts[:3] == [house.slot() + timedelta(minutes=30 * n) for n in range(3)]
    made = book(house)
    assert made.ends == house.slot(1)
    # Without the buffer from now on: the next slot would begin in the ten minutes that are still kept.
    Schedule.objects.filter(pk=house.schedule.pk).update(buffer_minutes=0, version=3)
    starts = [slot.starts for slot in search(house, schedule_id=house.schedule.pk)]
    assert starts[0] == house.slot(2)
    with pytest.raises(SlotTaken):
        actions.book(
            actor=house.person(house.other_patient), patient_id=house.other_patient.pk, schedule_id=house.schedule.pk,
            starts=house.slot(1),
        )  # fmt: skip


def test_a_hold_takes_its_time_until_it_expires_swept_or_not(house: House) -> None:
    actions.hold(actor=house.person(house.other_patient), schedule_id=house.schedule.pk, starts=house.slot())
    book(house, 2)
    assert [slot.starts for slot in search(house, doctor_id=house.doctor.pk)][:2] == [house.slot(1), house.slot(3)]
    with clock.fixed(clock.now() + timedelta(minutes=5, seconds=1)):
        assert Hold.objects.exists()
        starts = [slot.starts for slot in search(house, doctor_id=house.doctor.pk)]
    # What is booked stays taken: only the holds that ran out are looked past.
    assert starts[:3] == [house.slot(), house.slot(1), house.slot(3)]


def test_a_room_is_taken_for_the_other_doctor_too(house: House) -> None:
    Schedule.objects.filter(pk=house.other_schedule.pk).update(room=house.room, version=2)
    book(house, 1)
    starts = [slot.starts for slot in search(house, doctor_id=house.other_doctor.pk)]
    assert starts[:2] == [house.slot(), house.slot(2)]


def test_hot_paths_cost_few_statements(house: House) -> None:
    patient, doctor = house.person(house.patient), house.person(house.doctor)
    made = book(house)
    search(house, schedule_id=house.schedule.pk)

    def cost(what: object) -> int:
        # As in a request: what is looked at is gathered and recorded once the answer is known.
        with reads.gathering(), CaptureQueriesContext(connection) as seen:
            what()  # type: ignore[operator]
        return len(seen)

    found = {
        "book": cost(lambda: book(house, 1)),
        "appointment": cost(lambda: selectors.appointment(patient, made.pk)),
        "doctor_day": cost(lambda: selectors.doctor_day(doctor, house.doctor.pk, house.workday())),
        "free_slots": cost(lambda: search(house, schedule_id=house.schedule.pk)),
    }
    # PostgreSQL asks for its locks and looks at the schedule again once it has them.
    limits = {
        "book": 24 if connection.vendor == "postgresql" else 12,
        "appointment": 1,
        "doctor_day": 2,
        "free_slots": 2,
    }
    assert all(found[name] <= limits[name] for name in limits), found
    # More doctors cost no more statements.
    assert cost(lambda: search(house, specialty="general-practice")) <= 4
