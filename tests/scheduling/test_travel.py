"""One doctor at two hospitals: one calendar, and the way between them is kept free by search and booking alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from polyclinic.core.actors import Anonymous
from polyclinic.core.errors import Invalid, NotFound
from polyclinic.core.models import AuditEntry, OutboxEvent
from polyclinic.facilities.models import Facility
from polyclinic.scheduling import actions, selectors, travel
from polyclinic.scheduling.models import Appointment, Schedule
from polyclinic.scheduling.problems import SlotTaken
from tests import house as houses
from tests.house import House


@pytest.fixture
def second(house: House) -> Schedule:
    """The same doctor's hours at another hospital of the same town, at the same times."""
    place = Facility.objects.create(slug="lakeside", name="Lakeside", time_zone=house.facility.time_zone)
    return houses.schedule(house.doctor, place)


def book(house: House, schedule: Schedule, starts: datetime, who: Any = None) -> Appointment:
    patient = who or house.patient
    return actions.book(actor=house.person(patient), patient_id=patient.pk, schedule_id=schedule.pk, starts=starts)


def free(house: House, schedule: Schedule) -> set[datetime]:
    found = selectors.free_slots(Anonymous(), schedule_id=schedule.pk, first_day=house.workday(), days=1)
    return {slot.starts for slot in found}


def need(house: House, minutes: int) -> None:
    travel.set_minutes(actor=house.person(house.doctor), doctor_id=house.doctor.pk, minutes=minutes)


def test_one_calendar_whatever_the_hospital(house: House, second: Schedule) -> None:
    book(house, house.schedule, house.slot(3))
    assert house.slot(3) not in free(house, second)
    assert house.slot(4) in free(house, second)
    with pytest.raises(SlotTaken), transaction.atomic():
        book(house, second, house.slot(3), house.other_patient)
    assert book(house, second, house.slot(4), house.other_patient).state == "booked"


def test_the_way_between_is_kept_free_on_both_sides(house: House, second: Schedule) -> None:
    need(house, 30)
    book(house, house.schedule, house.slot(4))
    # 30 minutes are more than one slot of 20 and less than two.
    blocked = {house.slot(nth) for nth in (2, 3, 4, 5, 6)}
    every = {house.slot(nth) for nth in range(9)}
    assert every - free(house, second) == blocked
    # At the same hospital only the time itself is gone.
    assert every - free(house, house.schedule) == {house.slot(4)}
    for nth in (2, 3, 5, 6):
        with pytest.raises(SlotTaken) as refused, transaction.atomic():
            book(house, second, house.slot(nth), house.other_patient)
        assert len(refused.value.extra.get("slots", [])) in (0, 3)
    assert book(house, second, house.slot(7), house.other_patient).state == "booked"
    assert book(house, house.schedule, house.slot(3), house.other_patient).state == "booked"


def test_what_search_offers_booking_takes(house: House, second: Schedule) -> None:
    """The two ask the same question: no offered time is refused, none that is hidden is taken."""
    need(house, 45)
    book(house, second, house.slot(6))
    offered = free(house, house.schedule)
    for nth in range(9):
        starts = house.slot(nth)
        with transaction.atomic():
            try:
                book(house, house.schedule, starts, house.other_patient)
                taken = True
            except SlotTaken:
                taken = False
            transaction.set_rollback(True)
        assert taken == (starts in offered), nth


def test_a_hold_elsewhere_keeps_the_way_until_it_runs_out(house: House, second: Schedule) -> None:
    need(house, 30)
    kept = actions.hold(actor=house.person(house.patient), schedule_id=house.schedule.pk, starts=house.slot(4))
    assert house.slot(5) not in free(house, second)
    with pytest.raises(SlotTaken), transaction.atomic():
        book(house, second, house.slot(5), house.other_patient)
    from polyclinic.core import clock

    with clock.fixed(kept.expires_at + timedelta(seconds=1)):
        assert house.slot(5) in free(house, second)
        assert book(house, second, house.slot(5), house.other_patient).state == "booked"


def test_moving_to_the_other_hospital_asks_too(house: House, second: Schedule) -> None:
    need(house, 30)
    first = book(house, house.schedule, house.slot(0))
    book(house, house.schedule, house.slot(6), house.other_patient)
    person = house.person(house.patient)
    with pytest.raises(SlotTaken), transaction.atomic():
        actions.reschedule(actor=person, appointment_id=first.pk, starts=house.slot(5), schedule_id=second.pk)
    moved = actions.reschedule(actor=person, appointment_id=first.pk, starts=house.slot(1), schedule_id=second.pk)
    # Its own old time is no reason against it.
    assert moved.facility_id == second.facility_id


def test_the_doctor_alone_says_how_long(house: House, second: Schedule) -> None:
    need(house, 25)
    assert travel.minutes_of(house.person(house.doctor), house.doctor.pk) == 25
    assert AuditEntry.objects.filter(action="doctor.travel").count() == 1
    assert OutboxEvent.objects.filter(type="availability.changed").count() == 2
    need(house, 25)
    assert AuditEntry.objects.filter(action="doctor.travel").count() == 1
    for who in (house.other_doctor, house.manager, house.patient):
        with pytest.raises(NotFound):
            travel.set_minutes(actor=house.person(who), doctor_id=house.doctor.pk, minutes=5)
        with pytest.raises(NotFound):
            travel.minutes_of(house.person(who), house.doctor.pk)
    for minutes in (-1, 241):
        with pytest.raises(Invalid) as refused:
            need(house, minutes)
        assert refused.value.field == "minutes"


def test_without_a_way_nothing_more_is_asked(house: House, second: Schedule) -> None:
    """Control: with no minutes set, neighbours at two hospitals are let in, so it is the minutes that refuse."""
    book(house, house.schedule, house.slot(4))
    assert book(house, second, house.slot(5), house.other_patient).state == "booked"
